"""Tables, notes, sheets and plots of labels, for every task that was measured."""

from pathlib import Path

import numpy as np
import pytest

from dataset_dm.evaluation.label_report import add_calibration, add_runs, add_worst_images
from dataset_dm.evaluation.outcome import Outcome
from dataset_dm.evaluation.sources import NAMES
from dataset_dm.labels.records import Annotation
from dataset_dm.metrics.figures import LabelFigures
from dataset_dm.metrics.groups import Split
from dataset_dm.metrics.report import Report
from dataset_dm.metrics.truth import Truth

CAR, DOG = NAMES.index("car"), NAMES.index("dog")
LABEL = np.array([[0, 0, CAR, CAR], [0, 0, DOG, DOG]], np.uint8)
BLACK = np.zeros((2, 4, 3), np.uint8)


def run(wrong: bool) -> LabelFigures:
    """One image of which the dog's two pixels are right, or both called a car."""
    figures = LabelFigures(NAMES, ["semantic", "depth"])
    full = np.where(LABEL == DOG, CAR, LABEL).astype(np.uint8) if wrong else LABEL
    one = np.ones((2, 4), np.float32)
    said = Annotation(confidence=1.0, label=full, full=full, probability=one, depth=2 * one, depth_confidence=one)
    figures.add(BLACK, said, Truth(LABEL, depth=one), "a car and a dog")
    return figures


@pytest.fixture
def outcome() -> Outcome:
    outcome = Outcome(Report("labels", ""))
    runs = [("first", run(wrong=True)), ("second", run(wrong=False))]
    add_runs(outcome, "one image", runs, ["a_", "b_"], Split(unseen=(DOG - 1,)))
    add_worst_images(outcome, "test", "one image", runs[0][1])
    add_calibration(outcome, runs)
    return outcome


def test_figures_of_both_runs(outcome: Outcome) -> None:
    figures = outcome.report.figures
    # background 1, car 2 / 4, dog 0
    assert figures["a_miou"] == pytest.approx(0.5) and figures["b_miou"] == 1
    assert (figures["a_unseen_miou"], figures["a_seen_miou"], figures["b_unseen_miou"]) == (0, 0.5, 1)
    assert figures["a_depth_rel"] == figures["b_depth_rel"] == 1


def test_tables_and_notes(outcome: Outcome) -> None:
    titles = [table.title for table in outcome.report.tables]
    assert titles == ["IoU on one image", "most frequent mistakes, first", "depth, one image"]
    assert outcome.report.tables[1].rows == [["dog", "car", 1.0]]
    assert outcome.report.tables[2].columns == ["figure", "first", "second"]
    assert len(outcome.report.notes) == 2, "one note a task"


def test_files(outcome: Outcome, tmp_path: Path) -> None:
    outcome.save(tmp_path)
    assert {file.name for file in tmp_path.iterdir()} == {
        "report.json", "report.md", "confusion_test.png", "worst_test.png", "worst_depth.png",
        "calibration.png", "calibration_depth.png",
    }  # fmt: skip
