"""The labels in the regions of a Label Studio task: brushes, rectangles, keypoints and choices per region."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from jaxtyping import Bool, Float64

from dataset_dm.errors import DataError, explain
from dataset_dm.exports import label_studio_rle
from dataset_dm.exports.base import category_of, inside, joint_of, same_size
from dataset_dm.exports.regions import VOID_REGION, united
from dataset_dm.exports.sample import Labels
from dataset_dm.labels.coco import JOINTS
from dataset_dm.labels.file_instance import FileInstance, Size

Region = dict[str, Any]
HIDDEN, CROWD = "hidden", "crowd"
# type of a region → its control in config.xml
CONTROLS = {"brushlabels": "mask", "rectanglelabels": "box", "keypointlabels": "point", "choices": "state"}


def labels_of(result: Sequence[Region], size: Size, place: str, classes: Sequence[str]) -> Labels:
    """The labels of a task's regions; DataError where they do not fit the image or the classes."""
    instances: dict[str, FileInstance] = {}
    points: dict[str, list[Region]] = {}
    states = {
        (region["id"], state) for region in result if region.get("type") == "choices" for state in _named(region, place)
    }
    voids = []
    for region in result:
        kind = region.get("type")
        where = _where(region, place)
        if kind not in CONTROLS:
            raise DataError(explain(f"{where}: type", got=kind, expected=f"one of {', '.join(CONTROLS)}"))
        same_size((region.get("original_height", size[0]), region.get("original_width", size[1])), size, where)
        if kind == "keypointlabels":
            points.setdefault(str(region.get("parentID")), []).append(region)
        elif kind == "brushlabels" and _named(region, where) == [VOID_REGION]:
            voids.append(_mask(region, size, where))
        elif kind != "choices":
            crowd = (region["id"], CROWD) in states
            instances[str(region["id"])] = replace(_instance(region, size, classes, where), crowd=crowd)
    for parent in points:
        if parent not in instances:
            what = f"{_where(points[parent][0], place)}: a keypoint without its person"
            raise DataError(explain(what, remedy="make the person's region its parent"))
    posed = tuple(_posed(instance, points.get(name, ()), states, size, place) for name, instance in instances.items())
    return Labels(instances=posed, void=united(voids, size))


def _where(region: Region, place: str) -> str:
    return f"{place}, region {region.get('id')}"


def _instance(region: Region, size: Size, classes: Sequence[str], place: str) -> FileInstance:
    names = _named(region, place)
    category = category_of(names[0] if len(names) == 1 else names, classes, place)
    instance = FileInstance(category=category, score=region.get("score"))
    if region["type"] == "brushlabels":
        mask = _mask(region, size, place)
        if not mask.any():
            raise DataError(explain(f"{place}: an empty mask", remedy="delete the region"))
        return replace(instance, mask=mask)
    value = region["value"]
    if value.get("rotation"):
        raise DataError(explain(f"{place}: a turned rectangle", got=value["rotation"], expected="rotation 0"))
    box = _shares(value, ("x", "y", "width", "height"), place) * np.array([size[1], size[0]] * 2)
    return replace(instance, box=inside(box.tolist(), size, place))


def _posed(
    instance: FileInstance, points: Sequence[Region], states: Collection[tuple[str, str]], size: Size, place: str
) -> FileInstance:
    """The instance with its keypoints; all 0 where it has none."""
    joints, scores = np.zeros((JOINTS, 3)), np.zeros(JOINTS)
    for region in points:
        where = _where(region, place)
        names = _named(region, where)
        joint = joint_of(names[0] if len(names) == 1 else names, where)
        x, y = _shares(region["value"], ("x", "y"), where) * (size[1], size[0])
        joints[joint] = (x, y, 1 if (region["id"], HIDDEN) in states else 2)
        scores[joint] = region.get("score", 0.0)
    scored = bool(points) and all("score" in region for region in points)
    return replace(instance, keypoints=joints, keypoint_scores=scores if scored else None)


def _shares(value: Mapping[str, Any], names: Sequence[str], place: str) -> Float64[np.ndarray, " n"]:
    """Percentages as shares; DataError when one is missing."""
    found = [value.get(name) for name in names]
    if not all(isinstance(share, (int, float)) for share in found):
        raise DataError(explain(f"{place}: {', '.join(names)}", got=found, expected="percentages"))
    return np.array(found, np.float64) / 100


def _mask(region: Region, size: Size, place: str) -> Bool[np.ndarray, "H W"]:
    try:
        return label_studio_rle.decode(region["value"]["rle"], size)
    except (ValueError, KeyError, TypeError, IndexError) as error:
        raise DataError(explain(f"{place}: mask cannot be read ({error})")) from error


def _named(region: Region, place: str) -> list[str]:
    """The labels of a region."""
    names = (region.get("value") or {}).get(region.get("type"))
    if "id" not in region or not isinstance(names, list) or not names:
        raise DataError(explain(f"{place}: a region without id or label", got=region.get("type")))
    return [str(name) for name in names]
