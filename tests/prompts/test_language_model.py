"""A language model behind a real loopback service: asked in batches, its answers looked at, frozen, never twice."""

import json
import logging
import subprocess
import sys
import traceback
from pathlib import Path
from typing import Any

import pytest

from dataset_dm.errors import MissingExtra, PromptError
from dataset_dm.prompts import Endpoint, LanguageModel, Templates, llm_api, named_source, prepare, source_from_dict
from tests.prompts.conftest import Service, asked, said, sentences

MIX = Templates(("cat", "dog", "tvmonitor"))
KEY = "sk-very-secret-0123456789"


def writer_of(service: Service, **more: Any) -> Endpoint:
    return Endpoint(model="tiny", url=service.url, **more)


def source_of(service: Service, block: int = 4, **more: Any) -> LanguageModel:
    return LanguageModel(writer=writer_of(service, **more), mix=MIX, block=block)


def files(folder: Path) -> list[Path]:
    return sorted((folder / "prompts").glob("*"))


def test_prompts_are_asked_for_in_blocks_and_frozen(service: Service, own_home: Path) -> None:
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
    [book] = files(own_home)
    assert [json.loads(line).get("index") for line in book.read_text().splitlines()] == [None, 4, 5, 6, 7]


def test_the_class_mix_is_that_of_the_templates(service: Service, own_home: Path) -> None:
    mix = Templates(("cat", "dog", "bird", "car"), weights={"dog": 3.0, "cat": 1.0})
    source = LanguageModel(writer=writer_of(service), mix=mix, block=8)
    assert prepare(source, 0, {"train": 16}) == 16
    leaders = [source.prompt(0, "train", index).classes[0] for index in range(16)]
    assert leaders == [mix.prompt(0, "train", index).classes[0] for index in range(16)]
    assert 11 <= leaders.count("dog") <= 13 and leaders.count("dog") + leaders.count("cat") == 16


def test_preparing_draws_only_what_is_missing(service: Service, own_home: Path) -> None:
    source, told = source_of(service), []
    source.prompt(0, "train", 0)
    assert prepare(source, 0, {"train": 6, "test": 1}, told.append) == 8  # 4..7 of train, 0..3 of test
    assert sum(told) == 8 and len(service.requests) == 3
    assert prepare(source, 0, {"train": 8, "test": 4}) == 0
    assert len(service.requests) == 3
    assert prepare(source, 1, {"train": 1}) == 4  # another seed, other prompts


def test_the_plain_form_opens_it_again_and_holds_no_key(
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


def test_the_address_may_come_from_the_environment(
    service: Service, own_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", service.url)
    source = named_source("openai:tiny", MIX)
    assert isinstance(source, LanguageModel)
    source.prompt(0, "train", 0)
    assert len(service.requests) == 1
    assert service.url not in json.dumps(source.to_dict())  # the service may move


def test_a_worker_reads_what_was_prepared_and_asks_nobody(service: Service, own_home: Path) -> None:
    source = source_of(service)
    prepare(source, 0, {"train": 2})
    service.close()
    script = """
import json, sys
from dataset_dm.prompts import source_from_dict
print(source_from_dict(json.loads(sys.argv[1])).prompt(0, "train", 1).text)
print(sorted({"torch", "datasets", "openai"} & set(sys.modules)))
"""
    words = [sys.executable, "-c", script, json.dumps(source.to_dict())]
    ran = subprocess.run(words, capture_output=True, text=True, check=True)
    assert ran.stdout.splitlines() == [source.prompt(0, "train", 1).text, "[]"]


def test_a_block_that_fails_leaves_the_others(service: Service, own_home: Path) -> None:
    """Several blocks are asked for at the same time; one of them is refused."""

    def answer(number: int, request: dict[str, Any]) -> tuple[int, Any]:
        bad = MIX.prompt(0, "train", 9).text in request["messages"][1]["content"]
        return (400, {"error": {"message": "too long"}}) if bad else (200, said(sentences(request)))

    service.answer = answer
    source = source_of(service, block=1)
    with pytest.raises(PromptError, match="HTTP 400 .*too long"):
        prepare(source, 0, {"train": 12})
    [book] = files(own_home)
    kept = {json.loads(line).get("index") for line in book.read_text().splitlines()} - {None}
    assert len(kept) >= 6 and 9 not in kept
    service.answer = lambda number, request: (200, said(sentences(request)))
    asked_before = len(service.requests)
    assert prepare(source, 0, {"train": 12}) == 12 - len(kept) == len(service.requests) - asked_before


def test_errors_of_the_service_are_waited_out(service: Service, own_home: Path) -> None:
    def answer(number: int, request: dict[str, Any]) -> tuple[int, Any]:
        return (429, {"error": {"message": "slow down"}}) if number < 2 else (200, said(sentences(request)))

    service.answer = answer
    assert source_of(service).prompt(0, "train", 0).text.startswith("A sunny view")
    assert len(service.requests) == 3


def test_only_what_is_no_use_is_asked_for_again(service: Service, own_home: Path) -> None:
    def answer(number: int, request: dict[str, Any]) -> tuple[int, Any]:
        lines = sentences(request).splitlines()
        if number == 0:
            lines[1], lines[2] = "2. A view of nothing.", "no number"
        return 200, said("Here you are:\n" + "\n".join(lines))

    service.answer = answer
    prepare(source_of(service), 0, {"train": 4})
    assert [len(asked(request)) for request in service.requests] == [4, 2]
    assert service.requests[0]["seed"] != service.requests[1]["seed"]


def test_an_answer_that_stays_useless_is_one_line_and_the_rest_is_kept(service: Service, own_home: Path) -> None:
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
    ("body", "said_of_it"),
    [
        (said(None), "which is empty"),
        (said("1. " + "dog and cat and tv monitor " * 20), "more than 60 words"),
        (b"<html>hello</html>", "its answer cannot be read .*; check that the address"),
        ({"choices": []}, "which is empty"),
    ],
)
def test_answers_that_are_none(service: Service, own_home: Path, body: Any, said_of_it: str) -> None:
    service.answer = lambda number, request: (200, body)
    with pytest.raises(PromptError, match=said_of_it) as caught:
        source_of(service, block=1).prompt(0, "train", 0)
    assert "\n" not in str(caught.value)


def test_a_list_in_json_is_read_too(service: Service, own_home: Path) -> None:
    def answer(number: int, request: dict[str, Any]) -> tuple[int, Any]:
        captions = [f"Here is a {' with a '.join(words)}" for words in asked(request)]
        return 200, said(f"```json\n{json.dumps(captions)}\n```")

    service.answer = answer
    assert source_of(service).prompt(0, "train", 3).text.startswith("Here is a ")


def test_texts_are_tidied_and_other_classes_noticed(service: Service, own_home: Path) -> None:
    text = '1. "A dog | a cat,\u2028and a tv  monitor \ud83d"'
    service.answer = lambda number, request: (200, said(text))
    prompt = source_of(service, block=1).prompt(0, "train", 0)
    assert prompt.text == "A dog, a cat, and a tv monitor"
    assert sorted(prompt.classes) == ["cat", "dog", "tvmonitor"]
    assert prompt.classes[0] == MIX.prompt(0, "train", 0).classes[0]


@pytest.mark.parametrize(("status", "expected"), [(401, "check the key in \\$OPENAI_API_KEY"), (404, "HTTP 404 ")])
def test_a_refusal_never_shows_the_key(
    service: Service, own_home: Path, monkeypatch: pytest.MonkeyPatch, status: int, expected: str
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    service.answer = lambda number, request: (status, {"error": {"message": f"bad key {KEY}"}})
    with pytest.raises(PromptError, match=expected) as caught:
        source_of(service).prompt(0, "train", 0)
    shown = "".join(traceback.format_exception(caught.value))
    assert KEY not in shown and service.url in str(caught.value) and "\n" not in str(caught.value)
    assert files(own_home) == []


def test_a_key_in_an_answer_is_not_kept(service: Service, own_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    service.answer = lambda number, request: (200, said(f"{sentences(request)} {KEY}"))
    assert KEY not in source_of(service, block=1).prompt(0, "train", 0).text


def test_the_key_is_in_no_log(
    service: Service, own_home: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Whatever the client and what is below it write down at the most talkative level."""
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    caplog.set_level(logging.DEBUG)
    for name in ("openai", "httpx", "httpcore"):
        caplog.set_level(logging.DEBUG, logger=name)
    service.answer = lambda number, request: (500, {"error": {"message": KEY}}) if number == 0 else (200, said("1. x"))
    with pytest.raises(PromptError, match="no usable prompt"):
        source_of(service, block=1).prompt(0, "train", 0)
    assert service.keys[0] == f"Bearer {KEY}" and "chat/completions" in caplog.text
    assert KEY not in caplog.text


@pytest.mark.parametrize("key", ["sk-secr\u00e9t", "sk-secret\nsk-secret"])
def test_a_key_that_no_request_can_carry(
    service: Service, own_home: Path, monkeypatch: pytest.MonkeyPatch, key: str
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", key)
    with pytest.raises(PromptError, match=r"\$OPENAI_API_KEY holds characters that no key has") as caught:
        source_of(service).prompt(0, "train", 0)
    assert "sk-" not in str(caught.value) and service.requests == []


def test_without_the_client(service: Service, own_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "openai", None)
    with pytest.raises(MissingExtra, match=r"install dataset-dm\[prompts\]"):
        source_of(service).prompt(0, "train", 0)


def test_no_key(service: Service, own_home: Path) -> None:
    with pytest.raises(PromptError, match="no key; set the environment variable OPENAI_API_KEY"):
        LanguageModel(writer=Endpoint(model="m"), mix=MIX).prompt(0, "train", 0)
    source_of(service).prompt(0, "train", 0)
    assert service.keys == ["Bearer none"]  # a service of one's own may want none


def test_an_endpoint_that_is_not_there(service: Service, own_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(llm_api, "_RETRIES", 0)
    source = source_of(service)
    service.close()
    with pytest.raises(PromptError, match=r"at http://127.0.0.1:\d+/v1: not reachable .*check the address"):
        source.prompt(0, "train", 0)


@pytest.mark.parametrize(
    ("given", "said_of_it"),
    [
        ({"model": " "}, "expected the name of a model"),
        ({"model": "m", "url": "me:secret@host/v1"}, "holds a password"),
        ({"model": "m", "url": "http://[1/v1"}, "expected such as http://localhost:8000/v1"),
        ({"model": "m", "url": "localhost:8000"}, "expected such as http://localhost:8000/v1"),
        ({"model": "m", "url": "https://me:secret@host/v1"}, "holds a password"),
        ({"model": "m", "url": "https://host/v1?key=secret"}, "holds a password or a query"),
        ({"model": "m", "options": {"messages": []}}, "option 'messages' is set by the package"),
        ({"model": "m", "options": {"stop": {1, 2}}}, "expected plain data"),
    ],
)
def test_bad_endpoints(given: dict[str, Any], said_of_it: str) -> None:
    with pytest.raises(PromptError, match=said_of_it) as caught:
        Endpoint(**given)
    assert "secret" not in str(caught.value)


def test_an_option_that_nobody_knows(service: Service, own_home: Path) -> None:
    with pytest.raises(PromptError, match="'temprature'; check its options"):
        source_of(service, options={"temprature": 1}).prompt(0, "train", 0)
    assert service.requests == []


@pytest.mark.parametrize("given", [{"block": 0}, {"block": True}, {"block": 257}, {"instruction": " "}])
def test_bad_language_models(given: dict[str, Any]) -> None:
    with pytest.raises(PromptError, match="language model: "):
        LanguageModel(**{"writer": Endpoint(model="m"), "mix": MIX, **given})
