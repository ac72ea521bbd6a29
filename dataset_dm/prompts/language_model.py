"""Prompts written by a language model: what each is to show comes from balanced templates, the words from the model.

Every answer is looked at: it must be one short line that names all it was asked for. What is no use is asked for again;
what is good is frozen (see `frozen`), so that a plan gives the same prompts for ever after.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dataset_dm.errors import PromptError, explain
from dataset_dm.labels.classes import class_words, find_classes
from dataset_dm.labels.records import Prompt
from dataset_dm.prompts.cache import Place
from dataset_dm.prompts.cached_source import frozen_prompt, tidy
from dataset_dm.prompts.llm import Ask, Writer
from dataset_dm.prompts.llm_api import Endpoint
from dataset_dm.prompts.llm_local import LocalModel
from dataset_dm.prompts.templates import Templates

INSTRUCTION = (
    "You write captions of photographs for a text-to-image model. Each caption is one plain English sentence of 8 to "
    "25 words. It names every thing that it is asked to show, by exactly the words given, and says what it looks like, "
    "what it does and where it is, in the kind of place that the instance names, if it names one. Captions differ "
    "from each other in scene, light, colours and point of view."
)
TRIES = 4  # for an answer that is no use; lost connections are the writer's matter
_MOST_WORDS = 60  # CLIP's text encoders read 75 tokens


@dataclass(frozen=True, slots=True, kw_only=True)
class LanguageModel:
    """Prompts of a language model.

    Args:
        writer: the model: `Endpoint` for any OpenAI-style service, `LocalModel` for one of transformers.
        mix: says which classes prompt i shows; its weights are the class mix.
        instruction: what the model is told before it is asked.
        block: prompts a request, 1 to 256.

    Raises:
        PromptError: an empty instruction, or a block out of range.
    """

    writer: Writer
    mix: Templates
    instruction: str = INSTRUCTION
    block: int = 16

    def __post_init__(self) -> None:
        if not isinstance(self.instruction, str) or not self.instruction.strip():
            raise PromptError(explain("language model: instruction", got=self.instruction, expected="a text"))
        if isinstance(self.block, bool) or not isinstance(self.block, int) or not 1 <= self.block <= 256:
            raise PromptError(explain("language model: block", got=self.block, expected="a whole number of 1 to 256"))

    @property
    def parallel(self) -> int:
        """How many requests run at the same time."""
        return self.writer.parallel

    def prompt(self, seed: int, split: str, index: int) -> Prompt:
        """The prompt of one index, as it was first written."""
        return frozen_prompt(self, Place(seed, split, index))

    def draw(self, places: Sequence[Place]) -> Iterator[tuple[Place, Prompt]]:
        """Has the model write the prompts of these places.

        Raises PromptError when the model cannot be asked, or does not write what can be used in `TRIES` tries.
        """
        left = {place: self._ask(place) for place in places}
        fault = ""
        for attempt in range(TRIES):
            answers = self.writer.write(self.instruction, list(left.values()), _number(next(iter(left)), attempt))
            for place, answer in zip(list(left), answers, strict=True):
                prompt, why = self._read(answer, left[place])
                if prompt is None:
                    fault = f"for {', '.join(left[place].words)!r} it wrote {_short(answer)}, {why}"
                    continue
                del left[place]
                yield place, prompt
            if not left:
                return
        remedy = "what it wrote so far is kept; take another model, or tell it more in the instruction"
        raise PromptError(f"{self.writer.label}: no usable prompt in {TRIES} tries ({fault}); {remedy}")

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready form, without any key."""
        return {
            "kind": "language_model",
            "writer": self.writer.to_dict(),
            "mix": self.mix.to_dict(),
            "instruction": self.instruction,
            "block": self.block,
        }

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> LanguageModel:
        """The inverse of `to_dict`."""
        return cls(
            writer=writer_from_dict(plain["writer"]),
            mix=Templates.from_dict(plain["mix"]),
            instruction=plain["instruction"],
            block=plain["block"],
        )

    def _ask(self, place: Place) -> Ask:
        template = self.mix.prompt(*place)
        return Ask(template.classes or (), tuple(class_words(template.classes or ())), template.text)

    def _read(self, answer: str | None, ask: Ask) -> tuple[Prompt | None, str]:
        """(prompt, "") of an answer, or (None, what is wrong with it)."""
        text = tidy(answer or "").strip(" \"'“”‘’*-")
        if not text:
            return None, "which is no text"
        if len(text.split()) > _MOST_WORDS:
            return None, f"which has more than {_MOST_WORDS} words"
        found = find_classes(text, self.mix.classes)
        for name, word in zip(ask.classes, ask.words, strict=True):
            if name not in found:
                return None, f"which does not name {word!r}"
        return Prompt(text, (*ask.classes, *(name for name in found if name not in ask.classes))), ""


def _number(place: Place, attempt: int) -> int:
    """The seed of a request."""
    digest = hashlib.sha256(f"language model/{'/'.join(map(str, place))}/{attempt}".encode()).digest()
    return int.from_bytes(digest[:4], "big") >> 1  # what every service takes: 31 bits


def _short(answer: str | None) -> str:
    text = tidy(answer or "")
    return repr(text if len(text) <= 80 else f"{text[:79]}…")


def writer_from_dict(plain: Mapping[str, Any]) -> Writer:
    """The inverse of a writer's `to_dict`."""

    kinds = {"endpoint": Endpoint.from_dict, "local": LocalModel.from_dict}
    return kinds[plain["kind"]](plain)
