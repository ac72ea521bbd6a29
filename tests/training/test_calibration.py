"""Fitting confidences, by hand."""

import numpy as np
import pytest

from dataset_dm.training.calibration import fit_platt


def test_claims_that_come_true_are_left_alone():
    odds = np.log(np.array([3.0] * 400 + [1 / 3] * 400))
    right = np.array(([True] * 3 + [False]) * 100 + ([False] * 3 + [True]) * 100)
    assert fit_platt(odds, right) == pytest.approx((1, 0), abs=0.02)


def test_boasting_is_damped():
    odds = np.log(np.array([81.0] * 400 + [1 / 81] * 400))  # claims 81 : 1 and is right 3 : 1
    right = np.array(([True] * 3 + [False]) * 100 + ([False] * 3 + [True]) * 100)
    slope, offset = fit_platt(odds, right)
    assert slope == pytest.approx(0.25, abs=0.01) and offset == pytest.approx(0, abs=0.01)


def test_a_few_outcomes_do_not_swing_it_and_one_kind_teaches_nothing():
    slope, offset = fit_platt(np.array([2.0, -2.0]), np.array([False, True]))
    assert slope > 0, "the order of scores is never turned round"
    assert fit_platt(np.array([2.0, 1.0]), np.array([True, True])) == (1.0, 0.0)
