"""Presence of classes: the ROC curve and its area by hand."""

import numpy as np
import pytest

from dataset_dm.metrics.presence import Presences, plot_roc


def test_auc_by_hand():
    presences = Presences([0.9, 0.6, 0.6, 0.2], [True, True, False, False])
    assert presences.auc() == pytest.approx(3.5 / 4)  # of four pairs three are right, one is tied
    wrong, right = presences.curve()
    assert wrong.tolist() == [0, 0, 0.5, 1] and right.tolist() == [0, 0.5, 1, 1]
    assert np.isnan(Presences([0.5], [True]).auc())
    assert presences.kept(0.5, present=True) == 1 and presences.kept(0.5, present=False) == 0.5
    assert Presences([0.5], [True]).kept(0.1, present=False) is None


def test_stray_pixels_are_neither_there_nor_absent():
    presences, truth = Presences(), np.zeros((10, 100), np.uint8)
    truth[0, :10], truth[1, :9] = 1, 2  # 1 % and 0.9 % of the image
    presences.add([0, 1, 2], np.array([0.7, 0.6, 0.1]), truth)
    assert presences.scores == [0.7, 0.1] and presences.present == [True, False]


def test_the_curve_is_drawn(tmp_path):
    curves = [("all", Presences([0.9, 0.1], [True, False])), ("present alone", Presences([0.5], [True]))]
    plot_roc(curves, tmp_path / "roc.png")
    assert (tmp_path / "roc.png").stat().st_size > 1000
