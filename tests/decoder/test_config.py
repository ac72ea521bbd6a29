"""A decoder's config: what is refused, and what earlier versions wrote."""

import pytest

from dataset_dm.decoder import PDecoderConfig
from dataset_dm.errors import ConfigError
from tests.decoder.conftest import SPEC


def test_a_config_survives_json() -> None:
    config = PDecoderConfig(spec=SPEC, classes=("a", "b"), tasks=("semantic", "instance"), instance_width=32)
    assert PDecoderConfig.from_dict(config.to_dict()) == config


def test_format_3_is_read_without_its_query_branch() -> None:
    config = PDecoderConfig(spec=SPEC, classes=("a",), instance_width=32)
    written = config.to_dict() | {"format": 3, "queries": 0, "query_layers": 3, "query_width": 32}
    del written["instance_width"]
    assert PDecoderConfig.from_dict(written) == config
    with pytest.raises(ConfigError, match="queries: got 20, expected 0; train the decoder again"):
        PDecoderConfig.from_dict(written | {"queries": 20})


@pytest.mark.parametrize(
    "wrong, message",
    [
        ({"width": 0}, "width: got 0, expected at least 1"),
        ({"width": 12, "groups": 8}, "width: got 12, expected a multiple of groups=8"),
        ({"dropout": 1.0}, "dropout: got 1.0"),
        ({"depth_range": (2.0, 1.0)}, "depth_range"),
        ({"temperature": 0.0}, "temperature"),
        ({"tasks": ()}, "at least one task"),
        ({"tasks": ("pose",)}, "'pose' needs 'instance'"),
    ],
)
def test_impossible_shapes_are_refused(wrong: dict, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        PDecoderConfig(spec=SPEC, classes=("a",), **wrong)


def test_formats_from_elsewhere_and_unknown_keys() -> None:
    written = PDecoderConfig(spec=SPEC, classes=("a",)).to_dict()
    with pytest.raises(ConfigError, match="got 9, expected format 4"):
        PDecoderConfig.from_dict(written | {"format": 9})
    with pytest.raises(ConfigError, match="unknown key 'widht'; did you mean 'width'"):
        PDecoderConfig.from_dict(written | {"widht": 3})
