"""The little sets as fixtures."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from tests.readers.little_sets import millimetres, sample_image, write_coco


@pytest.fixture
def coco(tmp_path: Path) -> Path:
    return write_coco(tmp_path / "coco")


@pytest.fixture
def nyu(tmp_path: Path) -> Path:
    root = tmp_path / "nyu"
    for folder in ("color", "depth"):
        (root / folder).mkdir(parents=True)
    for i in range(3):
        sample_image(50 + i).save(root / "color" / f"{i:05d}.jpg")
        Image.fromarray(millimetres()).save(root / "depth" / f"{i:05d}.png")
    return root
