"""What every labeller can do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol, runtime_checkable

from torch import Tensor

from dataset_dm.diffusion import Backbone, encode_images
from dataset_dm.labels.records import Annotation


@dataclass(frozen=True, kw_only=True)
class Pictures:
    """A batch of drawn images and all that is known of them.

    Args:
        images: uint8 [b H W 3], RGB.
        prompts: the b texts they were drawn by, or captions; "" says nothing.
        seeds: their b seeds; the noise of labelling passes hangs on them.
        named: for each the positions in the class list that its prompt names; empty where it names none.
        latents: final latents [b c h w]; None for images that were not drawn, they are encoded then.
        levels: the maps in `Annotator.levels` as recorded while drawing; None when they are to be made again.
    """

    images: Tensor
    prompts: Sequence[str]
    seeds: Sequence[int]
    named: Sequence[Sequence[int]]
    latents: Tensor | None = None
    levels: Mapping[str, Tensor] | None = None

    def __len__(self) -> int:
        return len(self.images)

    def encoded(self, backbone: Backbone) -> Pictures:
        """These with their latents."""
        return self if self.latents is not None else replace(self, latents=encode_images(backbone, self.images))

    @property
    def size(self) -> tuple[int, int]:
        """(H, W) in pixels."""
        return self.images.shape[1], self.images.shape[2]


@runtime_checkable
class Annotator(Protocol):
    """Reads labels of images out of the model that drew them; what it says of an image depends on that image alone.

    It looks (the generator's passes) and then annotates (everything after), so that the two can be timed apart.

    Attributes:
        name: what opens it again.
        fingerprint: 16 hex digits over its weights and settings; part of the label fingerprint.
        classes: the class words it was trained on, the default list; empty for a labeller that knows any.
        tasks: names of the kinds of label it reads, as in `dataset_dm.labels.tasks.TASKS`.
        levels: names of the VAE-decoder maps that it wants kept while images are drawn; they are made again otherwise.
    """

    name: str
    fingerprint: str
    classes: tuple[str, ...]
    tasks: tuple[str, ...]
    levels: tuple[str, ...]

    def check_generator(self, fingerprint: str, name: str) -> None:
        """AnnotatorMismatch, naming both sides, when it cannot read this generator; before anything is computed."""

    def look(self, backbone: Backbone, pictures: Pictures, classes: Sequence[str]) -> Any:
        """What `annotate` needs of a batch, read with ``classes`` (words without background)."""

    def annotate(
        self,
        seen: Any,
        classes: Sequence[str],
        requested: Sequence[Sequence[int]] | None = None,
        size: tuple[int, int] | None = None,
        *,
        tasks: Sequence[str] | None = None,
        keep_probability: bool = False,
    ) -> list[Annotation]:
        """One annotation an image.

        Args:
            seen: from :meth:`look`, with the same classes.
            classes: label i + 1 is ``classes[i]``.
            requested: for each image the positions in ``classes`` that its prompt names, or None if unknown.
            size: (H, W) of the labels; default the image's own.
            tasks: what to read; default all it can. One pass gives them all.
            keep_probability: also keep the probability of every pixel's class.
        """
        ...
