"""A segmenter of transformers trained on generated labels: it needs the image alone, never the generator."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from einops import rearrange
from jaxtyping import Float, UInt8
from safetensors import SafetensorError
from torch import Tensor
from transformers import SegformerForSemanticSegmentation

from dataset_dm.annotators.base import ImageAnnotator
from dataset_dm.annotators.p_decoder import UNASKED
from dataset_dm.annotators.request import AnnotationRequest
from dataset_dm.diffusion.loading import quiet
from dataset_dm.errors import ModelError, explain
from dataset_dm.labels.records import Annotation
from dataset_dm.labels.tasks import SEMANTIC
from dataset_dm.models.annotators import is_segmenter, positions_of, segmenter_classes
from dataset_dm.models.device import resolve_device
from dataset_dm.models.pretrained import load_whole
from dataset_dm.models.reference import Source, find
from dataset_dm.postprocess import semantic

# our own part of a segmenter's config.json
SETTINGS = "dataset_dm"
_CONFIG, _WEIGHTS = "config.json", "model.safetensors"
MEAN, SPREAD = 0.5, 0.5  # of pixels in 0..1, as the network sees them
LEAST = 1 / 256  # presence of a class: its mean probability over this share of the pixels, the most probable ones


class SegmenterAnnotator(ImageAnnotator):
    """Labels images of any source by the classes it was trained on.

    Args:
        net: the network, in eval mode; its config names the classes, background first.
        name, fingerprint: what opens it again, and the hash of its files.
        temperature: logits are divided by it.
        void_below: pixels whose class is less probable than this become 255.
        unasked: prior odds of a class that the prompt does not name against one that it names.
    """

    tasks = (SEMANTIC.name,)

    def __init__(
        self,
        net: SegformerForSemanticSegmentation,
        *,
        name: str,
        fingerprint: str,
        temperature: float = 1.0,
        void_below: float = 0.0,
        unasked: float = UNASKED,
    ) -> None:
        self.net = net.eval()
        self.name, self.fingerprint, self.unasked = name, fingerprint, unasked
        self.temperature, self.void_below = temperature, void_below
        self.classes = segmenter_classes({"id2label": net.config.id2label})

    @classmethod
    def load(cls, source: str, *, device: str = "auto") -> SegmenterAnnotator:
        """From a folder or a Hub id with an optional ``@revision``; ModelError if there is none, or no safetensors."""
        found = find(str(source), what="annotator")
        folder = _local(found)
        config = found.read_json(_CONFIG)
        if not is_segmenter(config) or not (folder / _WEIGHTS).is_file():
            expected = f"a SegFormer folder of transformers ({_CONFIG} and {_WEIGHTS}; never pickle)"
            raise ModelError(explain("annotator", got=str(source), expected=expected))
        try:
            with quiet():
                net = load_whole(SegformerForSemanticSegmentation, folder, local_files_only=True)
        except (SafetensorError, OSError, ValueError, RuntimeError) as error:
            reason = " ".join(str(error).split())[:160]
            raise ModelError(f"annotator {str(source)!r}: it cannot be read ({reason}); train it again") from error
        own = config.get(SETTINGS)
        settings = {key: own[key] for key in ("temperature", "void_below") if key in own} if own else {}
        return cls(net.to(resolve_device(device)), name=str(source), fingerprint=found.fingerprint(), **settings)

    @torch.inference_mode()
    def annotate(self, request: AnnotationRequest) -> list[Annotation]:
        """One annotation an image; see `base.Annotator`. ModelError for a class that it was not trained on."""
        return self.annotations_of(self.probabilities_of(request), request.keep_probability)

    def annotations_of(
        self, probabilities: Float[Tensor, "b c H W"], keep_probability: bool = False
    ) -> list[Annotation]:
        """The most probable class of every pixel, 255 below the calibrated threshold."""
        return semantic.annotate(
            probabilities,
            present(probabilities[:, 1:]),
            void_below=self.void_below,
            keep_probability=keep_probability,
        )

    def probabilities_of(self, request: AnnotationRequest) -> Float[Tensor, "b c H W"]:
        """Probabilities of the requested classes; all others are background. ModelError as `annotate`."""
        columns = [position + 1 for position in positions_of(request.classes, self.classes, self.name)]
        own = self.probabilities(request.batch.images, request.size)
        probabilities = own[:, [0, *columns]]
        probabilities[:, 0] += own[:, [i for i in range(1, own.shape[1]) if i not in columns]].sum(1)
        if request.requested is None:
            return probabilities
        return semantic.restrict(probabilities, request.requested, self.unasked)

    @torch.inference_mode()
    def probabilities(
        self, images: UInt8[Tensor, "b _ _ 3"], size: tuple[int, int] | None = None
    ) -> Float[Tensor, "b c H W"]:
        """Probabilities of the network's own classes, at the size of the images or another."""
        inputs = pixels(images.to(next(self.net.parameters()).device))
        # an image and its mirror image show the same objects: the mean of both has less error than either
        logits = (self.net(pixel_values=inputs).logits + self.net(pixel_values=inputs.flip(-1)).logits.flip(-1)) / 2
        return semantic.probabilities(logits, self.temperature, tuple(size or images.shape[1:3]))


def pixels(images: UInt8[Tensor, "b H W 3"]) -> Float[Tensor, "b 3 H W"]:
    """Images as the network takes them, float32 in [-1, 1]."""
    return (rearrange(images, "b h w c -> b c h w").float() / 255 - MEAN) / SPREAD


def present(probabilities: Float[Tensor, "b k H W"]) -> Float[Tensor, "b k"]:
    """Presence of each class in the image: its mean probability over its most probable pixels."""
    flat = rearrange(probabilities, "b k h w -> b k (h w)")
    return flat.topk(max(1, round(LEAST * flat.shape[-1])), dim=-1).values.mean(-1)


def write_segmenter(folder: Path, net: SegformerForSemanticSegmentation, settings: Mapping[str, Any]) -> None:
    """Saves the network with our settings into its config.json, and how transformers prepares images for it.

    Plain `transformers` opens the folder too: `AutoModelForSemanticSegmentation.from_pretrained(folder)`.
    """
    setattr(net.config, SETTINGS, dict(settings))
    net.save_pretrained(folder)
    processor = {
        "image_processor_type": "SegformerImageProcessor",
        "do_resize": False,
        "do_reduce_labels": False,
        "do_rescale": True,
        "rescale_factor": 1 / 255,
        "do_normalize": True,
        "image_mean": [MEAN] * 3,
        "image_std": [SPREAD] * 3,
    }
    text = json.dumps(processor, indent=2) + "\n"
    (folder / "preprocessor_config.json").write_text(text, encoding="utf-8")


def _local(source: Source) -> Path:
    if source.path is not None:
        return source.path
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError

    try:
        return Path(snapshot_download(source.name, revision=source.revision, allow_patterns=[_CONFIG, _WEIGHTS]))
    except (HfHubHTTPError, HFValidationError, OSError) as error:
        reason = " ".join(str(error).split())[:160]
        raise ModelError(f"annotator {source.name!r}: not to be had from the Hub ({reason})") from error
