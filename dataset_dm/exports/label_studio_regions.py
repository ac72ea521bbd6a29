"""The regions of a Label Studio task, read back: brushes, rectangles, keypoints and the choices made for them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np

from dataset_dm.errors import DataError, explain
from dataset_dm.exports import label_studio_rle
from dataset_dm.exports.base import category_of, inside, same_size
from dataset_dm.exports.regions import VOID_REGION, united
from dataset_dm.exports.sample import Labels
from dataset_dm.labels.coco import KEYPOINTS
from dataset_dm.labels.file_instance import FileInstance, Size

Region = dict[str, Any]
HIDDEN, CROWD = "hidden", "crowd"
# type of a region → its control in config.xml
CONTROLS = {"brushlabels": "mask", "rectanglelabels": "box", "keypointlabels": "point", "choices": "state"}


def labels_of(result: Sequence[Region], size: Size, classes: Sequence[str], place: str) -> Labels:
    """The labels of a task's regions; DataError where they do not fit the picture or the classes."""
    instances: dict[str, FileInstance] = {}
    points: dict[str, list[Region]] = {}
    states = {(one["id"], state) for one in result if one.get("type") == "choices" for state in _named(one, place)}
    voids = []
    for one in result:
        kind = one.get("type")
        where = f"{place}, region {one.get('id')}"
        if kind not in CONTROLS:
            raise DataError(explain(f"{where}: type", got=kind, expected=f"one of {', '.join(CONTROLS)}"))
        same_size((one.get("original_height", size[0]), one.get("original_width", size[1])), size, where)
        if kind == "keypointlabels":
            points.setdefault(str(one.get("parentID")), []).append(one)
        elif kind == "brushlabels" and _named(one, where) == [VOID_REGION]:
            voids.append(_mask(one, size, where))
        elif kind != "choices":
            instances[str(one["id"])] = _instance(one, (one["id"], CROWD) in states, size, classes, where)
    for parent in points:
        if parent not in instances:
            what = f"{place}, region {points[parent][0].get('id')}: a keypoint without its person"
            raise DataError(explain(what, remedy="make the person's region its parent"))
    posed = tuple(_posed(instance, points.get(name, ()), states, size, place) for name, instance in instances.items())
    return Labels(instances=posed, void=united(voids, size))


def _instance(one: Region, crowd: bool, size: Size, classes: Sequence[str], place: str) -> FileInstance:
    names = _named(one, place)
    category = category_of(names[0] if len(names) == 1 else names, classes, place)
    if one["type"] == "brushlabels":
        mask = _mask(one, size, place)
        if not mask.any():
            raise DataError(explain(f"{place}: an empty mask", remedy="delete the region"))
        return FileInstance(category=category, mask=mask, crowd=crowd, score=one.get("score"))
    value = one["value"]
    if value.get("rotation"):
        raise DataError(explain(f"{place}: a turned rectangle", got=value["rotation"], expected="rotation 0"))
    box = _shares(value, ("x", "y", "width", "height"), place) * np.array([size[1], size[0]] * 2)
    return FileInstance(category=category, box=inside(box.tolist(), size, place), crowd=crowd, score=one.get("score"))


def _posed(
    instance: FileInstance, points: Sequence[Region], states: Collection[tuple[str, str]], size: Size, place: str
) -> FileInstance:
    """The instance with its keypoints; all 0 where it has none."""
    joints = np.zeros((len(KEYPOINTS), 3))
    scores = np.zeros(len(KEYPOINTS))
    for one in points:
        where = f"{place}, region {one.get('id')}"
        names = _named(one, where)
        if len(names) != 1 or names[0] not in KEYPOINTS:
            raise DataError(explain(f"{where}: keypoint", got=names, expected=f"one of {', '.join(KEYPOINTS)}"))
        x, y = _shares(one["value"], ("x", "y"), where) * (size[1], size[0])
        joint = KEYPOINTS.index(names[0])
        joints[joint] = (x, y, 1 if (one["id"], HIDDEN) in states else 2)
        scores[joint] = one.get("score", 0.0)
    sure = scores if points and all("score" in one for one in points) else None
    return FileInstance(
        category=instance.category,
        box=instance.box,
        mask=instance.mask,
        score=instance.score,
        crowd=instance.crowd,
        keypoints=joints,
        keypoint_scores=sure,
    )


def _shares(value: Mapping[str, Any], names: Sequence[str], place: str) -> np.ndarray:
    """Percentages as shares; DataError when one is missing."""
    found = [value.get(name) for name in names]
    if not all(isinstance(one, (int, float)) for one in found):
        raise DataError(explain(f"{place}: {', '.join(names)}", got=found, expected="percentages"))
    return np.array(found, np.float64) / 100


def _mask(one: Region, size: Size, place: str) -> np.ndarray:
    try:
        return label_studio_rle.decode(one["value"]["rle"], size)
    except (ValueError, KeyError, TypeError, IndexError) as error:
        raise DataError(explain(f"{place}: mask cannot be read ({error})")) from error


def _named(one: Region, place: str) -> list[str]:
    """The labels of a region."""
    names = (one.get("value") or {}).get(one.get("type"))
    if "id" not in one or not isinstance(names, list) or not names:
        raise DataError(explain(f"{place}: a region without id or label", got=one.get("type")))
    return [str(name) for name in names]
