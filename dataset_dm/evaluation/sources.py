"""Images to measure on: held-out renders with exact truth, and generated images."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import UInt8
from torch import Tensor

from dataset_dm.annotators.request import ImageBatch
from dataset_dm.diffusion import Backbone, SamplerConfig, sample
from dataset_dm.engine import Engine, pending
from dataset_dm.engine.local import stores
from dataset_dm.engine.progress import bar
from dataset_dm.labels.classes import find_classes
from dataset_dm.labels.images import decode_png
from dataset_dm.labels.vocabulary import VOC_CLASSES
from dataset_dm.metrics.truth import Truth, of_render
from dataset_dm.miniature.world import labelled
from dataset_dm.miniature.world.geometry import Rendering, Scene
from dataset_dm.plan.generation_plan import GenerationPlan
from dataset_dm.prompts import Templates

NAMES = ("background", *VOC_CLASSES)


@dataclass(frozen=True)
class Renders:
    """A batch of renders and their truth.

    Args:
        inputs: the images and prompts, as annotators get them.
        truths: of every image, all kinds of label.
        clean: the images before the sensor noise.
    """

    inputs: ImageBatch
    truths: Sequence[Truth]
    clean: UInt8[np.ndarray, "b h w 3"]

    @property
    def truth(self) -> UInt8[np.ndarray, "b h w"]:
        """Class ids of every image, 0 background."""
        return np.stack([truth.label for truth in self.truths])


def renders(count: int, batch: int, *, split: str = "test", style: str = "day", seed: int = 0,
            size: tuple[int, int] = (128, 128)) -> Iterator[Renders]:  # fmt: skip
    """The first `count` renders of a split of the world `seed`, in order, the last batch perhaps smaller."""
    for start in range(0, count, batch):
        indices = range(start, min(start + batch, count))
        yield pack([labelled(split, i, style, size, seed) for i in indices], indices)


def pack(scenes: Sequence[tuple[Scene, Rendering]], seeds: Sequence[int]) -> Renders:
    """Renders as one batch; the caption is the scene's first, the named classes are those of its bodies."""
    renderings = [rendering for _, rendering in scenes]
    inputs = ImageBatch(
        images=torch.from_numpy(np.stack([r.image for r in renderings])),
        prompts=[scene.captions[0] for scene, _ in scenes],
        named=[sorted({body.class_id - 1 for body in scene.bodies}) for scene, _ in scenes],
        seeds=list(seeds),
    )
    truths = [of_render(scene, rendering) for scene, rendering in scenes]
    return Renders(inputs, truths, np.stack([r.clean for r in renderings]))


def drawn(
    backbone: Backbone, count: int, batch: int, *, seed: int = 0, sampler: SamplerConfig | None = None
) -> Iterator[ImageBatch]:
    """`count` images that the generator draws for the default prompts over VOC's classes; needs no annotator."""
    prompts = Templates(VOC_CLASSES)
    for start in range(0, count, batch):
        indices = range(start, min(start + batch, count))
        asked = [prompts.prompt(seed, "train", i) for i in indices]
        seeds = [(seed << 32) + i for i in indices]
        samples = sample(backbone, [one.text for one in asked], seeds, sampler)
        named = [positions(one.classes or ()) for one in asked]
        texts = [one.text for one in asked]
        yield ImageBatch(images=samples.images, prompts=texts, seeds=seeds, named=named, latents=samples.latents)


def stored(plan: GenerationPlan, count: int, *, split: str = "train", device: str = "auto") -> Iterator[ImageBatch]:
    """The first `count` images of a plan, in its own batches; missing shards are made first."""
    work = pending(plan, {split: count})
    total = len(work) * plan.shard_size
    with Engine(plan, device=device) as engine, bar(total, "image", "images generated") as progress:
        engine.fill({split: count}, progress.update, work=work)
    images, _ = stores(plan)
    for shard in plan.shards(count):
        rows = images.read(split, shard).to_pylist()[: count - shard * plan.shard_size]
        for start in range(0, len(rows), plan.batch_size):
            part = rows[start : start + plan.batch_size]
            yield ImageBatch(
                images=torch.from_numpy(np.stack([decode_png(row["image"]["bytes"]) for row in part])),
                prompts=[row["prompt"] for row in part],
                seeds=[row["seed"] for row in part],
                named=[positions(row["requested"] or find_classes(row["prompt"], VOC_CLASSES)) for row in part],
                latents=torch.stack([_latents(row) for row in part]),
            )


def positions(names: Sequence[str]) -> list[int]:
    """Positions of class names in VOC_CLASSES; names that it lacks are left out."""
    return [VOC_CLASSES.index(name) for name in names if name in VOC_CLASSES]


def _latents(row: Mapping[str, Any]) -> Tensor:
    values = torch.frombuffer(bytearray(row["latents"]), dtype=getattr(torch, row["latents_dtype"]))
    return values.reshape(row["latents_shape"])
