"""Keep a row, or say why not."""

import pytest

from dataset_dm.errors import ConfigError
from dataset_dm.filters import Drop, from_dict

GOOD = {"unsafe": False, "confidence": 0.8, "uncertain": 0.1, "classes": [3]}


def verdicts(asked: dict, **facts: object) -> list[str]:
    return [drop.reason for keep in from_dict(asked) if isinstance(drop := keep({**GOOD, **facts}), Drop)]


def test_blacked_out_pictures_are_always_dropped() -> None:
    assert verdicts({}, unsafe=True) == ["unsafe"]
    assert verdicts({}) == []


@pytest.mark.parametrize(
    ("asked", "facts", "reason"),
    [
        ({"min_confidence": 0.8}, {"confidence": 0.79}, "low_confidence"),
        ({"max_uncertain": 0.1}, {"uncertain": 0.11}, "too_uncertain"),
        ({"min_classes": 1}, {"classes": []}, "too_few_classes"),
    ],
)
def test_bounds_are_inclusive(asked: dict, facts: dict, reason: str) -> None:
    assert verdicts(asked) == []
    assert verdicts(asked, **facts) == [reason]


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"min_confidense": 0.5}, "did you mean 'min_confidence'"),
        ({"min_confidence": 2}, "expected a number from 0 to 1"),
        ({"max_uncertain": "much"}, "expected a number from 0 to 1"),
        ({"min_classes": -1}, "expected a whole number"),
        ("strict", "expected a dict"),
    ],
)
def test_bad_filters_are_named(asked: object, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        from_dict(asked)
