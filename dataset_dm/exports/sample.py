"""What formats write and read: the instances of an image, its class map, and the row that they belong to."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dataset_dm.labels.file_instance import FileInstance


@dataclass(frozen=True, slots=True, kw_only=True)
class Labels:
    """The labels of one image; None for a kind that is not there, or that a format does not support.

    Args:
        instances: in the order of the row, or of the file.
        label: class map uint8 [H W]; 0 background, i + 1 the i-th class, 255 void.
        void: bool [H W], the void pixels alone; from formats that support them, but no whole class map.
    """

    instances: tuple[FileInstance, ...] | None = None
    label: np.ndarray | None = None
    void: np.ndarray | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One row of a set.

    Args:
        name: its file's name without ending, unique in the whole set, see `file_name`.
        index: its number within the split, as the row says it.
        image: the bytes of the image file, as stored.
        suffix: ".png", ".jpg" …
        size: (H, W).
        has_depth: whether the row has a depth map.
    """

    name: str
    split: str
    index: int
    image: bytes
    suffix: str
    size: tuple[int, int]
    labels: Labels
    has_depth: bool = False

    @property
    def file(self) -> str:
        """Name of the image's file."""
        return self.name + self.suffix


def file_name(split: str, index: int) -> str:
    """The name of a row's files: `train_000000_000012`, which Cityscapes reads as city, sequence and frame."""
    return f"{split}_{index // 10**6:06d}_{index % 10**6:06d}"
