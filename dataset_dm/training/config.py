"""How a decoder is trained. Light: neither torch nor the generator is loaded for a mistake in the settings."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from dataset_dm.arguments.table import DTYPES
from dataset_dm.checks import check_choice, check_number, check_source
from dataset_dm.errors import ConfigError, explain
from dataset_dm.optimization.config import (
    LoopConfig,
    natural_int,
    positive_int,
    positive_number,
    setting,
    share_below_one,
)
from dataset_dm.optimization.config import share as check_share
from dataset_dm.training.augment import AugmentConfig

if TYPE_CHECKING:
    from dataset_dm.decoder import LossConfig

# names of earlier versions → names
RENAMED = {"patience": "early_stop_evals", "average": "ema_decay", "clip": "max_grad_norm"}


def names(text: str) -> list[str]:
    """The names in "dog, cat"."""
    return [name.strip() for name in text.split(",") if name.strip()]


def check_text(name: str, value: object) -> str:
    """`value` if it is a text that says something."""
    if isinstance(value, str) and value.strip():
        return value
    raise ConfigError(explain(name, got=value, expected="a text"))


def check_names(name: str, value: object) -> list[str]:
    """`value` as a list of class names."""
    is_list = isinstance(value, Sequence) and not isinstance(value, str)
    if not is_list or not value or not all(isinstance(each, str) for each in value):
        raise ConfigError(explain(name, got=value, expected="a list of class names such as ['dog', 'cat']"))
    return list(value)


def check_tasks(name: str, value: object) -> list[str]:
    """`value` as a list; which tasks there are is checked with the data."""
    return list(value) if not isinstance(value, str) else [value]  # type: ignore[call-overload]


def check_decoder(name: str, value: object) -> dict[str, Any]:
    """Fields of a PDecoderConfig as a dict."""
    if not isinstance(value, Mapping):
        raise ConfigError(explain(name, got=value, expected="a dict such as {'width': 48}"))
    return dict(value)


@dataclass(frozen=True, kw_only=True)
class DataConfig:
    """Which labelled images a training sees, and how they are read."""

    split: str | None = setting(None, check_text, "split to train on (default train)", read=str)
    num_labelled: int | None = setting(
        None, positive_int, "use the first N labelled images (default: all; 100 of Miniature)", read=int
    )
    validation: str | None = setting(None, check_source, "held-out data (default: a part of --data)", read=str)
    validation_split: str | None = setting(None, check_text, "split of the held-out data", read=str)
    num_validation: int = setting(50, positive_int, "held-out images at most (default 50)", read=int)
    classes: Sequence[str] | None = setting(
        None, check_names, "class names in the order of the ids, without background", read=names
    )
    format: str | None = setting(None, check_text, "layout of --data (default: recognised)", read=str)
    on_error: str = setting("raise", check_text, "damaged samples: raise (default) or skip", read=str)
    depth_scale: float | None = setting(None, positive_number, "metres of one unit of the depth files", read=float)
    seen: Sequence[str] | None = setting(
        None, check_names, "train on these classes alone; others may be asked for by words", read=names
    )
    long_tail: float | None = setting(
        None,
        partial(check_number, minimum=1),
        "labelled images of the commonest class over the rarest",
        read=float,
    )


@dataclass(frozen=True, kw_only=True)
class TrainConfig(DataConfig, LoopConfig):
    """Settings of one training; with the data and the generator they decide every weight.

    Beside those of the loop and of the data:

    Args:
        tasks: which labels to read; default all that the data has.
        variants: changed versions of every image; their features are computed once. 1: the image as it is.
        augment: how the variants are changed.
        timestep: noise level at which the generator is read; None: `DEFAULT_TIMESTEP`.
        dtype: float type of the generator.
        decoder: fields of PDecoderConfig that differ from the defaults.
        fewer_classes: share of batches that are asked for a part of the classes only.
        void_share: share of the held-out pixels that become 255.
        loss: weights of the loss parts; None: the defaults.

    Raises:
        ConfigError: a value of a wrong type or out of range.

    Examples:
        >>> TrainConfig(steps=400, num_labelled=50).evaluate_every
        100
    """

    steps: int = setting(1500, positive_int, "training steps", read=int)
    evaluate_every: int = setting(100, positive_int, "steps between evaluations", read=int)
    # a hundred held-out images tell single steps apart by luck: two runs that differed in little had their best mIoU,
    # 58 and 55, at steps 600 and 1000, and were alike on other images
    score_window: int = setting(3, positive_int, "evaluations whose mean score chooses the best weights")
    tasks: Sequence[str] | None = setting(
        None,
        check_tasks,
        "what to label: semantic, instance, depth, pose (default: all that --data has)",
        read=names,
        option="--task",
    )
    variants: int = setting(8, positive_int, "changed versions of every image (1: as it is)", read=int)
    augment: AugmentConfig = AugmentConfig()
    timestep: int | None = setting(None, natural_int, "noise level at which the generator is read", read=int)
    dtype: str = setting(
        "float32",
        partial(check_choice, options=DTYPES),
        "of the generator: float32 (default), float16, bfloat16",
        read=str,
    )
    decoder: Mapping[str, Any] | None = setting(None, check_decoder, "fields of PDecoderConfig")
    fewer_classes: float = setting(0.5, check_share, "share of batches that are asked for a part of the classes only")
    void_share: float = setting(0.04, share_below_one, "share of the held-out pixels that become 255")
    loss: LossConfig | None = None


def renamed(given: Mapping[str, Any], where: str, names: Mapping[str, str] = RENAMED) -> dict[str, Any]:
    """The settings under their present names; a DeprecationWarning for each name of an earlier version in `names`."""
    for old in names.keys() & given.keys():
        warnings.warn(f"{where}: {old} is called {names[old]} now", DeprecationWarning, stacklevel=3)
    return {names.get(name, name): value for name, value in given.items()}


def with_settings(config: TrainConfig | None, given: Mapping[str, Any]) -> TrainConfig:
    """The config with some settings replaced, which earlier versions took one by one; None keeps the setting."""
    chosen = {name: value for name, value in renamed(given, "train_decoder").items() if value is not None}
    return replace(config or TrainConfig(), **chosen)


def is_setting(name: str) -> bool:
    """Whether a name is one of TrainConfig's, now or in an earlier version."""
    return name in RENAMED or any(entry.name == name for entry in fields(TrainConfig))
