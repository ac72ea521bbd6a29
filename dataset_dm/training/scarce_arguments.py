"""Arguments of `zero_shot` and `long_tail`, the configs whose decoder is trained on demand; see `scarce_configs`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from dataset_dm.arguments import read
from dataset_dm.arguments.declare import argument
from dataset_dm.arguments.table import MINIATURE
from dataset_dm.checks import check_bool, check_int, check_number, check_source, parse_settings

ZERO_SHOT, LONG_TAIL = "zero_shot", "long_tail"
IMBALANCE = 10.0


@dataclass(frozen=True, kw_only=True)
class ScarceArguments:
    """What the decoder of either config is trained on."""

    labelled: str | Path = argument(
        MINIATURE,
        help="labelled images: miniature (default), a folder or a Hub id",
        check=check_source,
        metavar="DATA",
        part="labels",
    )
    num_labelled: int | None = argument(
        help="train on the first N of them (default: all)",
        check=partial(check_int, minimum=1),
        example=64,
        metavar="N",
        part="labels",
        read=read.plain,
    )
    training: Mapping[str, Any] | None = argument(
        help="a setting of the training such as steps=400",
        metavar="KEY=VALUE",
        action="append",
        part="labels",
        read=parse_settings,
    )


@dataclass(frozen=True, kw_only=True)
class ZeroShotArguments(ScarceArguments):
    """The classes of which no labelled image is shown are predicted by their words."""

    unseen: Sequence[str] | None = argument(
        help="zero_shot: classes that are labelled by their words alone", metavar="A,B", part="labels", read=read.names
    )


@dataclass(frozen=True, kw_only=True)
class LongTailArguments(ScarceArguments):
    """Most classes have few labelled images."""

    imbalance: float = argument(
        IMBALANCE,
        help="long_tail: labelled images of the head per one of the tail",
        check=partial(
            check_number,
            minimum=1,
            expected="a number of at least 1: labelled images of the head per image of the tail",
        ),
        metavar="R",
        part="labels",
        read=read.plain,
    )
    rebalance: bool = argument(
        True,
        help="long_tail: draw all classes equally often, not rare ones more",
        check=check_bool,
        option="--no-rebalance",
        action="store_false",
        part="images",
    )


TABLES: Mapping[str, type] = {ZERO_SHOT: ZeroShotArguments, LONG_TAIL: LongTailArguments}
