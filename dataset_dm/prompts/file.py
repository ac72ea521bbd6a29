"""Prompts from a file or a list: text lines, or JSONL `{"prompt": …, "classes": […]}`."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dataset_dm.checks import check_keys
from dataset_dm.errors import PromptError, explain
from dataset_dm.labels.records import Prompt

_KEYS = ("prompt", "classes")


@dataclass(frozen=True, slots=True)
class Lines:
    """A list of prompts, repeated cyclically and independent of the seed."""

    prompts: tuple[Prompt, ...]

    def prompt(self, seed: int, split: str, index: int) -> Prompt:
        """Line `index` modulo the number of lines."""
        return self.prompts[index % len(self.prompts)]

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready form."""
        lines = [[one.text, None if one.classes is None else list(one.classes)] for one in self.prompts]
        return {"kind": "lines", "prompts": lines}

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> Lines:
        """The inverse of `to_dict`."""
        lines = plain["prompts"]
        return cls(tuple(Prompt(text, None if named is None else tuple(named)) for text, named in lines))


def read_prompts(given: str | Path | Iterable[str | Mapping[str, Any]]) -> Lines:
    """The prompts of a file (UTF-8; blank lines are skipped) or of a list of texts and dicts.

    Raises PromptError naming the file and the line: missing, empty, not UTF-8, not JSON, an unknown key.
    """
    if isinstance(given, (str, Path)):
        return _from_file(Path(given).expanduser())
    prompts = tuple(_from_item(item, f"prompts[{position}]") for position, item in enumerate(given))
    if not prompts:
        raise PromptError(
            explain("prompts", got=[], expected="at least one prompt", remedy="leave it out for templates")
        )
    return Lines(prompts)


def _from_file(file: Path) -> Lines:
    try:
        data = file.read_bytes()
    except OSError as error:
        remedy = "check the path, or leave prompts out for templates over the classes"
        raise PromptError(explain(f"prompt file {file}: cannot be read ({error.strerror})", remedy=remedy)) from error
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        what = f"prompt file {file}, line {line}: byte 0x{data[error.start]:02x} is not UTF-8"
        raise PromptError(explain(what, remedy="save the file as UTF-8")) from error
    # not splitlines(): U+2028, U+0085 and form feeds are part of a prompt; strip removes \r
    lines = [(number, line.strip()) for number, line in enumerate(text.split("\n"), start=1) if line.strip()]
    if not lines:
        raise PromptError(
            explain(f"prompt file {file}: empty", expected="a prompt a line", remedy="write at least one line")
        )
    is_json = file.suffix in (".jsonl", ".json") or lines[0][1].startswith("{")
    read = _from_json_line if is_json else (lambda line, where: Prompt(line))
    return Lines(tuple(read(line, f"prompt file {file}, line {number}") for number, line in lines))


def _from_json_line(line: str, where: str) -> Prompt:
    try:
        item = json.loads(line)
    except ValueError as error:
        expected = 'JSON such as {"prompt": "a dog on a sofa", "classes": ["dog", "sofa"]}'
        raise PromptError(explain(where, got=line, expected=expected, remedy=f"correct the line ({error})")) from error
    return _from_item(item, where)


def _from_item(item: object, where: str) -> Prompt:
    if isinstance(item, str):
        if not item.strip():
            raise PromptError(explain(where, got=item, expected="a text"))
        return Prompt(item.strip())
    if not isinstance(item, Mapping):
        raise PromptError(explain(where, got=item, expected='a text or {"prompt": …, "classes": […]}'))
    check_keys(where, item, _KEYS, error=PromptError)
    text, named = item.get("prompt"), item.get("classes")
    if not isinstance(text, str) or not text.strip():
        raise PromptError(explain(f'{where}: "prompt"', got=text, expected="a text"))
    if named is None:
        return Prompt(text.strip())
    if not isinstance(named, (list, tuple)) or not all(isinstance(name, str) and name for name in named):
        raise PromptError(explain(f'{where}: "classes"', got=named, expected="a list of class names"))
    return Prompt(text.strip(), tuple(dict.fromkeys(named)))
