"""Figures recorded in a decoder's checkpoint, as cards show them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

# key in the record → name on cards, and its task
FIGURES = {
    "miou": ("mIoU of class masks", "semantic"),
    "accuracy": ("pixel accuracy", "semantic"),
    "ece": ("calibration error of its confidence (ECE)", "semantic"),
    "mask_ap": ("mask AP", "instance"),
    "mask_ap50": ("mask AP at IoU 0.5", "instance"),
    "keypoint_ap": ("keypoint AP", "pose"),
    "rel": ("relative depth error", "depth"),
    "delta1": ("depth within 25 % (δ1)", "depth"),
}


# the record's keys of the unprompted and the prompted reading: now, and in checkpoints of earlier versions
_READINGS = (("unprompted", "blind"), ("prompted", "informed"))


def figures(config: Mapping[str, Any], tasks: Collection[str]) -> dict[str, Any] | None:
    """The held-out figures recorded when a decoder was trained.

    Args:
        config: its config.json.
        tasks: names of the tasks to show.

    Returns:
        `figures`: (name, unprompted, prompted) as text, `images`: how many they were measured on, `data`: which; None
        if nothing was measured.
    """
    record = config.get("record") or {}
    measured = record.get("validation_figures") or {}
    rows = [
        (name, *(_formatted(_of(measured, keys).get(key)) for keys in _READINGS))
        for key, (name, task) in FIGURES.items()
        if task in tasks
    ]
    rows = [row for row in rows if row[1:] != ("–", "–")]
    if not rows:
        return None
    return {"figures": rows, "images": record.get("validation_images"), "data": record.get("validation")}


def _of(measured: Mapping[str, Any], keys: Sequence[str]) -> Mapping[str, Any]:
    return next((measured[key] for key in keys if measured.get(key)), {})


def _formatted(value: Any) -> str:
    return f"{value:.3f}" if isinstance(value, (int, float)) else "–"
