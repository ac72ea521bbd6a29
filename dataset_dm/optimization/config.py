"""Settings of the training loop, each declared once: default, check and help."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar

from dataset_dm.checks import check_choice, check_int, check_number

SCHEDULES = ("cosine_with_min_lr", "cosine", "linear", "constant_with_warmup", "constant")
PRECISIONS = ("fp32", "bf16", "fp16")

positive_int = partial(check_int, minimum=1)
natural_int = partial(check_int, minimum=0)
positive_number = partial(check_number, minimum=0, above=True)
natural_number = partial(check_number, minimum=0)
share = partial(check_number, minimum=0, maximum=1)
share_below_one = partial(check_number, minimum=0, maximum=math.nextafter(1, 0), expected="0 or more, below 1")


def setting(
    default: Any = None,
    check: Callable[[str, Any], Any] | None = None,
    help: str = "",
    *,
    read: Callable[[str], Any] | None = None,
    option: str | None = None,
) -> Any:
    """A field of a frozen dataclass of settings, declared once: `checked` and the command line follow from it.

    Args:
        check: (name, value) → the value in its proper type, or raises ConfigError; not called for a default of None.
        help: one line that says what the setting means.
        read: text → value, for settings that the command line has.
        option: of the command line; None: "--the-field's-name".
    """
    return dataclasses.field(default=default, metadata={"check": check, "help": help, "read": read, "option": option})


def checked(settings: Any, what: str) -> None:
    """Runs the check of every field of a frozen dataclass and keeps the value in its proper type.

    Raises ConfigError, which names the field as "{what}: {field}".
    """
    for entry in dataclasses.fields(settings):
        check, value = entry.metadata.get("check"), getattr(settings, entry.name)
        if check is not None and not (value is None and entry.default is None):
            object.__setattr__(settings, entry.name, check(f"{what}: {entry.name}", value))


@dataclass(frozen=True, kw_only=True)
class LoopConfig:
    """Settings of one training; with the data and the initial weights they decide every weight.

    Raises ConfigError for a value out of range.

    >>> LoopConfig(steps=0)
    Traceback (most recent call last):
        ...
    dataset_dm.errors.ConfigError: training: steps: got 0, expected a whole number of at least 1
    """

    NAME: ClassVar[str] = "training"  # what messages call these settings

    steps: int = setting(1000, positive_int, "training steps", read=int)
    batch: int = setting(8, positive_int, "images of a micro-batch", read=int)
    accumulate: int = setting(1, positive_int, "micro-batches whose mean gradient makes a step", read=int)
    learning_rate: float = setting(1e-3, positive_number, "highest learning rate", read=float)
    warmup: int = setting(50, natural_int, "steps of linear warm-up")
    schedule: str = setting(
        SCHEDULES[0], partial(check_choice, options=SCHEDULES), "schedule, as transformers names it"
    )
    min_lr_rate: float = setting(0.01, share, "last learning rate of cosine_with_min_lr, as a share of the highest")
    weight_decay: float = setting(0.05, natural_number, "weight decay of AdamW")
    beta2: float = setting(0.999, share, "decay of AdamW's second moments")
    max_grad_norm: float = setting(1.0, positive_number, "gradients are scaled down to this norm")
    ema_decay: float = setting(0.995, share, "decay of the moving average of the weights, which is kept; 0: no average")
    evaluate_every: int = setting(100, natural_int, "steps between evaluations; 0 never evaluates", read=int)
    score_window: int = setting(1, positive_int, "evaluations whose mean score chooses the best weights")
    early_stop_evals: int = setting(
        0, natural_int, "stop after so many evaluations without a better score; 0 never", read=int
    )
    save_every: int = setting(0, natural_int, "steps between saved states; 0: saved after each evaluation")
    precision: str = setting(
        "fp32", partial(check_choice, options=PRECISIONS), "of the forward pass; weights are fp32", read=str
    )
    seconds: float | None = setting(None, positive_number, "train for so long, instead of for a number of steps")
    seed: int = setting(0, natural_int, "of everything random", read=int)

    def __post_init__(self) -> None:
        checked(self, self.NAME)
