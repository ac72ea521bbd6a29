"""Plots of a report: what is drawn, and that a PNG is written."""

import builtins
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dataset_dm.errors import MissingExtra
from dataset_dm.metrics import plots
from dataset_dm.metrics.calibration import Reliability
from dataset_dm.metrics.semantic import Confusion


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list:
    """The matplotlib figures that would be written."""
    pytest.importorskip("matplotlib")
    kept: list = []
    monkeypatch.setattr(plots, "save", lambda figure, path: kept.append(figure))
    return kept


def test_rows_of_the_confusion_are_shares_of_the_true_class(drawn: list, tmp_path: Path) -> None:
    confusion = Confusion(4)
    confusion.add(np.array([[1, 1, 2, 1]], dtype=np.uint8), np.array([[1, 2, 2, 1]], dtype=np.uint8))
    plots.plot_confusion(confusion, ["background", "car", "dog", "cat"], tmp_path / "x.png")
    (axes,) = drawn[0].axes
    assert axes.images[0].get_array().tolist() == [[100, 0], [50, 50]], "classes that do not occur are left out"
    assert [label.get_text() for label in axes.get_yticklabels()] == ["car", "dog"]
    assert sorted(text.get_text() for text in axes.texts) == ["100", "50", "50"]


def test_bars_of_reliability_are_shares_of_correct_answers(drawn: list, tmp_path: Path) -> None:
    curve = Reliability(bins=2)
    curve.add(np.array([0.2, 0.4, 0.9, 0.9]), np.array([False, True, True, True]))
    plots.plot_reliability([("one", curve)], tmp_path / "x.png", "title")
    (axes,) = drawn[0].axes
    right, above, below, _ = (container.patches for container in axes.containers)
    assert [bar.get_height() for bar in right] == [0.5, 1]
    assert [bar.get_height() for bar in above] == pytest.approx([0, 0]), "confidence 0.3 and 0.9"
    assert [bar.get_height() for bar in below] == pytest.approx([0.2, 0.1])
    assert axes.get_title() == f"one  ECE {(2 * 0.2 + 2 * 0.1) / 4:.3f}"


def test_plots_are_images(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    confusion, curve = Confusion(3), Reliability()
    confusion.add(np.array([[0, 1, 2, 2]], dtype=np.uint8), np.array([[0, 1, 1, 2]], dtype=np.uint8))
    curve.add(np.array([0.3, 0.7, 0.9]), np.array([False, True, True]))
    plots.plot_confusion(confusion, ["background", "car", "dog"], tmp_path / "confusion.png")
    plots.plot_reliability([("unprompted", curve)], tmp_path / "calibration.png")
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
