"""Label quality where it was measured: the figures of the decoder that labelled a set."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from dataset_dm.cards.measured import figures
from dataset_dm.hub.statistics import Annotator
from dataset_dm.models.embedded import locate

# what a config's columns show of a decoder's tasks
_TASKS = {"label": ("semantic",), "annotation": ("instance",), "objects": ("pose",), "depth_map": ("depth",)}


def quality_of(annotator: Annotator | None, columns: Collection[str]) -> dict[str, Any] | None:
    """See :func:`dataset_dm.cards.measured.figures`; None when the labeller carries none or is not at hand any more.

    Args:
        annotator: who labelled the set; "miniature", a folder or a Hub id.
        columns: the set's columns.
    """
    from dataset_dm.models.reference import find

    if annotator is None:
        return None
    try:
        source = find(locate(annotator.reference, "decoder"), what="annotator")
        if source.fingerprint() != annotator.hash:  # another one has come to its place
            return None
        config = source.read_json("config.json") or {}
    except (ValueError, OSError):  # no decoder, gone, or offline: the card says less
        return None
    return figures(config, {task for name in columns for task in _TASKS.get(name, ())})
