"""Requests for prompts as text, and the options of a language model."""

import pytest

from dataset_dm.errors import PromptError
from dataset_dm.prompts.llm import Ask, frozen_options


def test_a_request_names_the_words_and_an_example() -> None:
    ask = Ask(("dog", "tvmonitor"), ("dog", "tv monitor"), "a photo of a dog and a tv monitor")
    assert ask.line == "dog, tv monitor (for instance: a photo of a dog and a tv monitor)"


def test_options_are_pairs_in_the_given_order() -> None:
    expected = (("top_p", 0.9), ("stop", ["###"]))
    assert frozen_options({"top_p": 0.9, "stop": ["###"]}, ("model",)) == expected
    assert frozen_options(expected, ("model",)) == expected
    assert frozen_options((), ("model",)) == ()


@pytest.mark.parametrize(
    ("options", "message"),
    [({"model": "x"}, "'model' is set by the package"), ({"stop": {1, 2}}, "'stop': got {1, 2}, expected plain data")],
)
def test_bad_options(options: dict[str, object], message: str) -> None:
    with pytest.raises(PromptError, match=message):
        frozen_options(options, ("model",))
