"""PASCAL VOC: `JPEGImages`, `Annotations`, `SegmentationClass`, `SegmentationObject`, `ImageSets`, `class_names.txt`.

Boxes count pixels from 1, the last one included. A crowd is marked difficult: neither is evaluated. The number of an
object in SegmentationObject is its position in the XML, from 1; 255 is void in both maps. Images keep their
file type, usually PNG, not JPEG.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from xml.etree.ElementTree import Element, SubElement

import numpy as np
from jaxtyping import UInt8

from dataset_dm.errors import DataError, explain
from dataset_dm.exports.base import Format, Reviewed, category_of, inside, same_size, save_image, save_maps
from dataset_dm.exports.match import assign
from dataset_dm.exports.sample import Labels, Sample
from dataset_dm.exports.unsupported import DEPTH, KEYPOINTS, SCORES, SHARED_PIXELS
from dataset_dm.exports.xml_files import numbers, parse, plain, text_of
from dataset_dm.labels import rle
from dataset_dm.labels.file_instance import Box, FileInstance, Size, class_map, largest_first
from dataset_dm.labels.vocabulary import BACKGROUND, MOST_IDS, VOID
from dataset_dm.readers.images import read_mask
from dataset_dm.visualization.overlay import colour_label

_LEAST_OVERLAP = 0.5  # of a box with the box of its mask
_XML, _CLASSES, _OBJECTS, _SETS = "Annotations", "SegmentationClass", "SegmentationObject", "ImageSets"


# of the size in the files, which may be wrong
_Map = UInt8[np.ndarray, "_ _"]


@dataclass(frozen=True)
class _Files:
    """The files of one image; None for a file that it does not have."""

    xml: Element | None
    classes: _Map | None
    objects: _Map | None


class Voc(Format):
    """Replaced by the list of what it does not support."""

    name = "voc"
    title = "PASCAL VOC"
    needs = ("objects", "label")
    unsupported = (SHARED_PIXELS, KEYPOINTS, SCORES, DEPTH)

    def write(self, folder: Path, split: str, samples: Iterable[Sample], classes: Sequence[str]) -> None:
        for name in (_XML, f"{_SETS}/Main", f"{_SETS}/Segmentation"):
            (folder / name).mkdir(parents=True, exist_ok=True)
        names, mapped = [], []
        for sample in samples:
            save_image(folder / "JPEGImages", sample)
            files = self._files(sample, classes)
            (folder / _XML / f"{sample.name}.xml").write_text(text_of(files.xml), encoding="utf-8")
            maps = {_CLASSES: files.classes, _OBJECTS: files.objects}
            drawn = {kind: None if pixels is None else colour_label(pixels) for kind, pixels in maps.items()}
            save_maps({folder / kind / f"{sample.name}.png": image for kind, image in drawn.items()})
            names.append(sample.name)
            mapped += [sample.name] if files.classes is not None else []
        for kind, listed in (("Main", names), ("Segmentation", mapped)):
            (folder / _SETS / kind / f"{split}.txt").write_text("".join(f"{name}\n" for name in listed), "utf-8")

    def finish(self, folder: Path, parts: Mapping[str, None], classes: Sequence[str]) -> None:
        (folder / "class_names.txt").write_text("\n".join([BACKGROUND, *classes, ""]), encoding="utf-8")

    def reread(self, sample: Sample, classes: Sequence[str]) -> Labels:
        return _labels(self._files(sample, classes), sample.size, classes, sample.name)

    def read(self, path: Path, classes: Sequence[str]) -> Reviewed:
        """The XML files and maps of a folder; an image may have either."""
        suffixes = {_XML: ".xml", _CLASSES: ".png", _OBJECTS: ".png"}
        files: dict[str, dict[str, Path]] = {}
        for kind, suffix in suffixes.items():
            for file in sorted((path / kind).glob(f"*{suffix}")):
                files.setdefault(file.stem, {})[kind] = file
        if not any(_XML in found or _CLASSES in found for found in files.values()):
            raise DataError(explain(f"{path}: no label file", expected=f"{_XML}/<image>.xml or {_CLASSES}/<image>.png"))
        return Reviewed(files, partial(_read, classes=classes))

    def _files(self, sample: Sample, classes: Sequence[str]) -> _Files:
        instances = [instance for _, instance in self.supported(sample, classes)]
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


def _read(files: Mapping[str, Path], size: Size, place: str, classes: Sequence[str]) -> Labels:
    xml = parse(files[_XML], "annotation") if _XML in files else None
    maps = (read_mask(files[kind], f"{kind}/{files[kind].name}") if kind in files else None
            for kind in (_CLASSES, _OBJECTS))  # fmt: skip
    return _labels(_Files(xml, *maps), size, classes, place)


def _document(sample: Sample, instances: Sequence[FileInstance], classes: Sequence[str], segmented: bool) -> Element:
    height, width = sample.size
    root = Element("annotation")
    _add(root, folder="JPEGImages", filename=sample.file)
    _add(SubElement(root, "source"), database="dataset_dm", annotation="dataset_dm")
    _add(SubElement(root, "size"), width=str(width), height=str(height), depth="3")
    _add(root, segmented=str(int(segmented)))
    for instance in instances:
        entry = SubElement(root, "object")
        difficult = str(int(bool(instance.crowd)))
        _add(entry, name=classes[instance.category], pose="Unspecified", truncated="0", difficult=difficult)
        x, y, w, h = instance.bounds
        box = {"xmin": x + 1, "ymin": y + 1, "xmax": x + w, "ymax": y + h}
        _add(SubElement(entry, "bndbox"), **{side: plain(value) for side, value in box.items()})
    return root


def _add(parent: Element, **texts: str) -> None:
    for tag, text in texts.items():
        SubElement(parent, tag).text = text


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
        height, width = numbers(sides.findtext, ("height", "width"), f"{place}: size")
        same_size((int(height), int(width)), size, f"{place}: size of the XML")
    entries = enumerate(files.xml.iter("object"), 1)
    instances = [_instance(entry, size, classes, f"{place}, object {i}") for i, entry in entries]
    masks = _masks([instance.bounds for instance in instances], files.objects, place)
    return Labels(
        instances=tuple(replace(instance, mask=masks.get(i)) for i, instance in enumerate(instances)), label=label
    )


def _instance(entry: Element, size: Size, classes: Sequence[str], place: str) -> FileInstance:
    category = category_of((entry.findtext("name") or "").strip(), classes, place)
    box = entry.find("bndbox")
    if box is None:
        raise DataError(explain(f"{place}: no bndbox", remedy="add xmin, ymin, xmax, ymax, or remove the object"))
    left, top, right, bottom = numbers(box.findtext, ("xmin", "ymin", "xmax", "ymax"), place)
    bounds = inside((left - 1, top - 1, right - left + 1, bottom - top + 1), size, place)
    return FileInstance(category=category, box=bounds, crowd=(entry.findtext("difficult") or "0").strip() == "1")


def _masks(boxes: Sequence[Box], objects: _Map | None, place: str) -> dict[int, np.ndarray]:
    """Position of a box → its mask: the one with its number, else the one with the largest overlap, so that removing an
    object from the XML does not shift all others."""
    masks = {} if objects is None else {int(i): objects == i for i in np.unique(objects) if i not in (0, VOID)}
    ids = list(masks)
    own = assign(boxes, [rle.box(masks[i]) for i in ids], _LEAST_OVERLAP, lambda box, mask: ids[mask] == box + 1)
    unused = sorted(set(ids) - {ids[mask] for mask in own.values()})
    if unused:
        what = f"{place}: object {unused[0]} of {_OBJECTS} has no box in the XML"
        raise DataError(explain(what, remedy=f"add or erase it, or leave out {_OBJECTS} to import boxes only"))
    return {box: masks[ids[mask]] for box, mask in own.items()}
