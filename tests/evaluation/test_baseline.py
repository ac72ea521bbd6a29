"""The baseline learns, repeats itself, and augments labels together with pictures."""

import numpy as np
import pytest
import torch

from dataset_dm.evaluation.baseline import BaselineConfig, augment, count_parameters, score, train_baseline, widths_for
from dataset_dm.evaluation.sources import NAMES, renders
from dataset_dm.miniature.judge import JudgeNet

SMALL = {"images": 4, "validation": 2, "parameters": 50_000, "batch": 4}


@pytest.mark.parametrize("wanted", [300_000, 2_000_000, 5_000_000])
def test_size_is_like_the_decoders(wanted: int) -> None:
    assert count_parameters(JudgeNet(len(NAMES), widths_for(wanted))) == pytest.approx(wanted, rel=0.15)


def test_labels_move_with_pictures() -> None:
    rng = np.random.default_rng(0)
    truth = torch.from_numpy(np.kron(rng.integers(0, 20, (8, 4, 4)), np.ones((16, 16))).astype(np.uint8))
    images = truth[..., None].repeat(1, 1, 1, 3) * 10
    pixels, target = augment(images, truth, np.random.default_rng(1), 0.5)
    assert pixels.shape == (8, 3, 64, 64) and target.shape == (8, 64, 64)
    shown = ((pixels[:, 0] + 1) * 12.75).round()
    assert (shown == target).float().mean() > 0.8  # all but the blurred borders
    assert not torch.equal(target, truth.long())


def test_training_learns() -> None:
    config = BaselineConfig(**SMALL, steps=24, looks=2, learning_rate=1e-2, smallest_crop=1.0)
    trained = train_baseline(config)
    assert [step for step, _ in trained.validation] == [12, 24] and trained.best_step in (12, 24)
    seen = next(iter(renders(4, 4, split="train")))
    always_background = (seen.truth == 0).mean()
    assert score(trained.model, seen).accuracy() > always_background + 0.03


def test_training_repeats_itself() -> None:
    config = BaselineConfig(**SMALL, steps=3, looks=1)
    first, second = (train_baseline(config).model.net.state_dict() for _ in range(2))
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_bad_settings_are_named() -> None:
    with pytest.raises(ValueError, match="steps must be at least 1, got 0"):
        BaselineConfig(steps=0)
