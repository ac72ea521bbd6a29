"""Annotators behind one Protocol. Importing this is light: torch is loaded by :func:`load`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dataset_dm.annotators.base import Annotator

__all__ = ["load"]


def load(source: str, *, device: str = "auto") -> Annotator:
    """Load an annotator by name, folder or Hub id.

    Args:
        source: "p_decoder" or "miniature" (the shipped decoder), "attention" or `attention:{"power":2}` (settings),
            the folder or Hub id (`id@revision`) of a decoder or a segmenter; several joined by " + ".
        device: "auto" takes a GPU where there is one.

    Raises:
        ModelError: there is no such annotator.
        ConfigError: unknown settings.

    Examples:
        >>> annotator = load_annotator("p_decoder", device="cpu")
        >>> annotator.tasks, len(annotator.classes)
        (('semantic', 'instance', 'depth', 'pose'), 20)
    """
    from dataset_dm.models.annotators import names_of

    names = names_of(str(source))
    if len(names) > 1:
        from dataset_dm.annotators.combined import CombinedAnnotator

        return CombinedAnnotator([load(name, device=device) for name in names])
    return _load(names[0], device)


def _load(name: str, device: str) -> Annotator:
    from dataset_dm.models.annotators import attention_settings, find_trained, is_segmenter

    settings = attention_settings(name)
    if settings is not None:
        from dataset_dm.annotators.attention import AttentionAnnotator

        return AttentionAnnotator(settings)
    source = find_trained(name)
    config = source.read_json("config.json")
    if is_segmenter(config):
        return _load_segmenter(source.reference, config, device)
    from dataset_dm.annotators.p_decoder import PDecoderAnnotator

    return PDecoderAnnotator.load(source.reference, device=device)


def _load_segmenter(reference: str, config: Mapping[str, Any], device: str) -> Annotator:
    """With its teacher, if its config names one; earlier versions wrote the weight as "nats"."""
    from dataset_dm.annotators.segmenter import SETTINGS, SegmenterAnnotator

    segmenter = SegmenterAnnotator.load(reference, device=device)
    taught = (config.get(SETTINGS) or {}).get("teacher")
    if not taught:
        return segmenter
    from dataset_dm.annotators.segmenter_with_teacher import StudentAnnotator

    weight = taught["nats"] if "nats" in taught else taught["teacher_weight"]
    return StudentAnnotator(segmenter, load(taught["annotator"], device=device), weight, taught["hash"])
