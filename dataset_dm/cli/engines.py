"""`--engine` and `--workers`: who makes what is missing, with a progress bar."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dataset_dm.engine import EngineChoice
    from dataset_dm.plan import GenerationPlan
    from dataset_dm.rows import Rows


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Who makes the shards, and where."""
    parser.add_argument("--device", default="auto", help="auto (default), cpu, cuda, cuda:1 …")
    parser.add_argument("--engine", metavar="NAME", help="local (default), processes, ray or ray:ADDRESS")
    parser.add_argument("--workers", metavar="N", type=_whole, help="how many make shards at once (processes, ray)")


def chosen(args: argparse.Namespace) -> EngineChoice:
    """The engine asked for; ConfigError for one that nobody knows."""
    from dataset_dm.engine import resolve_engine

    choice = resolve_engine(args.engine)
    return choice if args.workers is None else replace(choice, workers=args.workers)


def fill(
    plan: GenerationPlan, counts: Mapping[str, int], args: argparse.Namespace, rows: Rows | None = None
) -> tuple[dict[str, float], int]:
    """Fills the store, with a progress bar; returns seconds a stage and the number of samples made.

    Later rounds too, if `rows` are given and want rows drawn again that a filter drops.
    """
    from dataset_dm.engine import Engine, pending

    choice, work = chosen(args), pending(plan, counts)
    again = rows is not None and rows.resample
    if not work and not again:
        return {}, 0
    with Engine(plan, device=args.device, engine=choice) as engine:
        made = 0
        if work:
            with _bar(len(work) * plan.shard_size, "drawing and labelling") as bar:
                made += engine.fill(counts, report=bar.update)
        if rows is not None and again:
            from dataset_dm.engine.rounds import later_rounds

            for work in later_rounds(engine, rows, counts):
                with _bar(len(work) * plan.shard_size, "in place of dropped rows") as bar:
                    made += engine.complete(work, report=bar.update)
        return dict(engine.seconds), made * plan.shard_size


def _bar(total: int, what: str) -> Any:
    from tqdm import tqdm

    # no bar of its own thread, and a rate that starts when the models are loaded and the first batch is there
    return tqdm(total=total, unit="image", desc=what)


def _whole(text: str) -> int | str:
    try:
        return int(text)
    except ValueError:
        return text  # refused with the engine's own words
