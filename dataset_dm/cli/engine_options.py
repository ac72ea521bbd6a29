"""`--engine`, `--workers` and the like: who makes what is missing, with a progress bar, and who is told of it."""

from __future__ import annotations

import argparse
import contextlib
import logging
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from dataset_dm.engine.progress import bar

if TYPE_CHECKING:
    from dataset_dm.engine import EngineChoice
    from dataset_dm.plan.generation_plan import GenerationPlan
    from dataset_dm.rows.reader import Rows


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Who makes the shards, and where."""
    parser.add_argument("--device", default="auto", help="auto (default), cpu, cuda, cuda:1 …")
    parser.add_argument("--engine", metavar="NAME", help="local (default), processes, ray or ray:ADDRESS")
    parser.add_argument("--workers", metavar="N", type=_number, help="how many make shards at once (processes, ray)")
    parser.add_argument(
        "--threads", metavar="N", type=_number, help="threads of torch, a worker; equal bytes need equal"
    )
    parser.add_argument(
        "--time-limit", metavar="S", type=_number, help="seconds without a batch until a worker counts as hung"
    )
    parser.add_argument("--log", metavar="FILE", type=Path, help="append what happens, shard by shard, as JSON lines")
    parser.add_argument("--track", metavar="A,B", help="report to these trackers of accelerate, such as tensorboard")


def chosen(args: argparse.Namespace) -> EngineChoice:
    """The engine asked for; ConfigError for one that nobody knows."""
    from dataset_dm.engine import resolve_engine

    given = {name: getattr(args, name) for name in ("workers", "threads", "time_limit")}
    return replace(resolve_engine(args.engine), **{name: value for name, value in given.items() if value is not None})


@contextlib.contextmanager
def listening(args: argparse.Namespace) -> Iterator[None]:
    """Within, what engines tell goes into `--log` and to the trackers of `--track`."""
    from dataset_dm.engine.journal import LOG

    with contextlib.ExitStack() as attached:
        for handler in _handlers(args):
            attached.callback(handler.close)
            attached.callback(LOG.removeHandler, handler)
            LOG.addHandler(handler)
            LOG.setLevel(logging.INFO)
        yield


def _handlers(args: argparse.Namespace) -> Iterator[logging.Handler]:
    from dataset_dm.files.home import home

    if args.log is not None:
        from dataset_dm.engine.log_file import JsonLines

        yield JsonLines(args.log)
    if args.track is not None:
        from dataset_dm.engine.trackers import Trackers

        wanted = [name.strip() for name in args.track.split(",") if name.strip()]
        yield Trackers(wanted, home() / "trackers", cpu=args.device == "cpu")


def fill(
    plan: GenerationPlan, counts: Mapping[str, int], args: argparse.Namespace, rows: Rows | None = None
) -> tuple[dict[str, float], int]:
    """Fills the store, with a progress bar; returns seconds a stage and the number of samples made.

    Later rounds too, if `rows` are given and want rows drawn again that a filter drops.
    """
    from dataset_dm.engine import Engine, pending
    from dataset_dm.store.plans import note_wanted

    choice, work = chosen(args), pending(plan, counts)
    again = rows is not None and rows.resample
    if not work:
        note_wanted(plan, counts)
        if not again:
            return {}, 0
    with Engine(plan, device=args.device, engine=choice) as engine:
        made = 0
        if work:
            with bar(len(work) * plan.shard_size, "image", "drawing and labelling") as shown:
                made += engine.fill(counts, report=shown.update)
        if rows is not None and again:
            from dataset_dm.engine.resample import later_rounds

            for work in later_rounds(engine, rows, counts):
                with bar(len(work) * plan.shard_size, "image", "in place of dropped rows") as shown:
                    made += engine.complete(work, report=shown.update)
        return dict(engine.seconds), made * plan.shard_size


def _number(text: str) -> int | float | str:
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text  # refused with the engine's own words
