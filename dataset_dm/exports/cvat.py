"""CVAT for images 1.1: `annotations.xml`, images in `images/<split>/`, `labels.json` for the task's constructor.

An object is a mask, or a box where it has none; a person's keypoints are a skeleton in the same group. Attributes hold
the score and whether it is a crowd. Void pixels are one more mask; a set without objects has one mask per class.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from xml.etree.ElementTree import Element, SubElement

import numpy as np
from jaxtyping import Bool, Float64

from dataset_dm.errors import DataError, explain
from dataset_dm.exports.base import (
    Reviewed,
    by_name,
    category_of,
    inside,
    joint_of,
    same_size,
    save_image,
    save_json,
    score_of,
    stem,
)
from dataset_dm.exports.cvat_labels import CROWD, SCORE, SKELETON, constructor, meta
from dataset_dm.exports.polygons import fill
from dataset_dm.exports.regions import VOID_REGION, RegionFormat, run_lengths, united, void_of
from dataset_dm.exports.sample import Labels, Sample
from dataset_dm.exports.unsupported import DEPTH, KEYPOINT_SCORES, LOOSE_BOXES, SIDE_MAPS
from dataset_dm.exports.xml_files import number, numbers, parse, plain, text_of
from dataset_dm.labels import rle
from dataset_dm.labels.coco import JOINTS, KEYPOINTS
from dataset_dm.labels.file_instance import FileInstance, Size
from dataset_dm.labels.vocabulary import PERSON

_FILE = "annotations.xml"
_NO_GROUP = (None, "", "0")


class Cvat(RegionFormat):
    """Replaced by the list of what it does not support."""

    name = "cvat"
    title = "CVAT for images 1.1"
    unsupported = (SIDE_MAPS, LOOSE_BOXES, KEYPOINT_SCORES, DEPTH)
    notes = ("paste labels.json into the raw constructor of a task, add the images, then upload annotations.xml",)

    def write(self, folder: Path, split: str, samples: Iterable[Sample], classes: Sequence[str]) -> list[Element]:
        images = []
        for sample in samples:
            save_image(folder / "images" / split, sample)
            images.append(self._image(sample, classes))
        return images

    def finish(self, folder: Path, parts: Mapping[str, list[Element]], classes: Sequence[str]) -> None:
        root = Element("annotations")
        SubElement(root, "version").text = "1.1"
        images = [image for part in parts.values() for image in part]
        for place, image in enumerate(images):
            image.set("id", str(place))
        labels = constructor([*classes, VOID_REGION], PERSON in classes)
        root.append(meta(labels, tuple(parts)))
        root.extend(images)
        (folder / _FILE).write_text('<?xml version="1.0" encoding="utf-8"?>\n' + text_of(root), encoding="utf-8")
        save_json(folder / "labels.json", labels, indent=1)

    def reread(self, sample: Sample, classes: Sequence[str]) -> Labels:
        return _labels(self._image(sample, classes), sample.size, sample.name, classes)

    def read(self, path: Path, classes: Sequence[str]) -> Reviewed:
        file = path if path.is_file() else path / _FILE
        if not file.is_file():
            remedy = "export the task as CVAT for images 1.1 and unpack it"
            raise DataError(explain(f"{path}: no {_FILE}", remedy=remedy))
        root = parse(file, "annotations")
        if root.find("track") is not None:
            raise DataError(explain(f"{file}: has tracks", expected="an export as CVAT for images"))
        found = ((stem(image.get("name"), f"{file}: image"), image.get("name"), image) for image in root.iter("image"))
        return Reviewed(by_name(found, file), partial(_read, classes=classes))

    def _image(self, sample: Sample, classes: Sequence[str]) -> Element:
        height, width = sample.size
        image = Element("image", id="0", name=sample.file, subset=sample.split, width=str(width), height=str(height))
        for place, instance in self.regions(sample, classes):
            _add(image, instance, classes[instance.category], str(place))
        void = void_of(sample.labels)
        if void is not None:
            _add_mask(image, void, VOID_REGION, "0")
        return image


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


def _add_mask(image: Element, mask: Bool[np.ndarray, "H W"], label: str, group: str) -> Element:
    left, top, width, height = (int(value) for value in rle.box(mask))
    runs = run_lengths(mask[top : top + height, left : left + width])
    place = {"left": left, "top": top, "width": width, "height": height}
    attributes = {"rle": ", ".join(map(str, runs)), **{name: str(value) for name, value in place.items()}}
    return SubElement(image, "mask", _common(label, group) | attributes)


def _read(image: Element, size: Size, place: str, classes: Sequence[str]) -> Labels:
    height, width = numbers(image.get, ("height", "width"), place)
    same_size((int(height), int(width)), size, f"{place} of {_FILE}")
    return _labels(image, size, place, classes)


def _labels(image: Element, size: Size, place: str, classes: Sequence[str]) -> Labels:
    instances, groups, voids, poses = [], {}, [], []
    for position, shape in enumerate(image, start=1):
        where = f"{place}, {shape.tag} {position}"
        group = shape.get("group_id")
        if shape.tag == "skeleton":
            poses.append((group, _keypoints(shape, where), where))
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
    attributes = {entry.get("name"): (entry.text or "").strip() for entry in shape.iter("attribute")}
    score = number(attributes[SCORE], f"{place}: {SCORE}") if attributes.get(SCORE) else None
    instance = FileInstance(
        category=category,
        score=score_of(score, place),
        crowd=attributes[CROWD] == "true" if CROWD in attributes else None,
        keypoints=np.zeros((JOINTS, 3)),
    )
    if shape.tag != "box":
        return replace(instance, mask=_mask(shape, size, place))
    left, top, right, bottom = numbers(shape.get, ("xtl", "ytl", "xbr", "ybr"), place)
    if number(shape.get("rotation", "0"), f"{place}: rotation"):
        raise DataError(explain(f"{place}: a turned box", expected="rotation 0"))
    return replace(instance, box=inside((left, top, right - left, bottom - top), size, place))


def _mask(shape: Element, size: Size, place: str) -> Bool[np.ndarray, "H W"]:
    """The pixels of a mask or polygon; DataError for other shapes, empty masks and pixels outside the image."""
    if shape.tag == "polygon":
        mask = fill(np.array([_point(text, place) for text in (shape.get("points") or "").split(";")]), size)
    elif shape.tag == "mask":
        mask = _from_runs(shape, size, place)
    else:
        expected = "mask, box, polygon or skeleton"
        raise DataError(explain(f"{place}: shape", got=shape.tag, expected=expected))
    if not mask.any():
        raise DataError(explain(f"{place}: covers no pixel", remedy="delete it"))
    return mask


def _from_runs(shape: Element, size: Size, place: str) -> Bool[np.ndarray, "H W"]:
    sides = numbers(shape.get, ("left", "top", "width", "height"), place)
    left, top, width, height = (int(value) for value in sides)
    try:
        runs = [int(run) for run in (shape.get("rle") or "").split(",")]
    except ValueError:
        raise DataError(explain(f"{place}: rle", got=shape.get("rle"), expected="whole numbers")) from None
    within = 0 <= left <= left + width <= size[1] and 0 <= top <= top + height <= size[0]
    if not within or min(runs) < 0 or sum(runs) != width * height:
        got = f"{width}×{height} at {left}, {top} with {sum(runs)} pixels"
        raise DataError(explain(f"{place}: mask", got=got, expected=f"runs that fill a part of {size[1]}×{size[0]}"))
    pixels = np.repeat(np.arange(len(runs)) % 2 == 1, runs)
    mask = np.zeros(size, bool)
    mask[top : top + height, left : left + width] = pixels.reshape(height, width)
    return mask


def _keypoints(skeleton: Element, place: str) -> Float64[np.ndarray, "17 3"]:
    joints = np.zeros((JOINTS, 3))
    for point in skeleton.iter("points"):
        joint = joint_of(point.get("label"), place)
        if point.get("outside") != "1":
            joints[joint] = (*_point(point.get("points") or "", place), 1 if point.get("occluded") == "1" else 2)
    return joints


def _point(text: str, place: str) -> tuple[float, float]:
    parts = text.split(",")
    if len(parts) != 2:
        raise DataError(explain(f"{place}: point", got=text, expected="x,y"))
    return number(parts[0], place), number(parts[1], place)
