"""Labellers behind one Protocol. Light: importing this loads no torch; :func:`load` does."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dataset_dm.annotators.base import Annotator

__all__ = ["load"]


def load(source: str, *, device: str = "auto") -> Annotator:
    """The annotator called ``source``: "miniature", a decoder folder or a Hub id (``id@revision``).

    Raises:
        ModelError: it is not to be found or is no decoder.
    """
    from dataset_dm.annotators.p_decoder import PDecoderAnnotator

    return PDecoderAnnotator.load(source, device=device)
