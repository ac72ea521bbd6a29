"""Recorded label quality: the held-out figures of the decoder that annotated a set."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from dataset_dm.cards.measured import figures
from dataset_dm.hub.statistics import Annotator
from dataset_dm.models.embedded import locate

# column → the tasks of a decoder that it shows
_TASKS = {"label": ("semantic",), "annotation": ("instance",), "objects": ("pose",), "depth_map": ("depth",)}


def quality_of(annotator: Annotator | None, columns: Collection[str]) -> dict[str, Any] | None:
    """See :func:`dataset_dm.cards.measured.figures`; None if the annotator has none or cannot be found.

    Args:
        annotator: of the set: "miniature", a folder or a Hub id, with its hash.
        columns: the set's columns.
    """
    from dataset_dm.models.reference import find

    if annotator is None:
        return None
    try:
        source = find(locate(annotator.reference, "decoder"), what="annotator")
        if source.fingerprint() != annotator.hash:  # replaced by another one
            return None
        config = source.read_json("config.json") or {}
    except (ValueError, OSError):  # not a decoder, not found, or offline: the card shows no figures
        return None
    return figures(config, {task for name in columns for task in _TASKS.get(name, ())})
