"""A chat model behind OpenAI's protocol: OpenAI itself, vLLM, Ollama, llama.cpp and others.

The API key is read from the environment for each request. It is in no plan, fingerprint, file or message.
"""

from __future__ import annotations

import functools
import json
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from dataset_dm.errors import MissingExtra, PromptError, explain, reason_of
from dataset_dm.prompts.llm import Ask, frozen_options
from dataset_dm.prompts.source import plain_form

if TYPE_CHECKING:
    import openai

OPENAI = "https://api.openai.com/v1"
URL_VARIABLE = "OPENAI_BASE_URL"
KEY_VARIABLE = "OPENAI_API_KEY"

_RETRIES = 5  # by the client: lost connections, 408, 409, 429 and 5xx, after 0.5, 1, 2 … s or as the service states
_SECONDS = 120  # for one answer
_NO_KEY = "none"  # self-hosted services need no key, but the client requires a text
_OURS = ("model", "messages", "stream", "n", "extra_headers", "api_key")
_NUMBERED = re.compile(r"^\s*(\d+)\s*[.):]\s*(.+?)\s*$", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """A chat model at an OpenAI-style address.

    Args:
        model: the model's name in the service.
        url: the address including "/v1". None is $OPENAI_BASE_URL, else OpenAI; the fingerprint then excludes it, so
            that the service may move.
        options: further parameters of the request, such as {"temperature": 1.0}; a mapping or pairs.
        key_variable: the environment variable with the API key.

    Raises:
        PromptError: no model, a malformed address or one with a password, an option that the package sets itself.
    """

    model: str
    url: str | None = None
    options: tuple[tuple[str, Any], ...] | Mapping[str, Any] = ()
    key_variable: str = KEY_VARIABLE

    parallel = 4

    def __post_init__(self) -> None:
        if not isinstance(self.model, str) or not self.model.strip():
            raise PromptError(explain("language model", got=self.model, expected="the name of a model"))
        if self.url is not None:
            _check_url(self.url)
        object.__setattr__(self, "options", frozen_options(self.options, _OURS))

    @property
    def label(self) -> str:
        """Its name in error messages: "language model 'x' at https://…"."""
        return f"language model {self.model!r} at {self._address()}"

    def write(self, instruction: str, asks: Sequence[Ask], seed: int) -> list[str | None]:
        """The answers to all requests, by one call of the service; see `Writer`. Services may ignore the seed."""
        address = self._address()
        _check_url(address)
        key = os.environ.get(self.key_variable, "").strip()
        if not (key.isascii() and key.isprintable()):  # the client's error would show it
            raise PromptError(f"{self.label}: ${self.key_variable} holds characters that no key has")
        if not key and address == OPENAI:
            remedy = f"set the environment variable {self.key_variable}"
            raise PromptError(f"{self.label}: no key; {remedy}, or name a service of your own by ${URL_VARIABLE}")
        wanted = "\n".join(f"{number}. {ask.line}" for number, ask in enumerate(asks, start=1))
        question = f"Write {len(asks)} captions, one a line, with their numbers, that show:\n{wanted}"
        text, fault = _ask(
            _client(address, key or _NO_KEY),
            self.key_variable,
            model=self.model,
            messages=[{"role": "system", "content": instruction}, {"role": "user", "content": question}],
            seed=seed,
            **dict(self.options),
        )
        if fault:  # raised here, so that no traceback shows the request
            raise PromptError(_without(key, f"{self.label}: {fault}"))
        return _answers(_without(key, text), len(asks))

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready form."""
        return plain_form("endpoint", self)

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> Endpoint:
        """The inverse of `to_dict`."""
        return cls(**{name: value for name, value in plain.items() if name != "kind"})

    def _address(self) -> str:
        return (self.url or os.environ.get(URL_VARIABLE) or OPENAI).rstrip("/")


def _check_url(url: object) -> None:
    """Refuses a malformed address, and one with a password or a query, which plans and messages would show."""
    if isinstance(url, str) and ("@" in url or "?" in url):
        raise PromptError("language model: the address holds a password or a query; put the key into the environment")
    try:
        parts = urlsplit(url if isinstance(url, str) else "")
    except ValueError:
        parts = urlsplit("")
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise PromptError(explain("language model: address", got=url, expected="such as http://localhost:8000/v1"))


@functools.lru_cache(maxsize=4)
def _client(address: str, key: str) -> openai.OpenAI:
    try:
        import openai
    except ImportError as error:
        what = "prompts of a language model's endpoint need openai, which is not installed"
        raise MissingExtra(explain(what, remedy="install dataset-dm[prompts]")) from error
    return openai.OpenAI(base_url=address, api_key=key, max_retries=_RETRIES, timeout=_SECONDS)


def _ask(client: openai.OpenAI, key_variable: str, **request: Any) -> tuple[str, str]:
    """(answer, "") or ("", description of the error)."""
    import openai

    try:
        answer = client.chat.completions.create(**request)
    except openai.APITimeoutError:
        return "", f"no answer within {_SECONDS} s, {_RETRIES + 1} times; try again later"
    except openai.APIConnectionError as error:
        return "", f"not reachable ({reason_of(error.__cause__ or error)}); check the address and that the service runs"
    except (openai.AuthenticationError, openai.PermissionDeniedError) as error:  # its message may show the key
        return "", f"refused (HTTP {error.status_code}); check the key in ${key_variable}"
    except openai.APIStatusError as error:
        return "", f"HTTP {error.status_code} ({reason_of(error)})"
    except TypeError as error:
        return "", f"{reason_of(error)}; check its options"
    except (openai.OpenAIError, ValueError) as error:
        return "", f"its answer cannot be read ({reason_of(error)}); check that the address speaks OpenAI's protocol"
    choices = getattr(answer, "choices", None)  # missing if the service has another protocol
    text = choices[0].message.content if choices and choices[0].message else None
    return (text if isinstance(text, str) else ""), ""


def _answers(text: str, count: int) -> list[str | None]:
    """The captions of an answer, from numbered lines or, as some models always write, from a JSON list."""
    listed = re.search(r"\[.*\]", text, re.DOTALL)
    if listed:
        try:
            items = json.loads(listed.group(0))
        except ValueError:
            items = None
        if isinstance(items, list) and len(items) == count and all(isinstance(item, str) for item in items):
            return list(items)
    if count == 1 and not _NUMBERED.search(text):
        return [text]
    numbered = {int(number): line for number, line in _NUMBERED.findall(text)}
    return [numbered.get(number) for number in range(1, count + 1)]


def _without(key: str, text: str) -> str:
    return text.replace(key, "***") if key else text
