"""Prompts of a language model behind a real loopback service: requested in blocks, checked, cached."""

import json
from pathlib import Path
from typing import Any

import pytest

from dataset_dm.errors import PromptError
from dataset_dm.prompts import Endpoint, LanguageModel, Templates, prepare, source_from_dict
from tests.prompts.conftest import KEY, MIX, Service, asked, files, said, sentences, source_of, writer_of


def test_prompts_are_requested_in_blocks_and_cached(service: Service, own_home: Path) -> None:
    source = source_of(service, options={"temperature": 0.5})
    first = source.prompt(0, "train", 5)
    assert first.classes == MIX.prompt(0, "train", 5).classes
    words = " and a ".join("tv monitor" if name == "tvmonitor" else name for name in first.classes)
    assert first.text == f"A sunny view of a {words}."
    [request] = service.requests
    assert (request["path"], request["model"], request["temperature"]) == ("/v1/chat/completions", "tiny", 0.5)
    assert request["messages"][0] == {"role": "system", "content": source.instruction}
    assert len(asked(request)) == 4  # 4, 5, 6, 7
    assert f"for instance: {MIX.prompt(0, 'train', 5).text}" in request["messages"][1]["content"]
    service.answer = lambda number, request: (200, said("something else"))
    assert source.prompt(0, "train", 5) == first
    assert source.prompt(0, "train", 7).classes == MIX.prompt(0, "train", 7).classes
    assert len(service.requests) == 1
    [file] = files(own_home)
    assert [json.loads(line).get("index") for line in file.read_text().splitlines()] == [None, 4, 5, 6, 7]


def test_the_class_mix_is_that_of_the_templates(service: Service, own_home: Path) -> None:
    mix = Templates(("cat", "dog", "bird", "car"), weights={"dog": 3.0, "cat": 1.0})
    source = LanguageModel(writer=writer_of(service), mix=mix, block=8)
    assert prepare(source, 0, {"train": 16}) == 16
    leaders = [source.prompt(0, "train", index).classes[0] for index in range(16)]
    assert leaders == [mix.prompt(0, "train", index).classes[0] for index in range(16)]
    assert 11 <= leaders.count("dog") <= 13 and leaders.count("dog") + leaders.count("cat") == 16


def test_the_plain_form_opens_it_again_and_has_no_key(
    service: Service, own_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    source = source_of(service, options={"stop": ["###"]})
    plain = json.dumps(source.to_dict())
    assert source_from_dict(json.loads(plain)).to_dict() == source.to_dict()
    source.prompt(0, "train", 0)
    assert service.keys == [f"Bearer {KEY}"]
    everything = plain + repr(source) + "".join(file.read_text() for file in files(own_home))
    assert KEY not in everything
    monkeypatch.setenv("MY_KEY", "another")
    source_of(service, key_variable="MY_KEY").prompt(0, "train", 0)
    assert service.keys[-1] == "Bearer another"


def test_only_unusable_answers_are_requested_again(service: Service, own_home: Path) -> None:
    def answer(number: int, request: dict[str, Any]) -> tuple[int, Any]:
        lines = sentences(request).splitlines()
        if number == 0:
            lines[1], lines[2] = "2. A view of nothing.", "no number"
        return 200, said("Here you are:\n" + "\n".join(lines))

    service.answer = answer
    prepare(source_of(service), 0, {"train": 4})
    assert [len(asked(request)) for request in service.requests] == [4, 2]
    assert service.requests[0]["seed"] != service.requests[1]["seed"]


def test_an_answer_that_stays_unusable_is_one_line_and_the_rest_is_kept(service: Service, own_home: Path) -> None:
    def answer(number: int, request: dict[str, Any]) -> tuple[int, Any]:
        good = sentences(request).splitlines()[: 3 if number == 0 else 0]
        return 200, said("\n".join([*good, f"{len(good) + 1}. I cannot help with that."]))

    service.answer = answer
    source = source_of(service)
    with pytest.raises(
        PromptError, match="no usable prompt in 4 tries .*'I cannot help with that.', which does not name"
    ):
        source.prompt(0, "train", 0)
    assert len(service.requests) == 4
    assert source.prompt(0, "train", 0).text.startswith("A sunny view")  # it was written before the other failed
    assert len(service.requests) == 4


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (said(None), "which is empty"),
        (said("1. " + "dog and cat and tv monitor " * 20), "more than 60 words"),
        (b"<html>hello</html>", "its answer cannot be read .*; check that the address"),
        ({"choices": []}, "which is empty"),
    ],
)
def test_unusable_answers(service: Service, own_home: Path, body: Any, message: str) -> None:
    service.answer = lambda number, request: (200, body)
    with pytest.raises(PromptError, match=message) as caught:
        source_of(service, block=1).prompt(0, "train", 0)
    assert "\n" not in str(caught.value)


def test_texts_are_tidied_and_other_classes_noticed(service: Service, own_home: Path) -> None:
    text = '1. "A dog | a cat,\u2028and a tv  monitor \ud83d"'
    service.answer = lambda number, request: (200, said(text))
    prompt = source_of(service, block=1).prompt(0, "train", 0)
    assert prompt.text == "A dog, a cat, and a tv monitor"
    assert sorted(prompt.classes) == ["cat", "dog", "tvmonitor"]
    assert prompt.classes[0] == MIX.prompt(0, "train", 0).classes[0]


@pytest.mark.parametrize("given", [{"block": 0}, {"block": True}, {"block": 257}, {"instruction": " "}])
def test_bad_language_models(given: dict[str, Any]) -> None:
    with pytest.raises(PromptError, match="language model: "):
        LanguageModel(**{"writer": Endpoint(model="m"), "mix": MIX, **given})
