"""Kinds of labels that a format may not support, and how many of them a row has."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from dataset_dm.exports.polygons import outlines
from dataset_dm.exports.sample import Sample
from dataset_dm.labels import rle
from dataset_dm.labels.file_instance import FileInstance, class_map
from dataset_dm.labels.vocabulary import PERSON, VOID


@dataclass(frozen=True, slots=True)
class Loss:
    """One kind of label that is left out of the files.

    Args:
        name: what is counted, as a plural.
        why: what the format does not support.
        count: (row, class names) → how many of them the row has.
    """

    name: str
    why: str
    count: Callable[[Sample, Sequence[str]], int]


def _count(test: Callable[[FileInstance], bool]) -> Callable[[Sample, Sequence[str]], int]:
    """Counts the instances for which `test` is true."""
    return lambda sample, classes: sum(test(instance) for instance in sample.labels.instances or ())


def _people_only(sample: Sample, classes: Sequence[str]) -> int:
    return sum(classes[instance.category] != PERSON for instance in sample.labels.instances or ())


def _void_pixels(sample: Sample, classes: Sequence[str]) -> int:
    return 0 if sample.labels.label is None else int((sample.labels.label == VOID).sum())


def _class_maps(sample: Sample, classes: Sequence[str]) -> int:
    return int(sample.labels.label is not None)


def _side_maps(sample: Sample, classes: Sequence[str]) -> int:
    label, instances = sample.labels.label, sample.labels.instances
    if label is None or instances is None:
        return 0
    return int((label != np.where(label == VOID, VOID, class_map(instances, sample.size))).any())


def _shared_pixels(sample: Sample, classes: Sequence[str]) -> int:
    masks = [instance.mask for instance in sample.labels.instances or () if instance.mask is not None]
    return int((np.sum(masks, axis=0) > 1).sum()) if masks else 0


def _loose(instance: FileInstance) -> bool:
    """Whether the box is not that of the mask."""
    return instance.mask is not None and instance.box is not None and instance.box != rle.box(instance.mask)


def _points_outside(sample: Sample, classes: Sequence[str]) -> int:
    height, width = sample.size
    count = 0
    for instance in sample.labels.instances or ():
        if instance.keypoints is not None:
            x, y, v = instance.keypoints.T
            count += int(((v > 0) & ((x < 0) | (y < 0) | (x > width) | (y > height))).sum())
    return count


SCORES = Loss("scores", "scores of objects", _count(lambda instance: instance.score is not None))
MASKS = Loss("masks", "masks: an object is its box", _count(lambda instance: instance.mask is not None))
KEYPOINTS = Loss("people's keypoints", "keypoints", _count(lambda instance: instance.posed))
KEYPOINT_SCORES = Loss(
    "people's keypoint scores",
    "scores of keypoints",
    _count(lambda instance: instance.posed and instance.keypoint_scores is not None),
)
CROWDS = Loss("crowd flags", "the flag iscrowd", _count(lambda instance: bool(instance.crowd)))
CLASS_MAPS = Loss("class maps", "the class map of the column label", _class_maps)
SIDE_MAPS = Loss(
    "class maps that differ from their objects", "a class map beside objects, except for its void pixels", _side_maps
)
VOID_PIXELS = Loss("void pixels", "void pixels", _void_pixels)
DEPTH = Loss("depth maps", "depth", lambda sample, classes: int(sample.has_depth))
OTHERS = Loss("objects that are no person", "objects other than people", _people_only)
LOOSE_BOXES = Loss("boxes that differ from their mask's", "a box beside a mask: it becomes the mask's", _count(_loose))
NO_MASK = Loss("objects without a mask", "objects with only a box", _count(lambda instance: instance.mask is None))
SHARED_PIXELS = Loss("pixels of two objects", "pixels of two objects: the smaller object gets them", _shared_pixels)
PARTS = Loss(
    "masks with holes or several parts",
    "holes and several parts as such: they are joined by cuts without width, which this package reads back exactly "
    "and Ultralytics draws one pixel wide",
    _count(lambda instance: instance.mask is not None and len(outlines(instance.mask)) > 1),
)
EMPTY = Loss(
    "objects without extent", "objects whose box is empty", _count(lambda instance: min(instance.bounds[2:]) <= 0)
)
POINTS_OUTSIDE = Loss("keypoints outside of the image", "keypoints outside of the image", _points_outside)
# not supported by formats of plain detection, segmentation and poses
DETAILS = (SCORES, CROWDS, CLASS_MAPS, VOID_PIXELS, DEPTH)
