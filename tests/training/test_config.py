"""Settings of a training are checked when they are made, and known by their earlier names."""

import pytest

from dataset_dm.errors import ConfigError
from dataset_dm.training.config import TrainConfig, with_settings

BAD = [
    ({"num_labelled": 0}, "training: num_labelled: got 0, expected a whole number of at least 1"),
    ({"steps": 0}, "training: steps: got 0"),
    ({"void_share": 1}, "training: void_share: got 1, expected 0 or more, below 1"),
    ({"variants": 0}, "training: variants: got 0"),
    ({"long_tail": 0.5}, "training: long_tail: got 0.5, expected a number of at least 1"),
    ({"dtype": "float23"}, "training: dtype: got 'float23'.*did you mean 'float32'"),
]


@pytest.mark.parametrize(("values", "said"), BAD)
def test_bad_settings_are_one_line(values: dict, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        TrainConfig(**values)


def test_names_of_earlier_versions() -> None:
    with pytest.warns(DeprecationWarning, match="clip is called max_grad_norm now"):
        config = with_settings(TrainConfig(steps=3), {"clip": 0.5, "batch": None})
    assert (config.max_grad_norm, config.steps, config.batch) == (0.5, 3, 8)
