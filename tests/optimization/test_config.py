"""Settings are checked when they are made."""

import doctest

import pytest

from dataset_dm.errors import ConfigError
from dataset_dm.optimization import config
from dataset_dm.optimization.config import LoopConfig

BAD = [
    ({"batch": True}, "training: batch: got True"),
    ({"learning_rate": 0}, "training: learning_rate: got 0, expected a number above 0"),
    ({"ema_decay": 1.5}, "training: ema_decay: got 1.5, expected a number from 0 to 1"),
    ({"schedule": "cosin"}, "schedule: got 'cosin'.*did you mean 'cosine'"),
    ({"precision": "fp8"}, "precision: got 'fp8', expected fp32 or bf16 or fp16"),
    ({"seconds": 0}, "seconds: got 0"),
]


@pytest.mark.parametrize(("values", "said"), BAD)
def test_bad_settings_are_one_line(values: dict, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        LoopConfig(**values)


def test_values_have_their_proper_type() -> None:
    assert isinstance(LoopConfig(learning_rate=1).learning_rate, float)
    assert doctest.testmod(config).failed == 0
