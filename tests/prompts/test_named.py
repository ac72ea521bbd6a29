"""Prompt sources by name."""

from pathlib import Path

import pytest

from dataset_dm.errors import PromptError
from dataset_dm.prompts import Captions, Endpoint, LanguageModel, Templates, named_source

MIX = Templates(("cat", "dog"), prompted=("cat",))
WEIGHED = Templates(("cat", "dog"), weights={"dog": 1.0})


def test_templates_are_the_given_ones() -> None:
    assert named_source("templates", MIX) is MIX


def test_captions_name_the_prompted_classes_or_follow_the_weights(tmp_path: Path) -> None:
    expected = Captions(dataset="owner/name@main", column="caption", classes=("cat",))
    assert named_source("captions:owner/name@main#caption", MIX) == expected
    assert named_source("captions:owner/name#caption", Templates(("cat", "dog"))).classes == ("cat", "dog")
    weighed = named_source("captions:owner/a#b#caption", WEIGHED)
    assert weighed == Captions(dataset="owner/a#b", column="caption", mix=WEIGHED)


def test_a_chat_model_writes_for_the_templates() -> None:
    assert named_source("openai: gpt-4o-mini ", MIX) == LanguageModel(writer=Endpoint(model="gpt-4o-mini"), mix=MIX)


@pytest.mark.parametrize("given", ["prompts.txt", "C:\\prompts.txt", "captions", "Templates"])
def test_other_texts_are_no_names(given: str) -> None:
    assert named_source(given, MIX) is None


@pytest.mark.parametrize("given", ["captions:x", "captions:#caption", "captions:x#", "openai:", "transformers: "])
def test_a_name_without_its_rest(given: str) -> None:
    with pytest.raises(PromptError, match=f"got '{given}', expected .*such as"):
        named_source(given, MIX)
