"""Palette, overlay and sheet: the colours by hand, the pixels where they belong."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dataset_dm.labels.instances import Instances
from dataset_dm.labels.vocabulary import VOC_CLASSES
from dataset_dm.miniature.world import labelled
from dataset_dm.visualization.depth import colours
from dataset_dm.visualization.overlay import display_colours
from dataset_dm.visualization.panels import View, draw
from dataset_dm.visualization.sheet import Row, class_name, fit, font, sheet, wrap
from dataset_dm.visualization.skeleton import LEFT, RIGHT

NAMES = ["background", *VOC_CLASSES]


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


def found(objects: int = 2, size: tuple[int, int] = (64, 64)) -> Instances:
    masks = np.zeros((objects, *size), dtype=bool)
    for i in range(objects):
        masks[i, 8 + 20 * i : 24 + 20 * i, 8:40] = True
    points = np.zeros((objects, 17, 3), dtype=np.float32)
    points[:1, 5:11] = (30, 12, 2)
    return Instances.from_masks(masks, np.arange(objects) + 14, np.full(objects, 0.87, np.float32), points)


def test_sheet_of_every_kind_has_a_panel_for_each() -> None:
    image, label = np.zeros((64, 64, 3), np.uint8), np.ones((64, 64), np.uint8)
    row = Row(image, label, objects=found(), depth=np.full((64, 64), 2.0, np.float32))
    drawn = sheet([row], NAMES)
    assert drawn.width - 56 == 5 * 320 + 4 * 6
    pixels = np.asarray(drawn)
    assert (pixels == colours()[127]).all(axis=-1).any()  # one depth: the middle of its scale
    assert (pixels == LEFT).all(axis=-1).any() and (pixels == RIGHT).all(axis=-1).any()
    assert (pixels == display_colours()[14]).all(axis=-1).any()  # a tag


@pytest.mark.parametrize(
    "row",
    [
        Row(np.zeros((64, 64, 3), np.uint8), objects=found(1), truth_objects=found(), kinds=("instance",)),
        Row(np.zeros((64, 64, 3), np.uint8), objects=found(1), truth_objects=found(), kinds=("pose",)),
        Row(np.zeros((64, 64, 3), np.uint8), depth=np.ones((64, 64)), truth_depth=np.full((64, 64), 3.0)),
    ],
)
def test_truth_stands_before_the_label_for_every_kind(row: Row) -> None:
    drawn = sheet([row], NAMES)
    assert drawn.width - 56 == 3 * 256 + 2 * 6
    pixels = np.asarray(drawn).astype(int)
    bottom = next(y for y in range(len(pixels)) if not pixels[y, 40].any()) + 256  # the black image
    panels = [pixels[bottom - 256 : bottom, 28 + left : 28 + left + 256] for left in (0, 262, 524)]
    assert not panels[0].any() and panels[1].any() and panels[2].any()
    if row.kinds != ("pose",):
        assert not np.array_equal(panels[1], panels[2])
    if row.kinds is None:
        assert panels[1].mean() < panels[2].mean()  # the truth is farther away: darker


def test_empty_images_and_unknown_depth() -> None:
    image = np.full((48, 64, 3), 90, np.uint8)
    nothing = Row(image, np.zeros((48, 64), np.uint8), objects=found(0, (48, 64)), depth=np.zeros((48, 64), np.float32))
    assert sheet([nothing], NAMES).width > 1000
    boxes = Instances(map=np.zeros((48, 64), int), classes=np.array([7]), boxes=np.array([[10, 10, 20, 20.0]]))
    pixels = np.asarray(sheet([Row(image, objects=boxes)], NAMES))
    assert (pixels == display_colours()[7]).all(axis=-1).sum() > 500  # a frame and a tag


def test_boxes_frame_their_pixels() -> None:
    box = Instances(map=np.zeros((16, 16), int), classes=np.array([7]), boxes=np.array([[4, 2, 8, 6.0]]))
    panel = draw("instance", View.of(np.full((16, 16, 3), 255, np.uint8), 160), box, NAMES, None)
    frame = (np.asarray(panel) == display_colours()[7]).all(axis=-1)
    assert frame[18:20, 90:120].all() and frame[80:82, 40:120].all()  # just above row 2, just below row 7
    assert frame[20:80, 38:40].all() and frame[20:80, 120:122].all()
    assert not frame[21:79, 41:119].any()


def test_large_images_are_thinned_alike() -> None:
    view = View.of(np.zeros((100, 200, 3), np.uint8), 50)
    assert (view.size, view.scale, view.ratio) == ((50, 25), 1, (0.25, 0.25))
    assert view.thin(np.arange(100)[:, None].repeat(200, 1))[:, 0].tolist() == list(range(2, 100, 4))


def test_labels_must_fit_their_image() -> None:
    image = np.zeros((8, 8, 3), np.uint8)
    with pytest.raises(ValueError, match="depth label of size"):
        sheet([Row(image, depth=np.ones((4, 4)))], NAMES)
    with pytest.raises(ValueError, match="instance label of size"):
        sheet([Row(image, objects=found())], NAMES)
