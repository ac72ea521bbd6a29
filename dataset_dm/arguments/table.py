"""The arguments of a generated set. A new one is a field here: the builders' configs, the options of `dataset-dm
generate`, the checks, the plan, the fingerprint that covers it and the provenance of rows follow.

Arguments that belong to one room are declared there: `rows.filters`, `engine.options`, `training.scarce_configs`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from dataset_dm.arguments import read
from dataset_dm.arguments.declare import argument
from dataset_dm.checks import check_bool, check_choice, check_int, check_mapping, check_names, check_number, check_pair
from dataset_dm.errors import ConfigError, explain

# the shipped generator, and the shipped annotator that was trained for it
MINIATURE = "miniature"
DTYPES = ("float32", "float16", "bfloat16")
# what a prompt source may be on a command line
SOURCES = (
    "a file, templates, captions:DATASET#COLUMN, openai:MODEL or transformers:MODEL; for a mix several SOURCE=SHARE"
)
_ANNOTATORS = "a decoder's folder or Hub id[@revision], p_decoder, attention, or several joined by ' + '"
_NO_GUIDANCE = "none"
_MOST_TILES = 8  # rows and columns of a mosaic
_TEXTS = {"feature": {"dtype": "string", "_type": "Value"}, "_type": "Sequence"}


def check_guidance(name: str, value: object, *, remedy: str = "") -> float | None:
    """A finite number of at least 0; None and "none" are no guidance."""
    if value is None or (isinstance(value, str) and value.strip().lower() == _NO_GUIDANCE):
        return None
    return check_number(name, value, 0, expected="a number of at least 0, or None", remedy=remedy)


def check_scheduler(name: str, value: object, *, remedy: str = "") -> str | None:
    """A text; None is the pipeline's own scheduler."""
    if value is None or isinstance(value, str):
        return value
    raise ConfigError(explain(name, got=value, expected="a scheduler's class name", remedy=remedy))


def check_splice(name: str, value: object, *, remedy: str = "") -> tuple[int, int] | None:
    """(rows, columns) of a mosaic; None for 1 x 1, which is none."""
    expected = f"(rows, columns) of tiles, each 1 to {_MOST_TILES}, such as (2, 2) or '2x2'"
    pair = check_pair(name, value, (_MOST_TILES, _MOST_TILES), expected=expected, remedy=remedy)
    return None if pair == (1, 1) else pair


@dataclass(frozen=True, kw_only=True)
class CountArguments:
    """How many rows; no fingerprint covers it. `math.inf`, in Python None, is a stream without an end."""

    num_images: int | float | None = argument(
        help="rows of split train (default 64)",
        metavar="N",
        check=lambda name, value, *, remedy="": (
            value if value == math.inf else check_int(name, value, 1, remedy=remedy)
        ),
        example=64,
        read=read.whole,
    )
    splits: Mapping[str, int | float | None] | None = argument(
        help="a split and its rows; may be repeated",
        check=partial(check_mapping, expected="split names with counts such as {'train': 1000, 'validation': 100}"),
        option="--split",
        metavar="NAME=N",
        action="append",
        read=read.counts,
    )


@dataclass(frozen=True, kw_only=True)
class SamplerArguments:
    """The keys of `sampler=`; what is left out is the generator's own."""

    steps: int | None = argument(
        help="sampling steps (default: the generator's own)",
        metavar="N",
        check=partial(check_int, minimum=1),
        example=30,
        column="int32",
        read=read.whole,
    )
    guidance: float | None = argument(
        help="guidance scale, or none (default: the generator's own)",
        metavar="G",
        check=check_guidance,
        column="float64",
        read=read.number,
    )
    scheduler: str | None = argument(
        help="a scheduler class of diffusers", metavar="NAME", check=check_scheduler, column="string"
    )


@dataclass(frozen=True, kw_only=True)
class SetArguments:
    """What a plan is made of. None means the default."""

    prompts: Any = argument(
        help=f"{SOURCES}; may be repeated",
        metavar="SOURCE",
        action="append",
        part="images",
        resolved=True,
        read=read.sources,
    )
    append_classes: bool = argument(
        False,
        help="end every prompt with the words of its classes",
        check=check_bool,
        action="store_true",
        part="images",
        resolved=True,
    )
    class_mix: Mapping[str, float] | None = argument(
        help="how often each class leads, as dog=3,cat=1",
        check=partial(check_mapping, expected="shares such as {'dog': 3, 'cat': 1}"),
        metavar="NAME=SHARE,…",
        part="images",
        resolved=True,
        read=read.shares,
    )
    classes: tuple[str, ...] | None = argument(
        help="class names, comma-separated (default: the annotator's)",
        check=partial(check_names, expected="a list of class names such as ['dog', 'chair']"),
        metavar="A,B",
        part="labels",
        resolved=True,
        column=_TEXTS,
        read=read.names,
    )
    generator: Any = argument(
        MINIATURE,
        help="folder or Hub id[@revision] of a text-to-image pipeline",
        metavar="ID",
        part="images",
        resolved=True,
        column="string",
    )
    annotator: Any = argument(MINIATURE, help=_ANNOTATORS, metavar="ID", part="labels", resolved=True, column="string")
    adapter: Any = argument(
        help="a LoRA file, folder or id", metavar="ID", part="images", resolved=True, column="string"
    )
    size: Any = argument(
        help="height and width in pixels (default: the generator's own)", metavar="HxW", part="images", resolved=True
    )
    sampler: Mapping[str, Any] | None = argument(
        check=partial(check_mapping, expected="a dict such as {'steps': 30, 'guidance': 7.5}"),
        part="images",
        resolved=True,
        keys=SamplerArguments,
    )
    seed: int = argument(
        0,
        help="seed of the whole set (default 0)",
        metavar="S",
        check=partial(check_int, minimum=0),
        example=64,
        part="images",
        read=read.whole,
    )
    dtype: str = argument(
        "float32",
        help="float32 (default), float16 or bfloat16",
        check=partial(check_choice, options=DTYPES),
        part="images",
        column="string",
    )
    batch_size: int | None = argument(
        help="images drawn together",
        metavar="N",
        check=partial(check_int, minimum=1),
        example=16,
        part="images",
        resolved=True,
        column="int32",
        read=read.whole,
    )
    shard_size: int | None = argument(
        help="images of one stored shard: whole batches (default 16)",
        metavar="N",
        check=partial(check_int, minimum=1),
        example=64,
        part="images",
        resolved=True,
        read=read.whole,
    )
    splice: tuple[int, int] | None = argument(
        help="make every row a mosaic of N rows and M columns of samples",
        check=check_splice,
        metavar="NxM",
        part="rows",
        resolved=True,
        column="string",
    )
