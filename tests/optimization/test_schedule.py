"""Learning rates, worked out by hand."""

import pytest

from dataset_dm.optimization.config import LoopConfig
from dataset_dm.optimization.schedule import learning_rate_shares


def shares(**settings: object) -> list[float]:
    config = LoopConfig(**settings)
    share = learning_rate_shares(config)
    return [share(step) for step in range(config.steps)]


def test_linear_warm_up_then_half_a_cosine_to_a_hundredth() -> None:
    # 4 steps after a warm-up of 2: a quarter, a half, three quarters and all of half a cosine
    assert shares(steps=6, warmup=2) == pytest.approx(
        [0.5, 1, 0.01 + 0.99 * 0.8535534, 0.505, 0.01 + 0.99 * 0.1464466, 0.01]
    )
    assert shares(steps=2, warmup=0) == pytest.approx([0.505, 0.01])


def test_other_schedules() -> None:
    assert shares(steps=4, warmup=2, schedule="constant") == [1, 1, 1, 1]
    assert shares(steps=4, warmup=2, schedule="constant_with_warmup") == [0.5, 1, 1, 1]
    assert shares(steps=4, warmup=2, schedule="linear") == [0.5, 1, 0.5, 0]
    assert shares(steps=4, warmup=2, schedule="cosine") == pytest.approx([0.5, 1, 0.5, 0])
    assert shares(steps=2, warmup=0, min_lr_rate=0.02) == pytest.approx([0.51, 0.02])
