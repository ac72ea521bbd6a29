"""Little sets of every layout, written by hand: an 8 × 6 image with instances at known places."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from dataset_dm.readers import open_labelled

HEIGHT, WIDTH = 6, 8
STANDING = [value for joint in range(17) for value in (joint % 4, joint % 3, 2)]


def sample_image(grey: int = 100) -> Image.Image:
    return Image.fromarray(np.full((HEIGHT, WIDTH, 3), grey, np.uint8))


def rectangle(x: int, y: int, w: int, h: int) -> list[float]:
    """The polygon of a box in pixels."""
    return [x, y, x + w, y, x + w, y + h, x, y + h]


def instance(number: int, image: int, category: int, box: list[int], **more: Any) -> dict[str, Any]:
    """One annotation, its mask filling its box."""
    form = {"id": number, "image_id": image, "category_id": category, "bbox": box, "iscrowd": 0}
    return {**form, "area": box[2] * box[3], "segmentation": [rectangle(*box)], **more}


def coco_content() -> dict[str, Any]:
    """Three images: a person before a dog and a crowd of people; a dog; nothing."""
    images = [{"id": 10 + i, "file_name": f"{i}.jpg", "width": WIDTH, "height": HEIGHT} for i in range(3)]
    # the crowd: the last two columns, column by column, first the empty run
    crowd = {"size": [HEIGHT, WIDTH], "counts": [6 * HEIGHT, 2 * HEIGHT]}
    annotations = [
        instance(1, 10, 18, [0, 0, 5, 6]),
        instance(2, 10, 1, [2, 1, 2, 4]),
        instance(3, 10, 1, [6, 0, 2, 6], iscrowd=1, segmentation=crowd),
        instance(4, 11, 18, [1, 1, 3, 2]),
    ]
    # ids with a gap, out of order
    return {
        "images": images,
        "annotations": annotations,
        "categories": [{"id": 18, "name": "dog"}, {"id": 1, "name": "person"}],
    }


def write_coco(root: Path, content: dict[str, Any] | None = None, split: str = "train2017") -> Path:
    """The layout of COCO: annotations/instances_<split>.json and a folder of images."""
    content = coco_content() if content is None else content
    (root / "annotations").mkdir(parents=True, exist_ok=True)
    (root / split).mkdir(exist_ok=True)
    for row in content["images"]:
        sample_image(row["id"]).save(root / split / Path(row["file_name"]).name, quality=95)
    (root / "annotations" / f"instances_{split}.json").write_text(json.dumps(content))
    return root


def write_keypoints(root: Path, points: list[float] = STANDING, split: str = "train2017") -> None:
    """person_keypoints_<split>.json: only the person of the first image has them."""
    rows = [instance(2, 10, 1, [2, 1, 2, 4], keypoints=points, num_keypoints=17)]
    file = root / "annotations" / f"person_keypoints_{split}.json"
    file.write_text(json.dumps({"images": [], "annotations": rows, "categories": [{"id": 1, "name": "person"}]}))


def write_pfm(file: Path, metres: np.ndarray, little: bool = True) -> None:
    """Rows bottom up."""
    header = f"Pf\n{metres.shape[1]} {metres.shape[0]}\n{-1.0 if little else 1.0}\n".encode()
    file.write_bytes(header + metres[::-1].astype("<f4" if little else ">f4").tobytes())


def millimetres() -> np.ndarray:
    """uint16: 1 m on the left, 2.5 m on the right, one unknown pixel."""
    values = np.full((HEIGHT, WIDTH), 1000, np.uint16)
    values[:, 4:], values[0, 0] = 2500, 0
    return values


VOC_NAMES = ("background", "forklift", "pallet")


def write_voc(root: Path, count: int = 4, size: tuple[int, int] = (40, 60)) -> Path:
    """``count`` images of ``size`` (H, W): a forklift on the left, a pallet on the right, a void line between."""
    height, width = size
    for folder in ("JPEGImages", "SegmentationClass"):
        (root / folder).mkdir(parents=True)
    (root / "class_names.txt").write_text("\n".join(VOC_NAMES))
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


def changed(root, **fields):
    """The set with fields of its person changed; a field of None is removed."""
    content = coco_content()
    person = content["annotations"][1]
    person.update(fields)
    for name in [name for name, value in fields.items() if value is None]:
        del person[name]
    return open_labelled(write_coco(root, content))


def metres() -> np.ndarray:
    values = np.full((HEIGHT, WIDTH), 1.0, np.float32)
    values[:, 4:], values[0, 0] = 2.5, 0
    return values
