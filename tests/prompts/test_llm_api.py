"""A chat model behind a real loopback service: retries, formats of answers, the key, and errors in one line."""

import json
import logging
import sys
import traceback
from pathlib import Path
from typing import Any

import pytest

from dataset_dm.errors import MissingExtra, PromptError
from dataset_dm.prompts import Endpoint, LanguageModel, llm_api, named_source
from tests.prompts.conftest import KEY, MIX, Service, asked, files, said, sentences, source_of


def test_the_address_may_come_from_the_environment(
    service: Service, own_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", service.url)
    source = named_source("openai:tiny", MIX)
    assert isinstance(source, LanguageModel)
    source.prompt(0, "train", 0)
    assert len(service.requests) == 1
    assert service.url not in json.dumps(source.to_dict())  # the service may move


def test_temporary_errors_of_the_service_are_retried(service: Service, own_home: Path) -> None:
    def answer(number: int, request: dict[str, Any]) -> tuple[int, Any]:
        return (429, {"error": {"message": "slow down"}}) if number < 2 else (200, said(sentences(request)))

    service.answer = answer
    assert source_of(service).prompt(0, "train", 0).text.startswith("A sunny view")
    assert len(service.requests) == 3


def test_a_list_in_json_is_read_too(service: Service, own_home: Path) -> None:
    def answer(number: int, request: dict[str, Any]) -> tuple[int, Any]:
        captions = [f"Here is a {' with a '.join(words)}" for words in asked(request)]
        return 200, said(f"```json\n{json.dumps(captions)}\n```")

    service.answer = answer
    assert source_of(service).prompt(0, "train", 3).text.startswith("Here is a ")


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
    """At the most verbose level of the client and its libraries."""
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
    assert service.keys == ["Bearer none"]  # a self-hosted service may need none


def test_an_unreachable_endpoint(service: Service, own_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(llm_api, "_RETRIES", 0)
    source = source_of(service)
    service.close()
    with pytest.raises(PromptError, match=r"at http://127.0.0.1:\d+/v1: not reachable .*check the address"):
        source.prompt(0, "train", 0)


@pytest.mark.parametrize(
    ("given", "message"),
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
def test_bad_endpoints(given: dict[str, Any], message: str) -> None:
    with pytest.raises(PromptError, match=message) as caught:
        Endpoint(**given)
    assert "secret" not in str(caught.value)


def test_an_unknown_option(service: Service, own_home: Path) -> None:
    with pytest.raises(PromptError, match="'temprature'; check its options"):
        source_of(service, options={"temprature": 1}).prompt(0, "train", 0)
    assert service.requests == []
