"""Training a decoder on about a hundred labelled images. Light: torch is loaded by calling :func:`train_decoder`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dataset_dm.training.train import TrainResult

__all__ = ["train_decoder"]


def train_decoder(**arguments: Any) -> TrainResult:
    """See :func:`dataset_dm.training.train.train_decoder`, whose keyword arguments these are."""
    from dataset_dm.training.train import train_decoder as run

    return run(**arguments)
