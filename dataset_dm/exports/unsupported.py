"""What a format may be unable to hold, and how much of it a row has."""

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
    """One kind of instance that is left out of the files.

    Args:
        name: what is counted, as a plural.
        why: a sentence for the format's list; None for none beyond the name.
        count: how many of them a row has; takes the row and the class names.
    """

    name: str
    why: str
    count: Callable[[Sample, Sequence[str]], int]


def _each(test: Callable[[FileInstance], bool]) -> Callable[[Sample, Sequence[str]], int]:
    """Counts the instances that a test is true of."""
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
    """A box that says more than the mask."""
    return instance.mask is not None and instance.box is not None and instance.box != rle.box(instance.mask)


def _points_outside(sample: Sample, classes: Sequence[str]) -> int:
    height, width = sample.size
    count = 0
    for instance in sample.labels.instances or ():
        if instance.keypoints is not None:
            x, y, v = instance.keypoints.T
            count += int(((v > 0) & ((x < 0) | (y < 0) | (x > width) | (y > height))).sum())
    return count


SCORES = Loss("scores", "scores of objects", _each(lambda instance: instance.score is not None))
MASKS = Loss("masks", "masks: an object is its box", _each(lambda instance: instance.mask is not None))
KEYPOINTS = Loss("people's keypoints", "keypoints", _each(lambda instance: instance.posed))
KEYPOINT_SCORES = Loss(
    "people's keypoint scores",
    "scores of keypoints",
    _each(lambda instance: instance.posed and instance.keypoint_scores is not None),
)
CROWDS = Loss("crowd flags", "the flag iscrowd", _each(lambda instance: bool(instance.crowd)))
CLASS_MAPS = Loss("class maps", "the class map of the column label", _class_maps)
SIDE_MAPS = Loss(
    "class maps that differ from their objects", "a class map beside objects, but for its void pixels", _side_maps
)
VOID_PIXELS = Loss("void pixels", "void pixels", _void_pixels)
DEPTH = Loss("depth maps", "depth", lambda sample, classes: int(sample.has_depth))
OTHERS = Loss("objects that are no person", "objects other than people", _people_only)
LOOSE_BOXES = Loss(
    "boxes that differ from their mask's", "a box of its own beside a mask: it is the mask's", _each(_loose)
)
NO_MASK = Loss("objects without a mask", "objects that have a box alone", _each(lambda instance: instance.mask is None))
SHARED_PIXELS = Loss("pixels of two objects", "pixels that two objects share: the smaller one has them", _shared_pixels)
PARTS = Loss(
    "masks with holes or several parts",
    "holes and several parts as such: they are joined by cuts without width, which this package reads back exactly "
    "and Ultralytics draws one pixel wide",
    _each(lambda instance: instance.mask is not None and len(outlines(instance.mask)) > 1),
)
EMPTY = Loss(
    "objects without extent", "objects whose box is empty", _each(lambda instance: min(instance.bounds[2:]) <= 0)
)
POINTS_OUTSIDE = Loss("keypoints outside of the picture", "keypoints outside of the picture", _points_outside)
