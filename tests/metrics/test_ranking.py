"""The area under the ROC curve, by hand."""

import math

import numpy as np
import pytest

from dataset_dm.metrics.ranking import Ranking


def auroc(score: list[float], right: list[bool]) -> float:
    ranking = Ranking()
    ranking.add(np.array(score), np.array(right))
    return ranking.auroc()


def test_pairs_are_counted() -> None:
    # of six pairs of a right and a wrong answer, four are ranked rightly, one is a tie
    assert auroc([0.9, 0.5, 0.7, 0.5, 0.1], [True, True, False, False, False]) == pytest.approx(4.5 / 6)
    assert auroc([0.9, 0.1], [True, False]) == 1 and auroc([0.1, 0.9], [True, False]) == 0
    assert auroc([0.5] * 4, [True, True, False, False]) == 0.5
    assert math.isnan(auroc([0.5, 0.6], [True, True]))


def test_images_add_up() -> None:
    whole, parts = Ranking(), Ranking()
    rng = np.random.default_rng(0)
    score, right = rng.random((4, 6, 5)), rng.random((4, 6, 5)) > 0.3
    whole.add(score, right)
    for one in zip(score, right, strict=True):
        parts.add(*one)
    assert whole.auroc() == parts.auroc()


def test_agreement_is_a_score_of_two_steps() -> None:
    # right where they agree: 3 of 4; right where they do not: 1 of 4
    same = np.array([True] * 4 + [False] * 4)
    right = np.array([True, True, True, False, True, False, False, False])
    ranking = Ranking()
    ranking.add(same, right)
    assert ranking.auroc() == pytest.approx((3 * 3 + (3 * 1 + 1 * 3) / 2) / 16)


def test_bad_scores_are_refused() -> None:
    with pytest.raises(ValueError, match="2 scores but 1 outcomes"):
        Ranking().add(np.array([0.1, 0.2]), np.array([True]))
    with pytest.raises(ValueError, match="scores must be in 0..1"):
        Ranking().add(np.array([1.5]), np.array([True]))
