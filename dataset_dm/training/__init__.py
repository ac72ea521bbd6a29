"""Training a decoder on about a hundred labelled images. Light: torch is loaded by calling :func:`train_decoder`."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dataset_dm.training.train import TrainResult

__all__ = ["train_decoder"]


def train_decoder(*arguments: Any, **options: Any) -> TrainResult:
    """See :func:`dataset_dm.training.train.train_decoder`.

    Deprecated: settings as keywords of their own (`steps=400`) instead of `config=TrainConfig(steps=400)`.
    """
    from dataset_dm.training.config import is_setting, with_settings
    from dataset_dm.training.train import train_decoder as run

    settings = {name: options.pop(name) for name in list(options) if is_setting(name)}
    if settings:
        message = f"train_decoder: pass {', '.join(settings)} in config=TrainConfig(…)"
        warnings.warn(message, DeprecationWarning, stacklevel=2)
        options["config"] = with_settings(options.get("config"), settings)
    if len(arguments) < 2:
        options.setdefault("generator", "miniature")
    return run(*arguments, **options)
