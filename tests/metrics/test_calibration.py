"""Calibration by hand, and a temperature that undoes a known one."""

import math

import numpy as np
import pytest
import torch

from dataset_dm.metrics.calibration import Reliability, fit_temperature, log_probabilities


def test_ece_by_hand() -> None:
    curve = Reliability(bins=2)
    curve.add(np.array([0.4, 0.4, 0.9, 0.9]), np.array([True, False, True, True]))
    # lower bin: 2 of 4, confidence 0.4, right 0.5 → 0.1; upper bin: confidence 0.9, right 1 → 0.1
    assert curve.ece() == pytest.approx(0.5 * 0.1 + 0.5 * 0.1)
    assert curve.accuracy() == pytest.approx([0.5, 1.0])
    assert curve.mean_confidence() == pytest.approx([0.4, 0.9])


def test_opposite_gaps_in_one_bin_cancel_but_not_across_bins() -> None:
    one, two = Reliability(bins=1), Reliability(bins=2)
    for curve in (one, two):
        curve.add(np.array([0.25, 0.75]), np.array([True, False]))
    assert one.ece() == pytest.approx(0.0)
    assert two.ece() == pytest.approx(0.75)


def test_bin_edges_and_certain_predictions() -> None:
    curve = Reliability(bins=10)
    curve.add(np.array([0.0, 0.1, 1.0]), np.array([False, False, True]))
    assert curve.count.tolist() == [1, 1, 0, 0, 0, 0, 0, 0, 0, 1]


def test_sum_over_calls_equals_one_call() -> None:
    rng = np.random.default_rng(0)
    confidence, correct = rng.random(1000), rng.random(1000) < 0.5
    whole, parts = Reliability(), Reliability()
    whole.add(confidence, correct)
    for piece in np.array_split(np.arange(1000), 7):
        parts.add(confidence[piece], correct[piece])
    assert parts.ece() == pytest.approx(whole.ece())


def test_foreground_leaves_out_background_and_void() -> None:
    prediction = np.array([0, 1, 1, 255, 2])
    truth = np.array([1, 1, 0, 1, 255])
    curve = Reliability(bins=1)
    curve.add_foreground(prediction, np.array([0.9, 0.8, 0.6, 0.9, 0.9]), truth)
    assert curve.count.sum() == 2
    assert curve.ece() == pytest.approx(abs(0.5 - 0.7))


def test_bad_confidences_are_named() -> None:
    with pytest.raises(ValueError, match="must be in 0..1"):
        Reliability().add(np.array([1.2]), np.array([True]))
    with pytest.raises(ValueError, match="must be in 0..1"):
        Reliability().add(np.array([np.nan]), np.array([True]))
    with pytest.raises(ValueError, match="2 confidences but 1 outcomes"):
        Reliability().add(np.array([0.5, 0.5]), np.array([True]))


def test_empty_curve_is_nan() -> None:
    assert math.isnan(Reliability().ece())


@pytest.mark.parametrize("truth", [0.5, 1.0, 2.5])
def test_temperature_undoes_a_known_one(truth: float) -> None:
    generator = torch.Generator().manual_seed(0)
    honest = torch.randn(40_000, 5, generator=generator) * 2
    target = torch.multinomial(honest.softmax(1), 1, generator=generator)[:, 0]
    fitted = fit_temperature(honest * truth, target)
    assert fitted == pytest.approx(truth, rel=0.04)


def test_temperature_takes_log_probabilities_and_ignores_void() -> None:
    generator = torch.Generator().manual_seed(1)
    logits = torch.randn(2000, 3, generator=generator)
    target = logits.argmax(1)
    target[::3] = (target[::3] + 1) % 3
    from_logits = fit_temperature(logits, target)
    padded = torch.cat([target, torch.full((500,), 255)])
    more = torch.cat([logits.softmax(1), torch.full((500, 3), 1 / 3)])
    assert fit_temperature(log_probabilities(more), padded) == pytest.approx(from_logits, rel=1e-3)
    with pytest.raises(ValueError, match="every pixel is void"):
        fit_temperature(logits[:4], torch.full((4,), 255))
