"""Annotations made by hand, for the tests of what becomes of them."""

import numpy as np

from dataset_dm.labels.instances import Instances
from dataset_dm.labels.records import Annotation

HEIGHT, WIDTH = 6, 8
CLASSES = ("cat", "dog", "person")


def objects(*, keypoints: bool = True) -> Instances:
    """A dog in two parts with a hole, a person of one pixel with keypoints, a cat below them in score."""
    masks = np.zeros((3, HEIGHT, WIDTH), bool)
    masks[0, 0:3, 0:3] = True
    masks[0, 1, 1] = False  # the hole
    masks[0, 5, 7] = True  # the other part
    masks[1, 4, 2] = True
    masks[2, 3, 4:8] = True
    joints = np.zeros((3, 17, 3), np.float32)
    joints[1, 0] = (2.5, 4.5, 2)
    joints[1, 1] = (2.25, 4.75, 1)
    joints[1, 2] = (-3.5, 9.0, 0)  # cut off: not in the image
    confidence = np.zeros((3, 17), np.float32)
    confidence[1, :2] = (0.75, 0.25)
    return Instances.from_masks(
        masks=masks,
        classes=np.array([2, 3, 1]),
        scores=np.array([0.875, 0.5, 0.25], np.float32),
        keypoints=joints if keypoints else None,
        keypoint_scores=confidence if keypoints else None,
    )


def nothing(*, keypoints: bool = True) -> Instances:
    """An image without any instance."""
    return Instances.from_masks(
        masks=np.zeros((0, HEIGHT, WIDTH), bool),
        classes=np.zeros(0, np.int64),
        scores=np.zeros(0, np.float32),
        keypoints=np.zeros((0, 17, 3), np.float32) if keypoints else None,
        keypoint_scores=np.zeros((0, 17), np.float32) if keypoints else None,
    )


def annotation(found: Instances | None = None, *, depth: np.ndarray | None = None) -> Annotation:
    """All labels of one image; depth has every power of two that float32 keeps, an unknown pixel, odd fractions."""
    found = objects() if found is None else found
    label = np.zeros((HEIGHT, WIDTH), np.uint8)
    for mask, class_id in zip(found.masks, found.classes, strict=True):
        label[mask] = class_id
    full = label.copy()
    label[0, 7] = 255
    if depth is None:
        depth = np.linspace(0.1, 80, HEIGHT * WIDTH, dtype=np.float32).reshape(HEIGHT, WIDTH) ** 1.01
        depth[0, 0], depth[0, 1], depth[0, 2] = 0, np.float32(1e-30), np.float32(3.0000002)
    return Annotation(
        confidence=0.5,
        presence=np.array([0.25, 1, 0.75], np.float32),
        label=label,
        full=full,
        uncertain=1 / 48,
        objects=found,
        depth=depth,
        depth_confidence=np.where(depth > 0, np.float32(0.5), np.float32(0)),
    )
