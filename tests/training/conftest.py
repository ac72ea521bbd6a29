"""A little VOC folder, written by hand."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

NAMES = ("background", "forklift", "pallet")


def write_voc(root: Path, count: int = 4, size: tuple[int, int] = (40, 60)) -> Path:
    """``count`` pictures of ``size`` (H, W): a forklift on the left, a pallet on the right, a void line between."""
    height, width = size
    for folder in ("JPEGImages", "SegmentationClass"):
        (root / folder).mkdir(parents=True)
    (root / "class_names.txt").write_text("\n".join(NAMES))
    for index in range(count):
        image = np.full((height, width, 3), 120, np.uint8)
        label = np.zeros((height, width), np.uint8)
        label[8:30, 5 : 20 + index], label[20:30, 35:55], label[:, 30] = 1, 2, 255
        image[label == 1], image[label == 2] = (200, 60, 20), (30, 90, 160 + index)
        Image.fromarray(image).save(root / "JPEGImages" / f"{index:03d}.png")
        mask = Image.fromarray(label)
        mask.putpalette([value for i in range(256) for value in (i, 255 - i, (7 * i) % 256)])
        mask.save(root / "SegmentationClass" / f"{index:03d}.png")
    return root


@pytest.fixture
def voc(tmp_path: Path) -> Path:
    return write_voc(tmp_path / "voc")
