"""PASCAL VOC: `JPEGImages`, `Annotations`, `SegmentationClass`, `SegmentationObject`, `ImageSets`, `class_names.txt`.

Boxes count pixels from 1, the last one included. A crowd is marked difficult: neither is evaluated. The number of an
object in SegmentationObject is its place in the XML, from 1; 255 is void in both maps. The images are what they are in
the set, PNG as a rule, not JPEG.
"""

from __future__ import annotations

import io
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

import numpy as np

from dataset_dm.errors import DataError, explain
from dataset_dm.exports.base import Format, Size, category_of, inside, placed, same_size, save_image
from dataset_dm.exports.match import overlap
from dataset_dm.exports.sample import Labels, Sample
from dataset_dm.exports.unsupported import DEPTH, KEYPOINTS, SCORES, SHARED_PIXELS
from dataset_dm.exports.xml_files import number, parse, plain, text_of
from dataset_dm.labels import rle
from dataset_dm.labels.file_instance import Box, FileInstance, class_map, largest_first
from dataset_dm.labels.vocabulary import BACKGROUND, MOST_IDS, VOID
from dataset_dm.readers.images import read_mask
from dataset_dm.visualization.overlay import colour_label

_SURE = 0.5  # the least overlap of a box with the mask that it belongs to
_XML, _CLASSES, _OBJECTS, _SETS = "Annotations", "SegmentationClass", "SegmentationObject", "ImageSets"


@dataclass(frozen=True)
class _Files:
    """The files of one image: the XML, and the maps uint8 [H W] where there are any."""

    xml: Element | None
    classes: np.ndarray | None
    objects: np.ndarray | None


class Voc(Format):
    """See above."""

    name = "voc"
    title = "PASCAL VOC"
    needs = ("objects", "label")
    cannot = (SHARED_PIXELS, KEYPOINTS, SCORES, DEPTH)

    def write(self, folder: Path, split: str, samples: Iterable[Sample], classes: Sequence[str]) -> None:
        for each in (_XML, f"{_SETS}/Main", f"{_SETS}/Segmentation"):
            (folder / each).mkdir(parents=True, exist_ok=True)
        names, mapped = [], []
        for sample in samples:
            save_image(folder / "JPEGImages", sample)
            files = self._files(sample, classes)
            (folder / _XML / f"{sample.name}.xml").write_text(text_of(files.xml), encoding="utf-8")
            for kind, pixels in ((_CLASSES, files.classes), (_OBJECTS, files.objects)):
                if pixels is not None:
                    _save(folder / kind / f"{sample.name}.png", pixels)
            names.append(sample.name)
            mapped += [sample.name] if files.classes is not None else []
        for kind, listed in (("Main", names), ("Segmentation", mapped)):
            (folder / _SETS / kind / f"{split}.txt").write_text("".join(f"{name}\n" for name in listed), "utf-8")

    def finish(self, folder: Path, splits: Sequence[str], classes: Sequence[str]) -> None:
        (folder / "class_names.txt").write_text("\n".join([BACKGROUND, *classes, ""]), encoding="utf-8")

    def seen(self, sample: Sample, classes: Sequence[str]) -> Labels:
        found = _labels(self._files(sample, classes), sample.size, classes, sample.name)
        return Labels(instances=placed(found.instances or (), self.held(sample, classes)), label=found.label)

    def read(self, path: Path, classes: Sequence[str]) -> VocReviewed:
        return VocReviewed(path, classes)

    def _files(self, sample: Sample, classes: Sequence[str]) -> _Files:
        instances = [instance for _, instance in self.held(sample, classes)]
        if len(instances) > MOST_IDS:
            raise DataError(
                explain(f"{sample.name}: objects", got=len(instances), expected=f"at most {MOST_IDS} for VOC")
            )
        masked = [instance for instance in instances if instance.mask is not None]
        label = sample.labels.label
        if label is None and masked:
            label = class_map(instances, sample.size)
        objects = None
        if masked or (label is not None and sample.labels.instances is not None):
            objects = np.where(label == VOID, VOID, 0).astype(np.uint8)
            numbers = {id(instance): place for place, instance in enumerate(instances, start=1)}
            for instance in largest_first(instances):
                objects[instance.mask] = numbers[id(instance)]
        return _Files(_document(sample, instances, classes, objects is not None), label, objects)


class VocReviewed:
    """The XML files and maps of a folder; an image may have either."""

    def __init__(self, path: Path, classes: Sequence[str]) -> None:
        self._path, self._classes = path, classes
        self._xml = {file.stem: file for file in sorted((path / _XML).glob("*.xml"))}
        self._maps = {
            kind: {file.stem: file for file in sorted((path / kind).glob("*.png"))} for kind in (_CLASSES, _OBJECTS)
        }
        if not self._xml and not self._maps[_CLASSES]:
            raise DataError(explain(f"{path}: no label file", expected=f"{_XML}/<image>.xml or {_CLASSES}/<image>.png"))

    @property
    def names(self) -> Collection[str]:
        return list(dict.fromkeys([*self._xml, *self._maps[_CLASSES], *self._maps[_OBJECTS]]))

    def labels(self, name: str, size: Size) -> Labels:
        xml = parse(self._xml[name], "annotation") if name in self._xml else None
        maps = (read_mask(self._maps[kind][name], f"{kind}/{name}.png") if name in self._maps[kind] else None
                for kind in (_CLASSES, _OBJECTS))  # fmt: skip
        return _labels(_Files(xml, *maps), size, self._classes, f"image {name!r}")


def _document(sample: Sample, instances: Sequence[FileInstance], classes: Sequence[str], segmented: bool) -> Element:
    height, width = sample.size
    root = Element("annotation")
    _add(root, folder="JPEGImages", filename=sample.file)
    _add(ElementTree.SubElement(root, "source"), database="dataset_dm", annotation="dataset_dm")
    _add(ElementTree.SubElement(root, "size"), width=str(width), height=str(height), depth="3")
    _add(root, segmented=str(int(segmented)))
    for instance in instances:
        one = ElementTree.SubElement(root, "object")
        _add(
            one,
            name=classes[instance.category],
            pose="Unspecified",
            truncated="0",
            difficult=str(int(bool(instance.crowd))),
        )
        x, y, w, h = instance.bounds
        box = {"xmin": x + 1, "ymin": y + 1, "xmax": x + w, "ymax": y + h}
        _add(ElementTree.SubElement(one, "bndbox"), **{side: plain(value) for side, value in box.items()})
    return root


def _add(parent: Element, **texts: str) -> None:
    for tag, text in texts.items():
        ElementTree.SubElement(parent, tag).text = text


def _save(file: Path, pixels: np.ndarray) -> None:
    file.parent.mkdir(exist_ok=True)
    buffer = io.BytesIO()
    colour_label(pixels).save(buffer, "PNG")
    file.write_bytes(buffer.getvalue())


def _labels(files: _Files, size: Size, classes: Sequence[str], place: str) -> Labels:
    for kind, pixels in ((_CLASSES, files.classes), (_OBJECTS, files.objects)):
        if pixels is not None:
            same_size(pixels.shape, size, f"{place}: {kind}")
    label = files.classes
    if label is not None and ((label > len(classes)) & (label != VOID)).any():
        got = int(label[(label > len(classes)) & (label != VOID)][0])
        raise DataError(explain(f"{place}: class of {_CLASSES}", got=got, expected=f"0..{len(classes)} or {VOID}"))
    if files.xml is None:
        return Labels(label=label)
    sides = files.xml.find("size")
    if sides is not None:
        height, width = (number(sides.findtext(side), f"{place}: size") for side in ("height", "width"))
        same_size((int(height), int(width)), size, f"{place}: size of the XML")
    instances = [
        _instance(one, size, classes, f"{place}, object {i}") for i, one in enumerate(files.xml.iter("object"), 1)
    ]
    masks = _masks([instance.bounds for instance in instances], files.objects, place)
    return Labels(
        instances=tuple(
            FileInstance(category=instance.category, box=instance.box, crowd=instance.crowd, mask=mask)
            for instance, mask in zip(instances, masks, strict=True)
        ),
        label=label,
    )


def _instance(one: Element, size: Size, classes: Sequence[str], place: str) -> FileInstance:
    category = category_of((one.findtext("name") or "").strip(), classes, place)
    box = one.find("bndbox")
    if box is None:
        raise DataError(explain(f"{place}: no bndbox", remedy="add xmin, ymin, xmax, ymax, or remove the object"))
    left, top, right, bottom = (
        number(box.findtext(side), f"{place}: {side}") for side in ("xmin", "ymin", "xmax", "ymax")
    )
    bounds = inside((left - 1, top - 1, right - left + 1, bottom - top + 1), size, place)
    return FileInstance(category=category, box=bounds, crowd=(one.findtext("difficult") or "0").strip() == "1")


def _masks(boxes: Sequence[Box], objects: np.ndarray | None, place: str) -> list[np.ndarray | None]:
    """The mask of every box: of its own number, else of the one that it overlaps most, so that an object which was
    removed from the XML does not shift all others."""
    if objects is None:
        return [None] * len(boxes)
    waiting = {int(one): objects == one for one in np.unique(objects) if one not in (0, VOID)}
    found: list[np.ndarray | None] = [None] * len(boxes)
    pairs = [
        (mask_number != i + 1, -overlap(box, rle.box(mask)), i, mask_number)
        for i, box in enumerate(boxes)
        for mask_number, mask in waiting.items()
    ]
    for _, close, i, mask_number in sorted(pairs):
        if -close >= _SURE and found[i] is None and mask_number in waiting:
            found[i] = waiting.pop(mask_number)
    if waiting:
        what = f"{place}: object {min(waiting)} of {_OBJECTS} has no box in the XML"
        raise DataError(explain(what, remedy=f"add or erase it, or leave out {_OBJECTS} to bring back boxes alone"))
    return found
