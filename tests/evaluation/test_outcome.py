"""The result of a measurement is printed and written with its command line and settings."""

import argparse
import json
from pathlib import Path

import numpy as np
import pytest

from dataset_dm.errors import MissingExtra, StoreError
from dataset_dm.evaluation.outcome import Outcome, check_folder, deliver
from dataset_dm.metrics.report import Report
from dataset_dm.visualization.sheet import Row


def drawn(path: Path) -> None:
    path.write_bytes(b"plot")


def missing(path: Path) -> None:
    raise MissingExtra("plots need matplotlib")


def test_the_report_names_command_settings_and_machine(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = [Row(np.zeros((8, 8, 3), np.uint8), prompt="a dog")]
    sheets = {"worst.png": ("worst", rows), "empty.png": ("none", [])}
    outcome = Outcome(Report("found", "", figures={"miou": 0.5}), {"plot.png": drawn}, sheets)
    args = argparse.Namespace(verb="evaluate", num=3, judge=None, batch=16, unseen=(1,), out=tmp_path)
    deliver(outcome, "dataset-dm evaluate found --num 3", args)
    assert "miou" in capsys.readouterr().out
    written = json.loads((tmp_path / "report.json").read_text())
    assert written["command"] == "dataset-dm evaluate found --num 3" and written["figures"] == {"miou": 0.5}
    settings = written["settings"]
    assert set(settings) == {"num", "batch", "machine", "versions"} and (settings["num"], settings["batch"]) == (3, 16)
    assert "torch " in settings["versions"]
    assert {file.name for file in tmp_path.iterdir()} == {"report.json", "report.md", "plot.png", "worst.png"}


def test_without_a_folder_nothing_is_written(capsys: pytest.CaptureFixture[str]) -> None:
    deliver(
        Outcome(Report("found", "", figures={"miou": 0.5}), {"plot.png": missing}), "c", argparse.Namespace(out=None)
    )
    assert "0.500" in capsys.readouterr().out


def test_plots_are_left_out_without_matplotlib(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Outcome(Report("found", ""), {"plot.png": missing}).save(tmp_path)
    assert "plots left out: plots need matplotlib" in capsys.readouterr().err
    assert (tmp_path / "report.md").is_file()


def test_a_folder_that_cannot_be_made_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match="--out .*file/in: cannot be made"):
        check_folder(tmp_path / "file" / "in")
    check_folder(tmp_path / "new" / "deep")
    check_folder(None)
    assert (tmp_path / "new" / "deep").is_dir()
