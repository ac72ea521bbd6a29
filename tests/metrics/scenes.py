"""Hand-made truth and finds for the tests beside it."""

import numpy as np

from dataset_dm.labels.instances import IGNORED, Instances

SIDE = 64


def square(y: int, x: int, side: int, size: int = SIDE) -> np.ndarray:
    """Mask of a square, bool [size size]."""
    mask = np.zeros((size, size), dtype=bool)
    mask[y : y + side, x : x + side] = True
    return mask


def true(*instances: tuple[np.ndarray, int], ignore: np.ndarray | None = None, points: np.ndarray | None = None):
    """Instances of (mask, class id) pairs."""
    numbers = np.zeros((SIDE, SIDE), dtype=np.int32)
    for i, (mask, _) in enumerate(instances, start=1):
        numbers[mask] = i
    if ignore is not None:
        numbers[ignore] = IGNORED
    return Instances(map=numbers, classes=np.array([k for _, k in instances], dtype=np.int64), keypoints=points)


def found(
    *instances: tuple[np.ndarray, int, float], points: np.ndarray | None = None, confidence: np.ndarray | None = None
):
    """Instances of (mask, class id, score) triples."""
    masks = np.stack([mask for mask, _, _ in instances]) if instances else np.zeros((0, SIDE, SIDE), dtype=bool)
    classes = np.array([k for _, k, _ in instances], dtype=np.int64)
    return Instances.from_masks(
        masks, classes, np.array([score for _, _, score in instances], dtype=np.float32), points, confidence
    )
