"""The labeller that nobody trained: class maps and presence read out of the generator's own attention and denoising."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from dataset_dm.annotators.base import Pictures
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
class Seen:
    """What was read of one picture.

    Args:
        asked: positions in the class list that were looked for.
        maps: class maps on the attention's grid [k' h w], 0..1, spread by self-attention.
        presence: chance that each of them is there [k'].
        image: uint8 [H W 3].
        classes: length of the class list.
    """

    asked: tuple[int, ...]
    maps: Tensor
    presence: Tensor
    image: Tensor
    classes: int


class AttentionAnnotator:
    """Class maps of any classes by any generator with a UNet, without labels and without training.

    It looks for the classes that a prompt names, and for all where it names none; the prompt itself is not told.

    Args:
        settings: see there.
    """

    classes: tuple[str, ...] = ()
    tasks: tuple[str, ...] = (SEMANTIC.name,)
    levels: tuple[str, ...] = ()

    def __init__(self, settings: AttentionSettings | None = None) -> None:
        self.settings = settings or AttentionSettings()
        self.name, self.fingerprint = self.settings.name, self.settings.fingerprint()

    @classmethod
    def load(cls, name: str) -> AttentionAnnotator:
        """From "attention", or "attention:{settings as JSON}"; ConfigError otherwise."""
        return cls(AttentionSettings.from_name(name))

    def check_generator(self, fingerprint: str, name: str) -> None:
        """Every generator will do."""

    def look(self, backbone: Backbone, pictures: Pictures, classes: Sequence[str]) -> list[Seen]:
        """The labelling passes: 1 + (number of classes asked for) a picture and noise level."""
        asked = asked_of(pictures, classes)
        evidence = read_evidence(
            backbone,
            pictures.encoded(backbone).latents,
            words_of(asked, classes),
            pictures.seeds,
            timesteps=self.settings.timesteps,
            together=self.settings.together,
        )
        return self.seen(evidence, pictures, asked, len(classes))

    def seen(self, evidence: Evidence, pictures: Pictures, asked: Sequence[Sequence[int]], classes: int) -> list[Seen]:
        """What `look` makes of the evidence for the positions ``asked`` in a list of so many classes."""
        maps, power = evidence.attention, self.settings.power
        return [
            Seen(
                tuple(positions),
                labels_of.exponentiate(maps.self_map(row), maps.class_maps(row), power),
                labels_of.presence(evidence.explained[row]),
                pictures.images[row],
                classes,
            )
            for row, positions in enumerate(asked)
        ]

    @torch.inference_mode()
    def annotate(
        self,
        seen: Sequence[Seen],
        classes: Sequence[str],
        requested: Sequence[Sequence[int]] | None = None,
        size: tuple[int, int] | None = None,
        *,
        tasks: Sequence[str] | None = None,
        keep_probability: bool = False,
    ) -> list[Annotation]:
        """One annotation an image; see :class:`dataset_dm.annotators.base.Annotator`.

        Classes that were not looked for have no mask and presence 0.

        Raises:
            ValueError: another list of classes than was looked for, or another number of images.
        """
        if any(one.classes != len(classes) for one in seen) or (requested is not None and len(requested) != len(seen)):
            raise ValueError("attention: look and annotate with the same images and the same list of classes")
        wanted = [one.asked for one in seen] if requested is None else requested
        pairs = zip(seen, wanted, strict=True)
        return [self._annotate(one, set(positions), size, keep_probability) for one, positions in pairs]

    def _annotate(
        self, seen: Seen, requested: set[int], size: tuple[int, int] | None, keep_probability: bool
    ) -> Annotation:
        settings = self.settings
        there = np.zeros(seen.classes, np.float32)
        there[list(seen.asked)] = seen.presence.cpu().numpy()
        rows = [
            row
            for row, position in enumerate(seen.asked)
            if position in requested and there[position] >= settings.presence
        ]
        return labels_of.annotate(
            self._enlarge(seen.maps[rows], seen.image, size),
            [seen.asked[row] for row in rows],
            there,
            foreground=settings.foreground,
            background=settings.background,
            keep_probability=keep_probability,
        )

    def _enlarge(self, maps: Tensor, image: Tensor, size: tuple[int, int] | None) -> Tensor:
        """Maps [k h w] → [k H W], each scaled to 0..1."""
        size = (image.shape[0], image.shape[1]) if size is None else size
        if not len(maps):
            return maps.new_zeros(0, *size)
        maps = labels_of.min_max(maps)
        if self.settings.edges:
            maps = labels_of.min_max(follow_edges(maps, image.to(maps.device)))
        if tuple(maps.shape[-2:]) != tuple(size):
            maps = functional.interpolate(maps[None], size=tuple(size), mode="bicubic", align_corners=False)[0]
        return maps


def asked_of(pictures: Pictures, classes: Sequence[str]) -> list[tuple[int, ...]]:
    """The positions that each picture is asked about: those its prompt names, or all.

    Raises:
        ConfigError: no classes, or more than an 8-bit label can hold.
    """
    if isinstance(classes, str) or not 0 < len(classes) < VOID:
        raise ConfigError(explain("classes", got=classes, expected=f"a list of 1..{VOID - 1} names"))
    return [tuple(positions) or tuple(range(len(classes))) for positions in pictures.named]


def words_of(asked: Sequence[Sequence[int]], classes: Sequence[str]) -> list[list[str]]:
    """The class words at these positions."""
    words = class_words(classes)
    return [[words[position] for position in positions] for positions in asked]
