"""`--engine` and `--workers`: who makes what is missing, with a progress bar."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dataset_dm.engine import EngineChoice
    from dataset_dm.plan import GenerationPlan


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


def fill(plan: GenerationPlan, counts: Mapping[str, int], args: argparse.Namespace) -> tuple[dict[str, float], int]:
    """Fills the store, with a progress bar; returns seconds a stage and the number of samples made."""
    from dataset_dm.engine import Engine, pending

    choice, work = chosen(args), pending(plan, counts)
    if not work:
        return {}, 0
    from tqdm import tqdm

    total = len(work) * plan.shard_size
    # no bar of its own thread, and a rate that starts when the models are loaded and the first batch is there
    with (
        Engine(plan, device=args.device, engine=choice) as engine,
        tqdm(total=total, unit="image", desc="drawing and labelling") as bar,
    ):
        made = engine.fill(counts, report=bar.update)
        return dict(engine.seconds), made * plan.shard_size


def _whole(text: str) -> int | str:
    try:
        return int(text)
    except ValueError:
        return text  # refused with the engine's own words
