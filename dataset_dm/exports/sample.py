"""The data that formats write and read: instances and class map of an image, and the row of both."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, UInt8

from dataset_dm.labels.file_instance import FileInstance


@dataclass(frozen=True, slots=True, kw_only=True)
class Labels:
    """The labels of one image; None for a kind that it does not have, or that a format does not support.

    Args:
        instances: in the order of the row, or of the file.
        label: class map; 0 background, i + 1 the i-th class, 255 void.
        void: the void pixels alone, from formats that support these but no class map.
    """

    instances: tuple[FileInstance, ...] | None = None
    label: UInt8[np.ndarray, "H W"] | None = None
    void: Bool[np.ndarray, "H W"] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One row of a set.

    Args:
        name: its file's name without suffix, unique in the whole set, see `file_name`.
        index: its number within the split, from its columns.
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
    """The name of a row's files, such as `train_000000_000012`: in Cityscapes' terms city, sequence and frame."""
    return f"{split}_{index // 10**6:06d}_{index % 10**6:06d}"
