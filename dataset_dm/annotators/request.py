"""What an annotator is asked: a batch of images, the classes and tasks to label, and what was read of the generator."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol, TypeVar

from jaxtyping import Float, UInt8
from torch import Tensor

from dataset_dm.diffusion import Backbone, encode_images


@dataclass(frozen=True, kw_only=True)
class ImageBatch:
    """A batch of images and what is known about each.

    Args:
        images: RGB.
        prompts: the b prompts or captions; "" where there is none.
        seeds: b seeds, which decide the noise of labelling passes.
        named: per image the positions in the class list that its prompt names; empty where it names none.
        latents: final latents; None for images that were not generated (they are encoded when needed).
        levels: the maps in `Annotator.levels` as recorded while sampling; None to compute them again.
    """

    images: UInt8[Tensor, "b H W 3"]
    prompts: Sequence[str]
    seeds: Sequence[int]
    named: Sequence[Sequence[int]]
    latents: Float[Tensor, "b c h w"] | None = None
    levels: Mapping[str, Float[Tensor, "b _ _ _"]] | None = None

    def __len__(self) -> int:
        return len(self.images)

    def encoded(self, backbone: Backbone) -> ImageBatch:
        """The batch with its latents."""
        return self if self.latents is not None else replace(self, latents=encode_images(backbone, self.images))

    @property
    def size(self) -> tuple[int, int]:
        """(H, W) in pixels."""
        return self.images.shape[1], self.images.shape[2]


class Reading(Protocol):
    """What an annotator read of a batch from the generator's maps."""

    @property
    def levels(self) -> Mapping[str, Float[Tensor, "b _ _ _"]]:
        """The maps of `Annotator.levels` among those read: another reading of the same images can reuse them."""


@dataclass(frozen=True, kw_only=True)
class AnnotationRequest:
    """What an annotator is asked about a batch.

    Args:
        batch: the images.
        classes: label i + 1 is ``classes[i]``; words without background.
        requested: per image the positions in ``classes`` that may be in it; None if unknown.
        tasks: the kinds of label to return; None for all that the annotator has.
        size: (H, W) of the labels; None for that of the images.
        keep_probability: also return the probability of the class of every pixel.
        reading: filled in by :meth:`Annotator.read`; None before, and for annotators that need the images alone.

    Raises:
        ValueError: `requested` has another length than the batch.
    """

    batch: ImageBatch
    classes: Sequence[str]
    requested: Sequence[Sequence[int]] | None = None
    tasks: Sequence[str] | None = None
    size: tuple[int, int] | None = None
    keep_probability: bool = False
    reading: Reading | None = None

    def __post_init__(self) -> None:
        if self.requested is not None and len(self.requested) != len(self.batch):
            raise ValueError(f"requested: got {len(self.requested)} lists for {len(self.batch)} images")


R = TypeVar("R", bound=Reading)


def reading_of(request: AnnotationRequest, kind: type[R], annotator: str) -> R:
    """The request's reading; ValueError if it is not one of this annotator's."""
    if not isinstance(request.reading, kind):
        got = type(request.reading).__name__
        raise ValueError(f"annotator {annotator!r}: got reading {got}, expected {kind.__name__}; call `read` first")
    return request.reading
