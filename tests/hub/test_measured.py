"""Label quality on cards: the labeller's own figures, only while it is still the one that labelled."""

import json

import pytest

from dataset_dm.cards.measured import figures
from dataset_dm.hub.measured import quality_of
from dataset_dm.hub.statistics import Annotator
from dataset_dm.miniature import WEIGHTS
from dataset_dm.models.reference import fingerprint

HASH = fingerprint(WEIGHTS / "decoder")


def test_the_shipped_decoder_tells_its_figures() -> None:
    record = json.loads((WEIGHTS / "decoder" / "config.json").read_text())["record"]
    told = quality_of(Annotator("miniature", HASH), ["image", "depth_map"])
    measured = record["validation_figures"]
    assert told["figures"][0] == (
        "relative depth error",
        f"{measured['blind']['rel']:.3f}",
        f"{measured['informed']['rel']:.3f}",
    )
    assert len(told["figures"]) == 2 and told["images"] == record["validation_images"]


def test_another_decoder_in_its_place_tells_nothing() -> None:
    assert quality_of(Annotator("miniature", "0" * 16), ["label"]) is None


def test_labellers_without_figures() -> None:
    for name in ("attention", "/nowhere/decoder", "miniature + me/other", "me/not there"):
        assert quality_of(Annotator(name, HASH), ["label"]) is None
    assert quality_of(None, ["label"]) is None
    assert quality_of(Annotator("miniature", HASH), ["image"]) is None  # no column that it speaks of
    assert figures({}, ["semantic"]) is None


@pytest.mark.parametrize("readings", [("unprompted", "prompted"), ("blind", "informed")], ids=["now", "earlier"])
def test_readings_are_found_by_either_name(readings: tuple[str, str]) -> None:
    measured = dict(zip(readings, ({"miou": 0.5}, {"miou": 0.75, "ece": 0.125}), strict=True))
    assert figures({"record": {"validation_figures": measured}}, ["semantic"])["figures"] == [
        ("mIoU of class masks", "0.500", "0.750"),
        ("calibration error of its confidence (ECE)", "–", "0.125"),
    ]
