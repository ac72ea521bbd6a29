"""SIGTERM: tidy, exit code 143, and the same command goes on."""

import argparse
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from dataset_dm import cli
from dataset_dm.engine.termination import tidy_termination
from dataset_dm.store.plans import stores
from tests.engine.conftest import plan_of

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def default_handler() -> Iterator[None]:
    """Ray, once started in this process, leaves a handler of its own behind."""
    before = signal.signal(signal.SIGTERM, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGTERM, before or signal.SIG_DFL)


def test_sigterm_leaves_everything_in_order_on_the_way_out() -> None:
    left = []
    with pytest.raises(SystemExit) as ended, tidy_termination():
        try:
            os.kill(os.getpid(), signal.SIGTERM)
        finally:
            left.append("tidied")
    assert ended.value.code == 143 and left == ["tidied"]
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL


def test_somebody_elses_handler_and_other_threads_are_left_alone() -> None:
    def own(number: int, frame: object) -> None:
        """A scheduler's library, say."""

    before = signal.signal(signal.SIGTERM, own)
    try:
        with tidy_termination():
            assert signal.getsignal(signal.SIGTERM) is own
    finally:
        signal.signal(signal.SIGTERM, before)
    seen = []

    def elsewhere() -> None:
        with tidy_termination():
            seen.append(signal.getsignal(signal.SIGTERM))

    thread = threading.Thread(target=elsewhere)
    thread.start()
    thread.join()
    assert seen == [before]


def test_every_verb_of_the_command_line_ends_so(capsys: pytest.CaptureFixture[str]) -> None:
    verb = SimpleNamespace(run=lambda args: os.kill(os.getpid(), signal.SIGTERM), HINT=": what was made is kept")
    with pytest.raises(SystemExit) as ended:
        cli._run(verb, argparse.Namespace())
    assert ended.value.code == 143 and "terminated: what was made is kept" in capsys.readouterr().err


def test_a_run_that_is_terminated_says_how_to_go_on(quick: dict) -> None:
    words = [sys.executable, "-u", "-m", "dataset_dm.cli", "generate", "voc_synth", "--num-images", "4000"]
    words += ["--generator", quick["generator"], "--annotator", quick["annotator"], "--steps", "1", "--guidance", "2"]
    words += ["--batch-size", "2", "--shard-size", "4", "--device", "cpu"]
    images, labels = stores(plan_of(quick))
    run = subprocess.Popen(words, stderr=subprocess.PIPE, text=True, cwd=ROOT)
    while not labels.has("train", 0):
        assert run.poll() is None, run.stderr.read()
        time.sleep(0.05)
    run.send_signal(signal.SIGTERM)
    _, said = run.communicate(timeout=60)
    assert run.returncode == 143
    assert "terminated: finished shards are kept; run the same command again to go on" in said
    assert "Traceback" not in said
    assert images.held() == labels.held() == []
    assert [file for file in images.folder.rglob("*.tmp")] == []
