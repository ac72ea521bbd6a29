"""What the command says before a window opens."""

import socket
import sys
from pathlib import Path

import pytest

from dataset_dm.cli import VERBS, main
from dataset_dm.errors import ConfigError
from dataset_dm.explore.app import free_port


@pytest.fixture(autouse=True)
def verb(monkeypatch: pytest.MonkeyPatch) -> None:
    """`explore` is a verb."""
    monkeypatch.setitem(VERBS, "explore", VERBS.get("explore", ""))


def said(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    """The one line of a command that fails."""
    assert main(["explore", *words]) == 2
    captured = capsys.readouterr()
    assert captured.out == "" and captured.err.startswith("error: ") and captured.err.count("\n") == 1
    return captured.err


def test_mistakes_are_one_line(one: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "SOURCE: got '/no/such/folder'" in said(capsys, "/no/such/folder")
    assert "--port: got 0, expected a whole number from 1 to 65535" in said(capsys, str(one), "--port", "0")
    assert "split: got 'val', expected one of train" in said(capsys, str(one), "--split", "val")
    assert "--host: got '203.0.113.7', expected an address of this machine" in said(
        capsys, str(one), "--host", "203.0.113.7"
    )
    assert "SOURCE: got './none'" in said(capsys, str(one), "--compare", "./none")


def test_a_taken_port_is_named(one: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        line = said(capsys, str(one), "--port", str(port))
        assert f"--port {port}: is taken by another program; take another, or leave --port out" in line
        with pytest.raises(ConfigError):
            free_port("127.0.0.1", port)
    assert free_port("127.0.0.1", port) == port
    assert free_port("127.0.0.1", None) > 0


def test_without_gradio_the_extra_is_named(
    one: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "gradio", None)
    line = said(capsys, str(one))
    assert "gradio, which is not installed; pip install 'dataset-dm[explore]'" in line


def test_the_window_is_bound_to_this_machine_by_default() -> None:
    import argparse

    from dataset_dm.cli import explore

    parser = argparse.ArgumentParser()
    explore.add_arguments(parser)
    assert parser.parse_args(["x"]).host == "127.0.0.1"
