"""CVAT for images 1.1: `annotations.xml`, images in `images/<split>/`, `labels.json` for the task's constructor.

An object is a mask, or a box where it has none; a person's keypoints are a skeleton in the same group. Attributes hold
the score and whether it is a crowd. Void pixels are one mask more; a set without objects has one mask a class.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

import numpy as np

from dataset_dm.errors import DataError, explain
from dataset_dm.exports.base import Format, by_name, category_of, inside, placed, same_size, save_image
from dataset_dm.exports.cvat_labels import CROWD, SCORE, SKELETON, constructor, meta
from dataset_dm.exports.polygons import fill
from dataset_dm.exports.regions import VOID_REGION, check_classes, class_regions, united, void_of
from dataset_dm.exports.sample import Labels, Sample
from dataset_dm.exports.unsupported import DEPTH, KEYPOINT_SCORES, LOOSE_BOXES, SIDE_MAPS
from dataset_dm.exports.xml_files import number, parse, plain, text_of
from dataset_dm.labels import rle
from dataset_dm.labels.coco import KEYPOINTS
from dataset_dm.labels.file_instance import FileInstance, Size
from dataset_dm.labels.vocabulary import PERSON

_FILE = "annotations.xml"
_NO_GROUP = (None, "", "0")


class Cvat(Format):
    """See above."""

    name = "cvat"
    title = "CVAT for images 1.1"
    needs = ("objects", "label")
    cannot = (SIDE_MAPS, LOOSE_BOXES, KEYPOINT_SCORES, DEPTH)
    notes = ("paste labels.json into the raw constructor of a task, add the images, then upload annotations.xml",)

    def check(self, classes: Sequence[str], columns: Collection[str]) -> None:
        check_classes(classes, self.name)

    def write(self, folder: Path, split: str, samples: Iterable[Sample], classes: Sequence[str]) -> None:
        root = Element("part")
        for sample in samples:
            save_image(folder / "images" / split, sample)
            root.append(self._image(sample, classes))
        (folder / f".{split}.part").write_text(ElementTree.tostring(root, encoding="unicode"), encoding="utf-8")

    def finish(self, folder: Path, splits: Sequence[str], classes: Sequence[str]) -> None:
        root = Element("annotations")
        SubElement(root, "version").text = "1.1"
        images: list[Element] = []
        for split in splits:
            part = folder / f".{split}.part"
            images += parse(part, "part")
            part.unlink()
        for place, image in enumerate(images):
            image.set("id", str(place))
        labels = constructor([*classes, VOID_REGION], PERSON in classes)
        root.append(meta(labels, splits))
        root.extend(images)
        (folder / _FILE).write_text('<?xml version="1.0" encoding="utf-8"?>\n' + text_of(root), encoding="utf-8")
        text = json.dumps(labels, indent=1, ensure_ascii=False)
        (folder / "labels.json").write_text(text + "\n", encoding="utf-8")

    def seen(self, sample: Sample, classes: Sequence[str]) -> Labels:
        found = _labels(self._image(sample, classes), sample.size, classes, sample.name)
        if sample.labels.instances is None:
            return found
        return Labels(instances=placed(found.instances or (), self.held(sample, classes)), void=found.void)

    def read(self, path: Path, classes: Sequence[str]) -> CvatReviewed:
        return CvatReviewed(path, classes)

    def _image(self, sample: Sample, classes: Sequence[str]) -> Element:
        height, width = sample.size
        image = Element("image", id="0", name=sample.file, subset=sample.split, width=str(width), height=str(height))
        whole = sample.labels
        held = enumerate(class_regions(whole.label)) if whole.instances is None else self.held(sample, classes)
        for place, instance in held:
            _add(image, instance, classes[instance.category], str(place + 1))
        void = void_of(whole)
        if void is not None:
            _add_mask(image, void, VOID_REGION, "0")
        return image


class CvatReviewed:
    """The images of a file annotations.xml."""

    def __init__(self, path: Path, classes: Sequence[str]) -> None:
        self._classes = classes
        file = path if path.is_file() else path / _FILE
        if not file.is_file():
            remedy = "export the task as CVAT for images 1.1 and unpack it"
            raise DataError(explain(f"{path}: no {_FILE}", remedy=remedy))
        root = parse(file, "annotations")
        if root.find("track") is not None:
            raise DataError(explain(f"{file}: has tracks", expected="an export as CVAT for images"))
        found = [(Path((one.get("name") or "").replace("\\", "/")).stem, one) for one in root.iter("image")]
        by_name(((name, one.get("name") or "") for name, one in found), str(file))
        self._images = dict(found)

    @property
    def names(self) -> Collection[str]:
        return self._images.keys()

    def labels(self, name: str, size: Size) -> Labels:
        image = self._images[name]
        sides = [int(number(image.get(side), f"image {name!r}: {side}")) for side in ("height", "width")]
        same_size((sides[0], sides[1]), size, f"image {name!r} of {_FILE}")
        return _labels(image, size, self._classes, f"image {name!r}")


def _add(image: Element, instance: FileInstance, label: str, group: str) -> None:
    """The shapes of one object."""
    if instance.mask is not None:
        shape = _add_mask(image, instance.mask, label, group)
    else:
        x, y, w, h = instance.bounds
        sides = {"xtl": x, "ytl": y, "xbr": x + w, "ybr": y + h}
        shape = SubElement(image, "box", _common(label, group) | {side: plain(value) for side, value in sides.items()})
    if instance.score is not None:
        SubElement(shape, "attribute", name=SCORE).text = repr(float(instance.score))
    if instance.crowd is not None:
        SubElement(shape, "attribute", name=CROWD).text = "true" if instance.crowd else "false"
    if instance.posed:
        skeleton = SubElement(image, "skeleton", _common(SKELETON, group))
        for joint, (x, y, v) in zip(KEYPOINTS, instance.keypoints.tolist(), strict=True):
            flags = {"outside": str(int(v == 0)), "occluded": str(int(v == 1))}
            points = f"{plain(x)},{plain(y)}"
            SubElement(skeleton, "points", {"label": joint, "source": "auto", **flags, "points": points})


def _common(label: str, group: str) -> dict[str, str]:
    return {"label": label, "source": "auto", "occluded": "0", "z_order": "0", "group_id": group}


def _add_mask(image: Element, mask: np.ndarray, label: str, group: str) -> Element:
    left, top, width, height = (int(value) for value in rle.box(mask))
    flat = mask[top : top + height, left : left + width].ravel()
    ends = np.append(np.flatnonzero(flat[1:] != flat[:-1]) + 1, len(flat))
    runs = np.diff(ends, prepend=0).tolist()
    runs = [0, *runs] if flat[0] else runs  # the first run is empty pixels
    place = {"left": left, "top": top, "width": width, "height": height}
    attributes = {"rle": ", ".join(map(str, runs)), **{name: str(value) for name, value in place.items()}}
    return SubElement(image, "mask", _common(label, group) | attributes)


def _labels(image: Element, size: Size, classes: Sequence[str], place: str) -> Labels:
    instances, groups, voids, poses = [], {}, [], []
    for number_there, shape in enumerate(image, start=1):
        where = f"{place}, {shape.tag} {number_there}"
        group = shape.get("group_id")
        if shape.tag == "skeleton":
            poses.append((group, _keypoints(shape, size, where), where))
        elif shape.get("label") == VOID_REGION:
            voids.append(_mask(shape, size, where))
        else:
            if group not in _NO_GROUP and (group not in groups or shape.get("label") == PERSON):
                groups[group] = len(instances)
            instances.append(_instance(shape, size, classes, where))
    for group, points, where in poses:
        if group not in groups:
            remedy = "put both into one group"
            raise DataError(explain(f"{where}: a skeleton without its person's mask or box", remedy=remedy))
        instances[groups[group]] = replace(instances[groups[group]], keypoints=points)
    return Labels(instances=tuple(instances), void=united(voids, size))


def _instance(shape: Element, size: Size, classes: Sequence[str], place: str) -> FileInstance:
    category = category_of(shape.get("label"), classes, place)
    told = {one.get("name"): (one.text or "").strip() for one in shape.iter("attribute")}
    score = None if not told.get(SCORE) else number(told[SCORE], f"{place}: {SCORE}")
    if score is not None and not 0 <= score <= 1:
        raise DataError(explain(f"{place}: {SCORE}", got=score, expected="a number from 0 to 1"))
    instance = FileInstance(
        category=category,
        score=score,
        crowd=None if CROWD not in told else told[CROWD] == "true",
        keypoints=np.zeros((len(KEYPOINTS), 3)),
    )
    if shape.tag == "box":
        left, top, right, bottom = (
            number(shape.get(side), f"{place}: {side}") for side in ("xtl", "ytl", "xbr", "ybr")
        )
        if number(shape.get("rotation", "0"), f"{place}: rotation"):
            raise DataError(explain(f"{place}: a turned box", expected="rotation 0"))
        return replace(instance, box=inside((left, top, right - left, bottom - top), size, place))
    return replace(instance, mask=_mask(shape, size, place))


def _mask(shape: Element, size: Size, place: str) -> np.ndarray:
    """The pixels of a mask or polygon; DataError for other shapes, for none and for pixels outside of the picture."""
    if shape.tag == "polygon":
        mask = fill(np.array([_point(one, place) for one in (shape.get("points") or "").split(";")]), size)
    elif shape.tag == "mask":
        mask = _from_runs(shape, size, place)
    else:
        expected = "mask, box, polygon or skeleton"
        raise DataError(explain(f"{place}: shape", got=shape.tag, expected=expected))
    if not mask.any():
        raise DataError(explain(f"{place}: covers no pixel", remedy="delete it"))
    return mask


def _from_runs(shape: Element, size: Size, place: str) -> np.ndarray:
    left, top, width, height = (
        int(number(shape.get(name), f"{place}: {name}")) for name in ("left", "top", "width", "height")
    )
    try:
        runs = [int(run) for run in (shape.get("rle") or "").split(",")]
    except ValueError:
        raise DataError(explain(f"{place}: rle", got=shape.get("rle"), expected="whole numbers")) from None
    within = 0 <= left <= left + width <= size[1] and 0 <= top <= top + height <= size[0]
    if not within or min(runs) < 0 or sum(runs) != width * height:
        got = f"{width}×{height} at {left}, {top} with {sum(runs)} pixels"
        raise DataError(explain(f"{place}: mask", got=got, expected=f"runs that fill a part of {size[1]}×{size[0]}"))
    mask = np.zeros(size, bool)
    mask[top : top + height, left : left + width] = np.repeat(np.arange(len(runs)) % 2 == 1, runs).reshape(
        height, width
    )
    return mask


def _keypoints(skeleton: Element, size: Size, place: str) -> np.ndarray:
    joints = np.zeros((len(KEYPOINTS), 3))
    for point in skeleton.iter("points"):
        label = point.get("label")
        if label not in KEYPOINTS:
            raise DataError(explain(f"{place}: keypoint", got=label, expected=f"one of {', '.join(KEYPOINTS)}"))
        if point.get("outside") != "1":
            x, y = _point(point.get("points") or "", place)
            joints[KEYPOINTS.index(label)] = (x, y, 1 if point.get("occluded") == "1" else 2)
    return joints


def _point(text: str, place: str) -> tuple[float, float]:
    parts = text.split(",")
    if len(parts) != 2:
        raise DataError(explain(f"{place}: point", got=text, expected="x,y"))
    return number(parts[0], place), number(parts[1], place)
