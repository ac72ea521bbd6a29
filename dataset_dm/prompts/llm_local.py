"""A language model of transformers on this machine: safetensors only, no remote code, deterministic for a seed."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dataset_dm.errors import PromptError, explain, reason_of
from dataset_dm.models.device import resolve_device
from dataset_dm.models.pretrained import load_whole
from dataset_dm.models.reference import find, fingerprint
from dataset_dm.prompts.llm import Ask, frozen_options
from dataset_dm.prompts.source import plain_form

_OURS = ("input_ids", "inputs", "attention_mask", "pad_token_id", "streamer", "generator")
_SAMPLING = {"do_sample": True, "max_new_tokens": 60}


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalModel:
    """A causal language model: one with a chat template answers a request, any other continues a template prompt.

    Args:
        model: a folder or a Hub id; see `find`.
        revision: the commit of a Hub id.
        fingerprint: 16 hex digits over its files.
        options: parameters of `generate`, such as {"temperature": 0.9}; a mapping or pairs.
    """

    model: str
    revision: str | None
    fingerprint: str
    options: tuple[tuple[str, Any], ...] | Mapping[str, Any] = ()

    parallel = 1  # torch uses all cores by itself

    def __post_init__(self) -> None:
        object.__setattr__(self, "options", frozen_options(self.options, _OURS))

    @classmethod
    def find(cls, given: str, options: Mapping[str, Any] | None = None) -> LocalModel:
        """The model `given`: a folder, or a Hub id with an optional `@revision`. Raises ModelError."""
        found = find(given, what="language model")
        digest = found.fingerprint() if found.path is None else fingerprint(found.path, every=True)
        return cls(model=found.name, revision=found.revision, fingerprint=digest, options=dict(options or {}))

    @property
    def label(self) -> str:
        """Its name in error messages: "language model 'x'"."""
        return f"language model {self.model!r}"

    def write(self, instruction: str, asks: Sequence[Ask], seed: int) -> list[str | None]:
        """The answers to all requests, generated in one batch; see `Writer`."""
        import torch

        tokenizer, model = _open(self.model, self.revision)
        chats = tokenizer.chat_template is not None
        texts = [_chat(tokenizer, instruction, ask) if chats else _begun(ask) for ask in asks]
        coded = tokenizer(texts, return_tensors="pt", padding=True, add_special_tokens=not chats).to(model.device)
        inputs = {name: coded[name] for name in ("input_ids", "attention_mask")}
        devices = [model.device] if model.device.type == "cuda" else []
        with torch.random.fork_rng(devices=devices), torch.no_grad():
            torch.manual_seed(seed)
            try:
                sampling = {**_SAMPLING, **dict(self.options), "pad_token_id": tokenizer.pad_token_id}
                written = model.generate(**inputs, **sampling)
            except (ValueError, TypeError) as error:  # an unknown option of `generate`
                what = f"{self.label}: {reason_of(error)}"
                raise PromptError(explain(what, remedy="check its options")) from error
        # decoded together and cut: decoded alone, the first new word may lose the blank before it
        given, whole = (tokenizer.batch_decode(ids, skip_special_tokens=True) for ids in (inputs["input_ids"], written))
        new = [text[len(before) :] for before, text in zip(given, whole, strict=True)]
        return [_first_line(text if chats else ask.beginning + text) for ask, text in zip(asks, new, strict=True)]

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready form."""
        return plain_form("local", self)

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> LocalModel:
        """The inverse of `to_dict`; the model is not looked up."""
        return cls(**{name: value for name, value in plain.items() if name != "kind"})


@functools.lru_cache(maxsize=1)
def _open(model: str, revision: str | None) -> tuple[Any, Any]:
    """(tokenizer padding on the left, frozen model on the GPU if there is one)."""
    from transformers import AutoModelForCausalLM, AutoTokenizer

    try:
        options = {"revision": revision, "trust_remote_code": False}  # left out, transformers would ask the user
        tokenizer = AutoTokenizer.from_pretrained(model, padding_side="left", **options)
        loaded = load_whole(AutoModelForCausalLM, model, **options)
    except (OSError, ValueError, KeyError) as error:
        what = f"language model {model!r} cannot be opened ({reason_of(error)})"
        remedy = "give a causal language model of transformers with safetensors weights"
        raise PromptError(explain(what, remedy=remedy)) from error
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token
    return tokenizer, loaded.eval().to(resolve_device())


def _chat(tokenizer: Any, instruction: str, ask: Ask) -> str:
    question = f"{instruction}\n\nWrite one caption, and nothing else, that shows: {ask.line}"
    messages = [{"role": "user", "content": question}]  # some templates have no system role
    return tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)


def _begun(ask: Ask) -> str:
    return f"Captions of photographs, one a line:\n- {ask.beginning}"


def _first_line(text: str) -> str:
    return next((line for line in text.splitlines() if line.strip()), "")
