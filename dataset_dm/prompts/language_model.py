"""Prompts written by a language model: balanced templates choose the classes, the model writes the sentence.

Every answer is checked: a short line that names all requested classes. Others are requested again. Accepted prompts are
cached (see `cache`), so that a plan always gives the same prompts.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dataset_dm.checks import check_int
from dataset_dm.errors import PromptError, explain
from dataset_dm.labels.classes import class_words, find_classes
from dataset_dm.labels.records import Prompt
from dataset_dm.prompts.cache import Place
from dataset_dm.prompts.cached_source import cached_prompt, tidy
from dataset_dm.prompts.llm import Ask, Writer
from dataset_dm.prompts.llm_api import Endpoint
from dataset_dm.prompts.llm_local import LocalModel
from dataset_dm.prompts.source import plain_form
from dataset_dm.prompts.templates import Templates

# part of the fingerprint: another wording would make other prompts
INSTRUCTION = (
    "You write captions of photographs for a text-to-image model. Each caption is one plain English sentence of 8 to "
    "25 words. It names every thing that it is asked to show, by exactly the words given, and says what it looks like, "
    "what it does and where it is, in the kind of place that the instance names, if it names one. Captions differ "
    "from each other in scene, light, colours and point of view."
)
TRIES = 4  # for unusable answers; the writer itself retries lost connections
_MOST_WORDS = 60  # CLIP's text encoders read 75 tokens


@dataclass(frozen=True, slots=True, kw_only=True)
class LanguageModel:
    """Prompts of a language model.

    Args:
        writer: the model: `Endpoint` for any OpenAI-style service, `LocalModel` for one of transformers.
        mix: chooses the classes of prompt i; its weights are the class mix.
        instruction: the system prompt.
        block: prompts per request, 1 to 256.

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
        check_int("language model: block", self.block, 1, 256, error=PromptError)

    @property
    def parallel(self) -> int:
        """Requests sent at the same time."""
        return self.writer.parallel

    def prompt(self, seed: int, split: str, index: int) -> Prompt:
        """The prompt of one index, from the cache once it is written."""
        return cached_prompt(self, Place(seed, split, index))

    def draw(self, places: Sequence[Place]) -> Iterator[tuple[Place, Prompt]]:
        """The prompts of these places, as the model writes them.

        Raises PromptError if the model cannot be reached, or an answer is still unusable after `TRIES` requests.
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
        """JSON-ready form, without the API key."""
        return plain_form("language_model", self)

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
        """(prompt, "") of an answer, or (None, reason for refusing it)."""
        text = tidy(answer or "").strip(" \"'“”‘’*-")
        if not text:
            return None, "which is empty"
        if len(text.split()) > _MOST_WORDS:
            return None, f"which has more than {_MOST_WORDS} words"
        found = find_classes(text, self.mix.classes)
        for name, word in zip(ask.classes, ask.words, strict=True):
            if name not in found:
                return None, f"which does not name {word!r}"
        return Prompt(text, (*ask.classes, *(name for name in found if name not in ask.classes))), ""


def _number(place: Place, attempt: int) -> int:
    """The seed of a request: 31 bits, which every service accepts."""
    digest = hashlib.sha256(f"language model/{'/'.join(map(str, place))}/{attempt}".encode()).digest()
    return int.from_bytes(digest[:4], "big") >> 1


def _short(answer: str | None) -> str:
    text = tidy(answer or "")
    return repr(text if len(text) <= 80 else f"{text[:79]}…")


def writer_from_dict(plain: Mapping[str, Any]) -> Writer:
    """The inverse of a writer's `to_dict`."""
    kinds = {"endpoint": Endpoint.from_dict, "local": LocalModel.from_dict}
    return kinds[plain["kind"]](plain)
