"""The training-free annotator: class maps and presence from the generator's own attention and denoising."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import Float, UInt8
from torch import Tensor
from torch.nn import functional

from dataset_dm.annotators.base import required
from dataset_dm.annotators.request import AnnotationRequest, ImageBatch, reading_of
from dataset_dm.diffusion import Backbone, Evidence, read_evidence
from dataset_dm.errors import ConfigError, explain
from dataset_dm.labels.classes import class_words
from dataset_dm.labels.records import Annotation
from dataset_dm.labels.tasks import SEMANTIC
from dataset_dm.labels.vocabulary import VOID
from dataset_dm.models.attention_settings import AttentionSettings
from dataset_dm.postprocess import attention as labels_of
from dataset_dm.postprocess.edges import follow_edges


@dataclass(frozen=True)
class ImageReading:
    """What was read of one image.

    Args:
        asked: positions in the class list that were looked for.
        maps: class maps on the attention's grid, 0..1, spread by self-attention.
        presence: probability that each of these classes is in the image.
        image: RGB.
    """

    asked: tuple[int, ...]
    maps: Float[Tensor, "k h w"]
    presence: Float[Tensor, " k"]
    image: UInt8[Tensor, "H W 3"]


@dataclass(frozen=True)
class AttentionReading:
    """What was read of a batch, for a class list of so many entries."""

    images: tuple[ImageReading, ...]
    classes: int

    @property
    def levels(self) -> dict[str, Float[Tensor, "b c h w"]]:
        """No map of the VAE decoder is read."""
        return {}


class AttentionAnnotator:
    """Class maps of any classes by any generator with a UNet, without labels and without training.

    It looks for the classes that a prompt names, and for all where it names none; the prompt itself is not used.

    Args:
        settings: None for the defaults.
    """

    classes: tuple[str, ...] = ()
    tasks: tuple[str, ...] = (SEMANTIC.name,)
    needs_generator = True
    levels: tuple[str, ...] = ()

    def __init__(self, settings: AttentionSettings | None = None) -> None:
        self.settings = settings or AttentionSettings()
        self.name, self.fingerprint = self.settings.name, self.settings.fingerprint()

    @classmethod
    def load(cls, name: str) -> AttentionAnnotator:
        """From "attention", or "attention:{settings as JSON}"; ConfigError otherwise."""
        return cls(AttentionSettings.from_name(name))

    def check_generator(self, fingerprint: str, name: str) -> None:
        """No-op: every generator will do."""

    def read(self, request: AnnotationRequest, backbone: Backbone | None) -> AnnotationRequest:
        """The labelling passes: 1 + (number of classes looked for) an image and noise level."""
        backbone = required(backbone, self.name)
        batch, asked = request.batch.encoded(backbone), asked_of(request.batch, request.classes)
        evidence = read_evidence(
            backbone,
            batch.latents,
            words_of(asked, request.classes),
            batch.seeds,
            timesteps=self.settings.timesteps,
            together=self.settings.together,
        )
        return replace(request, batch=batch, reading=self.reading(evidence, batch, asked, len(request.classes)))

    def reading(
        self, evidence: Evidence, batch: ImageBatch, asked: Sequence[Sequence[int]], classes: int
    ) -> AttentionReading:
        """Class maps and presence from the evidence for the positions ``asked`` in a list of so many classes."""
        maps, power = evidence.attention, self.settings.power
        images = [
            ImageReading(
                tuple(positions),
                labels_of.exponentiate(maps.self_map(row), maps.class_maps(row), power),
                labels_of.presence(evidence.explained[row]),
                batch.images[row],
            )
            for row, positions in enumerate(asked)
        ]
        return AttentionReading(tuple(images), classes)

    @torch.inference_mode()
    def annotate(self, request: AnnotationRequest) -> list[Annotation]:
        """One annotation an image; see `base.Annotator`. Classes not looked for have no mask and presence 0.

        Raises:
            ValueError: another list of classes than was read with, or another number of images.
        """
        reading = reading_of(request, AttentionReading, self.name)
        if reading.classes != len(request.classes) or len(reading.images) != len(request.batch):
            raise ValueError("attention: read and annotate with the same images and the same list of classes")
        requested = [one.asked for one in reading.images] if request.requested is None else request.requested
        return [
            self._annotate(one, reading.classes, set(positions), request)
            for one, positions in zip(reading.images, requested, strict=True)
        ]

    def _annotate(self, one: ImageReading, classes: int, requested: set[int], request: AnnotationRequest) -> Annotation:
        settings = self.settings
        presence = np.zeros(classes, np.float32)
        presence[list(one.asked)] = one.presence.cpu().numpy()
        rows = [
            row
            for row, position in enumerate(one.asked)
            if position in requested and presence[position] >= settings.presence
        ]
        return labels_of.annotate(
            self._enlarge(one.maps[rows], one.image, request.size),
            [one.asked[row] for row in rows],
            presence,
            foreground=settings.foreground,
            background=settings.background,
            keep_probability=request.keep_probability,
        )

    def _enlarge(
        self, maps: Float[Tensor, "k h w"], image: UInt8[Tensor, "_ _ 3"], size: tuple[int, int] | None
    ) -> Float[Tensor, "k H W"]:
        """Maps at the size of the image or another (H, W), each scaled to 0..1."""
        size = (image.shape[0], image.shape[1]) if size is None else size
        if not len(maps):
            return maps.new_zeros(0, *size)
        maps = labels_of.min_max(maps)
        if self.settings.edges:
            maps = labels_of.min_max(follow_edges(maps, image.to(maps.device)))
        if tuple(maps.shape[-2:]) != tuple(size):
            maps = functional.interpolate(maps[None], size=tuple(size), mode="bicubic", align_corners=False)[0]
        return maps


def asked_of(batch: ImageBatch, classes: Sequence[str]) -> list[tuple[int, ...]]:
    """The positions looked for in each image: those its prompt names, or all.

    Raises:
        ConfigError: no classes, or more than an 8-bit label can hold.
    """
    if isinstance(classes, str) or not 0 < len(classes) < VOID:
        raise ConfigError(explain("classes", got=classes, expected=f"a list of 1..{VOID - 1} names"))
    return [tuple(positions) or tuple(range(len(classes))) for positions in batch.named]


def words_of(asked: Sequence[Sequence[int]], classes: Sequence[str]) -> list[list[str]]:
    """The class words at these positions."""
    words = class_words(classes)
    return [[words[position] for position in positions] for positions in asked]
