"""Label maps as colours: the palette, outlines, an image under its label."""

from pathlib import Path

import numpy as np
from PIL import Image

from dataset_dm.visualization.overlay import colour_label, display_colours, outline, overlay, palette


def test_palette_is_vocs() -> None:
    colours = palette()
    assert colours.shape == (256, 3) and len({tuple(c) for c in colours.tolist()}) == 256
    assert colours[[0, 1, 2, 3, 7, 8, 15, 20]].tolist() == [
        [0, 0, 0],
        [128, 0, 0],
        [0, 128, 0],
        [128, 128, 0],
        [128, 128, 128],
        [64, 0, 0],
        [192, 128, 128],
        [0, 64, 128],
    ]
    assert colours[255].tolist() == [224, 224, 192]


def test_colour_label_keeps_the_ids(tmp_path: Path) -> None:
    label = np.array([[0, 1], [20, 255]], dtype=np.uint8)
    colour_label(label).save(tmp_path / "label.png")
    read = Image.open(tmp_path / "label.png")
    assert read.mode == "P" and np.array_equal(np.asarray(read), label)
    assert read.convert("RGB").getpixel((1, 0)) == (128, 0, 0)


def test_outline_by_hand() -> None:
    label = np.zeros((5, 5), dtype=np.uint8)
    label[1:4, 1:4] = 2
    expected = label > 0
    expected[2, 2] = False
    assert np.array_equal(outline(label), expected)
    assert not outline(np.full((3, 3), 4, dtype=np.uint8)).any()  # the frame is no outline


def test_overlay_wears_the_class_colour_whatever_the_image() -> None:
    label = np.zeros((12, 12), dtype=np.uint8)
    label[2:10, 2:10] = 7
    label[11] = 255
    laid = [np.asarray(overlay(Image.new("RGB", (24, 24), c), label, 2)).astype(int) for c in ("red", "blue")]
    inside, wanted = laid[0][12, 12], display_colours()[7].astype(int)
    assert np.ptp(inside) <= 1 and abs(int(inside[0]) - int(wanted[0])) < 40  # grey class: no hue of the red image
    assert np.ptp(laid[1][12, 12]) <= 1
    assert laid[0][0, 0].min() > 180  # background is pale
    void = laid[0][22:, :, 0]
    assert void.min() < 130 < 170 < void.max()  # hatched: dark lines on light ground
