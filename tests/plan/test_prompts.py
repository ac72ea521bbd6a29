"""Classes and prompts of a request."""

from pathlib import Path

import pytest

from dataset_dm.errors import ConfigError
from dataset_dm.models.generators import MINIATURE
from dataset_dm.models.reference import Source
from dataset_dm.plan.prompts import resolve_classes, resolve_prompts
from dataset_dm.prompts import Appended, Templates

EMBEDDED = Source(MINIATURE, None, Path("/miniature"))
OTHER = Source("/models/other", None, Path("/models/other"))


def test_classes_are_those_given_or_the_default() -> None:
    assert resolve_classes(None, ("dog", "cat"), EMBEDDED) == ("dog", "cat")
    assert resolve_classes(("airplane",), ("dog",), EMBEDDED) == ("airplane",)
    assert resolve_classes(("forklift",), ("dog",), OTHER) == ("forklift",)


@pytest.mark.parametrize(
    "classes, message",
    [
        (("dog", "cat", "dog"), "classes: got 'dog', expected every name once"),
        (("background",), "names without background, which is always id 0"),
        (("forklift",), "unknown class 'forklift'; the miniature generator draws aeroplane"),
        (("horze",), "did you mean 'horse'"),
    ],
)
def test_classes_that_cannot_be_labelled(classes: tuple[str, ...], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        resolve_classes(classes, (), EMBEDDED)


def test_at_most_254_classes_fit_into_a_byte() -> None:
    names = tuple(f"part {number}" for number in range(255))
    with pytest.raises(ConfigError, match="got '255 names', expected at most 254"):
        resolve_classes(names, (), OTHER)
    assert len(resolve_classes(names[:254], (), OTHER)) == 254


def test_default_prompts_are_templates_over_the_classes() -> None:
    source = resolve_prompts(None, ("dog", "car"), EMBEDDED, {})
    assert isinstance(source, Templates) and source.classes == ("dog", "car")
    named = {name for index in range(40) for name in source.prompt(0, "train", index).classes}
    assert named == {"dog", "car"}


def test_class_words_are_appended_once() -> None:
    source = resolve_prompts(None, ("dog",), EMBEDDED, {}, append_classes=True)
    assert isinstance(source, Appended) and source.prompt(0, "train", 0).text.endswith("; dog")
    assert resolve_prompts(source, ("dog",), EMBEDDED, {}, append_classes=True) is source


def test_a_class_mix_weighs_templates_but_no_file(tmp_path: Path) -> None:
    source = resolve_prompts(None, ("dog", "car"), EMBEDDED, {}, class_mix={"dog": 3.0, "car": 1.0})
    led = [source.prompt(0, "train", index).classes[0] for index in range(400)]
    assert 0.68 < led.count("dog") / 400 < 0.82
    (tmp_path / "prompts.txt").write_text("a dog\na car\n")
    with pytest.raises(ConfigError, match="class_mix: the prompts given are drawn as they are; leave it out"):
        resolve_prompts(str(tmp_path / "prompts.txt"), ("dog", "car"), EMBEDDED, {}, class_mix={"dog": 1.0})
