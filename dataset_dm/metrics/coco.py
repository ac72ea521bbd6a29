"""COCO's average precision by pycocotools, from arrays in memory and without its console output."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

Kind = Literal["segm", "bbox", "keypoints"]
SIZES = ("small", "medium", "large")


@dataclass(frozen=True)
class Precision:
    """Average precision in 0..1; NaN where the truth has nothing of the kind.

    Args:
        ap: mean over thresholds 0.50, 0.55, … 0.95 and classes.
        ap50, ap75: at one threshold.
        sizes: "small", "medium", "large" → ap of the instances of that size; empty for keypoints.
        by_class: category id → ap.
    """

    ap: float
    ap50: float
    ap75: float
    sizes: Mapping[str, float]
    by_class: Mapping[int, float]


def average_precision(
    kind: Kind,
    sizes: Sequence[tuple[int, int]],
    categories: Sequence[int],
    truth: Sequence[Mapping[str, Any]],
    found: Sequence[Mapping[str, Any]],
) -> Precision:
    """AP of annotations in COCO's own form.

    Args:
        kind: what overlaps are of: masks, boxes, or joints (OKS).
        sizes: (H, W) of all images, those with nothing in them too; image_id is the place in this list.
        categories: ids of all classes.
        truth: annotations with image_id, category_id, area, bbox, iscrowd and segmentation or keypoints.
        found: the same with score.
    """
    from pycocotools.cocoeval import COCOeval

    with contextlib.redirect_stdout(io.StringIO()):
        evaluation = COCOeval(_index(sizes, categories, truth), _index(sizes, categories, found), kind)
        evaluation.params.imgIds = list(range(len(sizes)))
        evaluation.params.catIds = sorted(categories)
        evaluation.evaluate()
        evaluation.accumulate()
    precision = evaluation.eval["precision"][..., -1]  # [threshold recall class size] at the most detections an image
    names = evaluation.params.areaRngLbl
    every = precision[..., names.index("all")]
    thresholds = evaluation.params.iouThrs
    return Precision(
        ap=_mean(every),
        ap50=_mean(every[np.isclose(thresholds, 0.50)]),
        ap75=_mean(every[np.isclose(thresholds, 0.75)]),
        sizes={} if kind == "keypoints" else {size: _mean(precision[..., names.index(size)]) for size in SIZES},
        by_class={k: _mean(every[:, :, i]) for i, k in enumerate(evaluation.params.catIds)},
    )


def _mean(precision: np.ndarray) -> float:
    """COCO's mean: -1 stands where the truth has nothing."""
    known = precision[precision > -1]
    return float(known.mean()) if known.size else float("nan")


def _index(
    sizes: Sequence[tuple[int, int]], categories: Sequence[int], annotations: Sequence[Mapping[str, Any]]
) -> Any:
    from pycocotools.coco import COCO

    index = COCO()
    index.dataset = {
        "images": [{"id": i, "height": h, "width": w} for i, (h, w) in enumerate(sizes)],
        "categories": [{"id": k} for k in categories],
        # ids from 1: COCOeval takes a match with id 0 for none; copies: it writes into what it is given
        "annotations": [{**one, "id": i} for i, one in enumerate(annotations, start=1)],
    }
    index.createIndex()
    return index
