"""Features of the frozen generator for labelled images: computed once, kept as files, read back a batch at a time.

A variant of an image is one change of it (crop, flip, colours), one noise draw and one text. The generator is
frozen, so each variant passes through it once, however long a decoder trains.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file, save
from torch import Tensor

from dataset_dm.decoder import Targets
from dataset_dm.diffusion import Backbone, encode_classes, encode_images, read_features
from dataset_dm.files.atomic import write_atomically
from dataset_dm.hypercolumns import Features, FeatureSpec
from dataset_dm.labels.classes import class_words, wordings
from dataset_dm.readers import LabelledImage, LabelledSet
from dataset_dm.training.augment import AugmentConfig, augment, fit, stream

UNPROMPTED = "a photo"  # names no class
READY = "ready.json"
KEPT = 256  # images held in memory while variants are made


@dataclass(frozen=True, kw_only=True)
class VariantConfig:
    """Which variants of each image are made: even ones unprompted, odd ones prompted; number 0 is the plain image."""

    count: int = 8
    prompted: bool = True  # False: no text ever names a class
    plain: bool = False  # True: no variant is changed, they differ in noise and text only
    seed: int = 0
    augment: AugmentConfig = field(default_factory=AugmentConfig)


def prompt_of(sample: LabelledImage, classes: Sequence[str]) -> str:
    """The prompt that a generated image would have: the caption, or "a photo of a dog and a car" by the labels."""
    if sample.caption:
        return sample.caption
    present = [int(each) for each in np.unique(_shown(sample)) if 0 < each < 255]
    words = class_words([classes[each - 1] for each in present])
    return f"{UNPROMPTED} of " + " and ".join(f"a {word}" for word in words) if words else UNPROMPTED


def _shown(sample: LabelledImage) -> np.ndarray:
    """Class ids that are visible: a crop or a paste may have removed every pixel of an instance."""
    if sample.label is not None:
        return sample.label
    if sample.instances is None:
        return np.zeros(0, np.int64)
    return sample.instances.classes[sample.instances.areas > 0]


class FeatureStore:
    """Features and labels of n images × v variants, one safetensors file each.

    Args:
        folder: folder of the files; existing files of the same key are reused.
        spec: the features that are read.
        wordings: embeddings of the classes [w k d]: in w wordings, the usual one first.
        images, variants: n and v.
    """

    def __init__(self, folder: Path, spec: FeatureSpec, wordings: Tensor, images: int, variants: int) -> None:
        self.folder, self.spec, self.wordings = folder, spec, wordings
        self.images, self.variants = images, variants
        self._memory: dict[tuple[int, int], dict[str, Tensor]] = {}

    def file(self, image: int, variant: int) -> Path:
        """Path of one variant's file."""
        return self.folder / f"{image:06d}-{variant:02d}.safetensors"

    def hold(self, limit_bytes: float, device: torch.device | str = "cpu") -> bool:
        """Keeps everything in memory, in float16, if it fits ``limit_bytes``; returns whether it did."""
        size = self.file(0, 0).stat().st_size * self.images * self.variants
        if size > limit_bytes:
            return False
        for image in range(self.images):
            for variant in range(self.variants):
                tensors = load_file(self.file(image, variant))
                self._memory[image, variant] = {name: value.to(device) for name, value in tensors.items()}
        return True

    def part(self, spec: FeatureSpec) -> FeatureStore:
        """A store over the same files that reads only the features in `spec`, such as fewer levels."""
        return FeatureStore(self.folder, spec, self.wordings, self.images, self.variants)

    def batch(self, items: Sequence[tuple[int, int]], device: torch.device | str = "cpu") -> tuple[Features, Targets]:
        """Features (float32) and truth of these (image, variant) pairs."""
        parts = [self._memory.get(item) or load_file(self.file(*item)) for item in items]

        def stack(name: str) -> Tensor:
            return torch.stack([part[name] for part in parts]).to(device)

        features = Features(
            {name: stack(name).float() for name in self.spec.names()},
            stack("class_attention").float() if self.spec.attention else None,
            self.wordings[0].to(device).float(),
            self.spec,
            stack("contrast").float() if self.spec.contrast else None,
        )
        there = parts[0].keys()
        targets = Targets(
            labels=stack("label").long() if "label" in there else None,
            instances=stack("instances").long() if "instances" in there else None,
            classes=tuple(part["instance_classes"].to(device) for part in parts) if "instances" in there else None,
            keypoints=tuple(part["keypoints"].to(device) for part in parts) if "keypoints" in there else None,
            depth=stack("depth") if "depth" in there else None,
            metric=stack("metric") if "metric" in there else None,
        )
        return features, targets

    def reworded(self, features: Features, rng: np.random.Generator) -> Features:
        """The same features with every class in a random one of its wordings: the decoder learns meanings."""
        chosen = torch.from_numpy(rng.integers(len(self.wordings), size=self.wordings.shape[1]))
        text = self.wordings[chosen, torch.arange(self.wordings.shape[1])]
        return replace(features, class_text=text.to(features.class_text))


def extract(
    labelled: LabelledSet,
    backbone: Backbone,
    spec: FeatureSpec,
    folder: Path,
    config: VariantConfig,
    *,
    batch: int = 16,
    report: Callable[[int, int, float], None] | None = None,
) -> FeatureStore:
    """Runs every variant of every image through the generator, except those whose file is there already.

    Args:
        folder: files that belong to other settings are deleted.
        batch: variants per pass.
        report: called with (done, all, seconds so far).
    """
    classes = labelled.classes or ("object",)  # a set with depth alone has no classes; its decoder reads no text
    text = encode_classes(backbone, class_words(classes))
    spoken = [encode_classes(backbone, names).mean.cpu() for names in wordings(classes)]
    store = FeatureStore(folder, spec, torch.stack(spoken), len(labelled), config.count)
    settings = asdict(config)
    settings["informed"] = settings.pop("prompted")  # the name that the keys of earlier features hold
    key = {
        "spec": spec.to_dict(),
        "dtype": str(backbone.dtype),
        "source": labelled.source,
        "images": len(labelled),
        "classes": list(labelled.classes),
        **settings,
    }
    _claim(folder, json.loads(json.dumps(key)))
    pairs = [(image, variant) for image in range(len(labelled)) for variant in range(config.count)]
    # a pass is computed completely or skipped: rounding depends on the other images of the batch
    chunks = [pairs[begin : begin + batch] for begin in range(0, len(pairs), batch)]
    todo = [chunk for chunk in chunks if not all(store.file(*pair).is_file() for pair in chunk)]
    start, read = time.monotonic(), lru_cache(maxsize=KEPT)(labelled.__getitem__)
    donors = donors_of(labelled, config.augment.people) if todo and not config.plain else ()
    for done, chunk in enumerate(todo, 1):
        samples = [_variant(read, donors, pair, spec.native_size, config) for pair in chunk]
        _write(store, backbone, text, samples, chunk, labelled.classes, config)
        if report is not None:
            report(done * batch, len(todo) * batch, time.monotonic() - start)
    return store


def donors_of(labelled: LabelledSet, share: float) -> list[int]:
    """Images to paste from; those with a labelled joint are repeated until they are about `share` of the list."""
    images = list(range(len(labelled)))
    instances = ((image, labelled[image].instances) for image in images)
    people = [
        image
        for image, found in instances
        if found is not None and found.keypoints is not None and (found.keypoints[..., 2] > 0).any()
    ]
    if not people or len(people) >= share * len(images):
        return images
    again = round(share / (1 - share) * (len(images) - len(people)) / len(people)) if share < 1 else len(images)
    return images + people * max(0, again - 1)


def _variant(
    read: Callable[[int], LabelledImage],
    donors: Sequence[int],
    pair: tuple[int, int],
    size: tuple[int, int],
    config: VariantConfig,
) -> LabelledImage:
    image, variant = pair
    if variant == 0 or config.plain:
        return fit(read(image), size)
    return augment(read(image), size, config.augment, stream("augment", config.seed, image, variant), read, donors)


def _write(store: FeatureStore, backbone: Backbone, text, samples, chunk, classes, config: VariantConfig) -> None:
    images = torch.from_numpy(np.stack([sample.image for sample in samples]))
    unprompted = [not (config.prompted and variant % 2) for _, variant in chunk]
    prompts = [
        UNPROMPTED if without else prompt_of(sample, classes)
        for sample, without in zip(samples, unprompted, strict=True)
    ]
    seeds = [int(stream("noise", config.seed, *pair).integers(2**62)) for pair in chunk]
    latents = encode_images(backbone, images)
    features = read_features(backbone, latents, prompts, text, store.spec, seeds, images=images, unprompted=unprompted)
    for row, (sample, pair) in enumerate(zip(samples, chunk, strict=True)):
        tensors = {name: value[row].half().cpu().contiguous() for name, value in features.levels.items()}
        if features.class_attention is not None:
            tensors["class_attention"] = features.class_attention[row].half().cpu().contiguous()
        if features.contrast is not None:
            tensors["contrast"] = features.contrast[row].half().cpu().contiguous()
        write_atomically(store.file(*pair), save({**tensors, **_truth(sample)}))


def _truth(sample: LabelledImage) -> dict[str, Tensor]:
    """The labels of a variant as tensors; only the kinds that it has."""
    kinds: dict[str, np.ndarray | None] = {"label": sample.label, "depth": sample.depth}
    if sample.depth is not None:
        kinds["metric"] = np.array(sample.metric)
    if sample.instances is not None:
        kinds |= {
            "instances": sample.instances.as_bytes(),
            "instance_classes": sample.instances.classes.astype(np.int64),
        }
        kinds["keypoints"] = sample.instances.keypoints
    return {name: torch.from_numpy(np.array(values, order="C")) for name, values in kinds.items() if values is not None}


def _claim(folder: Path, key: dict) -> None:
    """Removes files that were made under another key, and writes this key."""
    marker = folder / READY
    if marker.is_file() and json.loads(marker.read_text(encoding="utf-8")) == key:
        return
    for file in folder.glob("*.safetensors"):
        file.unlink()
    write_atomically(marker, json.dumps(key).encode("utf-8"))
