"""Palette, overlay and sheet: the colours by hand, the pixels where they belong."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dataset_dm.miniature.world import VOC_CLASSES, labelled
from dataset_dm.overlay import colour_label, display_colours, outline, overlay, palette
from dataset_dm.preview import Row, class_name, fit, font, sheet, wrap

NAMES = ["background", *VOC_CLASSES]


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


def test_overlay_wears_the_class_colour_whatever_the_picture() -> None:
    label = np.zeros((12, 12), dtype=np.uint8)
    label[2:10, 2:10] = 7
    label[11] = 255
    laid = [np.asarray(overlay(Image.new("RGB", (24, 24), c), label, 2)).astype(int) for c in ("red", "blue")]
    inside, wanted = laid[0][12, 12], display_colours()[7].astype(int)
    assert np.ptp(inside) <= 1 and abs(int(inside[0]) - int(wanted[0])) < 40  # grey class: no hue of the red picture
    assert np.ptp(laid[1][12, 12]) <= 1
    assert laid[0][0, 0].min() > 180  # background is pale
    void = laid[0][22:, :, 0]
    assert void.min() < 130 < 170 < void.max()  # hatched: dark lines on light ground


def test_sheet_of_renders(tmp_path: Path) -> None:
    rows = []
    for i in range(3):
        scene, rendering = labelled("test", i)
        rows.append(Row(rendering.image, rendering.class_map, scene.captions[0], 0.5, i))
    sheet(rows, NAMES, "three").save(tmp_path / "sheet.png")
    drawn = Image.open(tmp_path / "sheet.png").convert("RGB")
    assert drawn.width > 4 * 384 and drawn.height > 2 * 384  # two tiles beside each other, two lines of them
    pixels = np.asarray(drawn)
    first = np.asarray(Image.fromarray(rows[0].image).resize((384, 384), Image.Resampling.BICUBIC))
    column = pixels[:, 28:412].astype(int)
    top = next(y for y in range(len(column) - 384) if np.array_equal(column[y], first[0]))
    assert np.array_equal(column[top : top + 384], first)


def test_sheet_with_truth_has_three_panels() -> None:
    image, label = np.zeros((64, 64, 3), dtype=np.uint8), np.ones((64, 64), dtype=np.uint8)
    two, three = sheet([Row(image, label)], NAMES), sheet([Row(image, label, truth=label)], NAMES)
    assert three.width - 56 == 3 * 256 + 2 * 6 and two.width - 56 == 2 * 384 + 6


@pytest.mark.parametrize("size", [(512, 512), (96, 160), (16, 16), (1024, 640)])
def test_sheet_takes_any_size(size: tuple[int, int]) -> None:
    drawn = sheet([Row(np.full((*size, 3), 90, np.uint8), np.full(size, 255, np.uint8))], NAMES)
    assert 300 < drawn.width < 1700 and drawn.height < 1200


def test_long_and_strange_texts_fit() -> None:
    face = font(17)
    text = "猫 ünïcode\n" + "verylongword" * 40 + " and more words" * 60
    lines = wrap(text, face, 300, 3)
    assert len(lines) == 3 and all(face.getlength(line) <= 300 for line in lines)
    assert lines[-1].endswith("…") and fit("short", face, 300) == "short"
    sheet([Row(np.zeros((32, 32, 3), np.uint8), np.zeros((32, 32), np.uint8), text)], NAMES)


def test_names_and_mistakes() -> None:
    assert [class_name(i, NAMES) for i in (0, 7, 255, 40)] == ["background", "car", "void", "class 40"]
    with pytest.raises(ValueError, match="no sample"):
        sheet([], NAMES)
    with pytest.raises(ValueError, match="label of size"):
        sheet([Row(np.zeros((8, 8, 3), np.uint8), np.zeros((4, 4), np.uint8))], NAMES)
