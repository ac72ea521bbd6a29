"""`--engine`, `--workers` and `--log`: the engine that they choose, and the log that is open meanwhile."""

import argparse
import logging
from pathlib import Path

import pytest

from dataset_dm.cli import engine_options, options
from dataset_dm.engine.journal import LOG
from dataset_dm.engine.options import EngineArguments, resolve_engine
from dataset_dm.errors import ConfigError


def _args(*words: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    engine_options.add_arguments(parser)
    return parser.parse_args(words)


def test_the_engine_of_the_options() -> None:
    read = options.asked(_args("--engine", "processes", "--workers", "3", "--device", "cpu"), EngineArguments)
    assert read == {"device": "cpu", "engine": {"name": "processes", "workers": 3}}
    with pytest.raises(ConfigError, match="proceses"):
        resolve_engine({"name": "proceses"})


def test_the_log_is_open_within_only(tmp_path: Path) -> None:
    before = list(LOG.handlers)
    with engine_options.listening(_args("--log", str(tmp_path / "log.jsonl"))):
        assert len(LOG.handlers) == len(before) + 1 and LOG.level == logging.INFO
    assert LOG.handlers == before
    with engine_options.listening(_args()):
        assert LOG.handlers == before
