"""`--engine`, `--workers`, `--log` and the like: how missing shards are made, and where events are recorded."""

from __future__ import annotations

import argparse
import contextlib
import logging
from collections.abc import Iterator
from pathlib import Path

from dataset_dm.arguments.declare import entries
from dataset_dm.cli import options
from dataset_dm.engine.options import EngineArguments


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Which processes make the shards, and where."""
    options.add_options(parser, EngineArguments)
    parser.set_defaults(device=entries(EngineArguments)["device"].default)
    parser.add_argument("--log", metavar="FILE", type=Path, help="append what happens, shard by shard, as JSON lines")
    parser.add_argument("--track", metavar="A,B", help="report to these trackers of accelerate, such as tensorboard")


@contextlib.contextmanager
def listening(args: argparse.Namespace) -> Iterator[None]:
    """Within, the events of engines are written to `--log` and to the trackers of `--track`."""
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
