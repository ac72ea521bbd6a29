"""Keep a row, or say why not."""

import pytest

from dataset_dm.errors import ConfigError
from dataset_dm.rows.filters import KNOWN, Drop, from_dict, min_score, resamples

GOOD = {
    "unusable": None,
    "confidence": 0.8,
    "uncertain": 0.1,
    "classes": [3],
    "area": 0.25,
    "asked_presence": 0.9,
    "objects": 2,
    "object_confidence": 0.7,
    "keypoint_confidence": 0.6,
    "depth_confidence": 0.5,
}


def verdicts(asked: dict, **facts: object) -> list[str]:
    return [drop.reason for keep in from_dict(asked) if isinstance(drop := keep({**GOOD, **facts}), Drop)]


def test_images_that_cannot_be_used_are_always_dropped() -> None:
    assert verdicts({}, unusable="unsafe") == ["unsafe"]
    assert verdicts({}) == []


@pytest.mark.parametrize(
    ("asked", "facts", "reason"),
    [
        ({"min_confidence": 0.8}, {"confidence": 0.79}, "low_confidence"),
        ({"max_uncertain": 0.1}, {"uncertain": 0.11}, "too_uncertain"),
        ({"min_classes": 1}, {"classes": []}, "too_few_classes"),
        ({"min_area": 0.25}, {"area": 0.24}, "label_too_small"),
        ({"max_area": 0.25}, {"area": 0.26}, "label_too_large"),
        ({"min_presence": 0.9}, {"asked_presence": 0.89}, "class_not_present"),
        ({"min_objects": 2}, {"objects": 1}, "too_few_objects"),
        ({"min_object_confidence": 0.7}, {"object_confidence": 0.69}, "low_object_confidence"),
        ({"min_keypoint_confidence": 0.6}, {"keypoint_confidence": 0.59}, "low_keypoint_confidence"),
        ({"min_depth_confidence": 0.5}, {"depth_confidence": 0.49}, "low_depth_confidence"),
        ({"min_depth_confidence": 0.0}, {"depth_confidence": None}, "low_depth_confidence"),
    ],
)
def test_bounds_are_inclusive(asked: dict, facts: dict, reason: str) -> None:
    assert verdicts(asked) == []
    assert verdicts(asked, **facts) == [reason]


def test_a_row_without_instances_has_no_low_confidence() -> None:
    assert verdicts({"min_object_confidence": 1}, object_confidence=None) == []
    assert verdicts({"min_keypoint_confidence": 1}, keypoint_confidence=None) == []
    assert verdicts({"min_presence": 1}, asked_presence=None) == []


def test_min_score_drops_no_row() -> None:
    assert verdicts({"min_score": 1.0}) == []
    assert min_score(from_dict({"min_score": 0.5})) == 0.5 and min_score(from_dict({})) == 0


@pytest.mark.parametrize("name", KNOWN)
def test_a_filter_needs_its_kind_of_label(name: str) -> None:
    for task in ("semantic", "instance", "depth", "pose"):
        if task in KNOWN[name].needs:
            assert len(from_dict({name: 1}, [task])) == 2
        else:
            with pytest.raises(ConfigError, match=f"{name} needs labels of kind .*: got '{task}'"):
                from_dict({name: 1}, [task])


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"min_confidense": 0.5}, "did you mean 'min_confidence'"),
        ({"min_confidence": 2}, "expected a number from 0 to 1"),
        ({"max_uncertain": "much"}, "expected a number from 0 to 1"),
        ({"min_classes": -1}, "expected a whole number"),
        ({"min_objects": 1.5}, "expected a whole number"),
        ({"min_objects": float("inf")}, "expected a whole number"),
        ({"min_score": float("nan")}, "expected a number from 0 to 1"),
        ("strict", "expected a dict"),
    ],
)
def test_bad_filters_are_named(asked: object, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        from_dict(asked)


def test_what_becomes_of_dropped_rows() -> None:
    assert (resamples(None), resamples("keep_fewer"), resamples("resample")) == (False, False, True)
    with pytest.raises(ConfigError, match="on_drop: got 'resampel', .*did you mean 'resample'"):
        resamples("resampel")
