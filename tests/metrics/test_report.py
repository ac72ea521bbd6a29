"""Reports: text, markdown, JSON; plots are written, and a missing matplotlib names its extra."""

import json
from pathlib import Path

import numpy as np

from dataset_dm.metrics.report import Report, Table, show

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
