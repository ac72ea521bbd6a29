"""Depth metrics by hand."""

import math

import numpy as np
import pytest

from dataset_dm.metrics.depth import DepthErrors, relative_error

TRUTH = np.array([[1.0, 2.0], [4.0, 0.0]], dtype=np.float32)  # one pixel of sky


def errors(*pairs) -> dict[str, float]:
    sums = DepthErrors()
    for depth, truth in pairs:
        sums.add(np.asarray(depth, np.float32), np.asarray(truth, np.float32))
    return sums.figures()


def test_figures_by_hand() -> None:
    # ratios 1.2, 1.5, 1; the pixel without a true depth never counts
    figures = errors(([[1.2, 3.0], [4.0, 9.0]], TRUTH))
    assert figures["rel"] == pytest.approx((0.2 + 0.5 + 0) / 3)
    assert figures["rmse_m"] == pytest.approx(math.sqrt((0.04 + 1 + 0) / 3))
    assert figures["log10"] == pytest.approx((math.log10(1.2) + math.log10(1.5)) / 3)
    assert [figures[f"delta{i}"] for i in (1, 2, 3)] == pytest.approx([2 / 3, 1, 1])  # 1.25, 1.5625, 1.953
    assert figures["coverage"] == 1


def test_aligned_figures_forgive_the_scale_alone() -> None:
    # twice too far everywhere, but for one pixel of three that is four times too far: the median factor is 1/2
    figures = errors(([[2.0, 4.0], [16.0, 0.0]], TRUTH))
    assert figures["rel"] == pytest.approx((1 + 1 + 3) / 3)
    assert figures["aligned_rel"] == pytest.approx((0 + 0 + 1) / 3) and figures["aligned_delta1"] == pytest.approx(
        2 / 3
    )


def test_too_near_is_as_wrong_as_too_far() -> None:
    assert errors(([[0.5]], [[1.0]]))["delta1"] == errors(([[2.0]], [[1.0]]))["delta1"] == 0


def test_leaving_out_never_helps() -> None:
    figures = errors(([[1.0, 0.0], [4.0, 0.0]], TRUTH))
    assert figures["rel"] == pytest.approx(1 / 3) and figures["delta3"] == pytest.approx(2 / 3)
    assert figures["rmse_m"] == pytest.approx(math.sqrt(4 / 3))
    assert figures["log10"] == pytest.approx((math.log10(2.0) + 2) / 3)  # taken for a centimetre
    assert figures["coverage"] == pytest.approx(2 / 3)


def test_pixels_are_pooled_over_images() -> None:
    figures = errors(([[2.0]], [[1.0]]), ([[1.0, 1.0, 1.0]], [[1.0, 1.0, 1.0]]))
    assert figures["rel"] == pytest.approx(1 / 4)


def test_nothing_known_is_nan() -> None:
    assert math.isnan(errors()["rel"]) and math.isnan(relative_error(np.ones((2, 2)), np.zeros((2, 2))))


def test_bad_depths_are_named() -> None:
    with pytest.raises(ValueError, match="expected metres of at least 0"):
        errors(([[-1.0]], [[1.0]]))
    with pytest.raises(ValueError, match="expected metres of at least 0"):
        errors(([[np.nan]], [[1.0]]))
    with pytest.raises(ValueError, match="they must agree"):
        errors(([[1.0, 1.0]], [[1.0]]))
