"""Reports: text, markdown, JSON; plots are written, and a missing matplotlib names its extra."""

import builtins
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dataset_dm.errors import MissingExtra
from dataset_dm.metrics import plots
from dataset_dm.metrics.calibration import Reliability
from dataset_dm.metrics.report import Report, Table, show
from dataset_dm.metrics.semantic import Confusion

REPORT = Report(
    name="labels",
    command="dataset-dm evaluate labels --num 4",
    settings={"num": 4},
    figures={"miou": 0.5, "ece": float("nan"), "images": np.int64(4)},
    tables=[Table("IoU", ["class", "iou", "pixels"], [["car", 0.25, 12345], ["a|b", None, 0]])],
    notes=["every pixel counts"],
)


def test_text_is_aligned() -> None:
    lines = REPORT.tables[0].text().splitlines()
    assert lines[1:] == ["class    iou  pixels", "────────────────────", "car    0.250  12,345", "a|b        –       0"]


def test_markdown_escapes_cells_and_names_the_command() -> None:
    text = REPORT.markdown()
    assert (
        "| a\\|b | – | 0 |" in text and "dataset-dm evaluate labels --num 4" in text and "- every pixel counts" in text
    )


def test_json_reads_back_with_null_for_nan(tmp_path: Path) -> None:
    REPORT.save(tmp_path / "out")
    read = json.loads((tmp_path / "out" / "report.json").read_text())
    assert read["figures"] == {"miou": 0.5, "ece": None, "images": 4}
    assert read["tables"][0]["rows"] == [["car", 0.25, 12345], ["a|b", None, 0]]
    assert (tmp_path / "out" / "report.md").read_text().startswith("# labels")


def test_show() -> None:
    assert [show(x) for x in (None, float("nan"), 0.12345, 12345, "x", True)] == [
        "–",
        "–",
        "0.123",
        "12,345",
        "x",
        "True",
    ]


def test_plots_are_images(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    confusion, curve = Confusion(3), Reliability()
    confusion.add(np.array([[0, 1, 2, 2]], dtype=np.uint8), np.array([[0, 1, 1, 2]], dtype=np.uint8))
    curve.add(np.array([0.3, 0.7, 0.9]), np.array([False, True, True]))
    plots.plot_confusion(confusion, ["background", "car", "dog"], tmp_path / "confusion.png")
    plots.plot_reliability([("blind", curve)], tmp_path / "calibration.png")
    for name in ("confusion.png", "calibration.png"):
        image = np.asarray(Image.open(tmp_path / name).convert("L"))
        assert image.shape[0] > 300 and image.std() > 5  # something was drawn


def test_missing_matplotlib_names_the_extra(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    real = builtins.__import__

    def refuse(name: str, *args: object, **kwargs: object) -> object:
        if name.startswith("matplotlib"):
            raise ImportError(name)
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", refuse)
    with pytest.raises(MissingExtra, match=r"dataset-dm\[plot\]"):
        plots.plot_reliability([("x", Reliability())], tmp_path / "x.png")
