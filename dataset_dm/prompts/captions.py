"""Prompts from a text column of any dataset that `datasets` reads: a Hub id, a folder, a file."""

from __future__ import annotations

import functools
import hashlib
import math
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dataset_dm.errors import PromptError, UserError, did_you_mean, explain, reason_of
from dataset_dm.labels.classes import find_classes
from dataset_dm.labels.records import Prompt
from dataset_dm.models.reference import split_revision
from dataset_dm.prompts.cache import Place
from dataset_dm.prompts.cached_source import cached_prompt, tidy
from dataset_dm.prompts.source import plain_form
from dataset_dm.prompts.templates import Templates

if TYPE_CHECKING:
    import datasets

# file suffix → the reader of `datasets`
_READERS = {".csv": "csv", ".tsv": "csv", ".json": "json", ".jsonl": "json", ".parquet": "parquet", ".txt": "text"}
_LONGEST = 1000  # characters; more than any text encoder reads


@dataclass(frozen=True, slots=True, kw_only=True)
class Captions:
    """Captions from a column of a dataset, one text or a list of texts in each row.

    Every caption is used once before one is repeated, in a separate order for each seed and split.

    Args:
        dataset: a Hub id with an optional `@revision` (recommended, since a dataset may change), a folder, or a file:
            csv, tsv, json, jsonl, parquet, txt.
        column: the text column.
        config, split: the config and split of the dataset.
        classes: take only captions that name one of these, with the named classes as the prompt's classes; None takes
            every caption, without classes.
        mix: instead of `classes`: caption i names the leading class of prompt i of these templates, so that classes
            have their weights; captions of rare classes are then repeated earlier.

    Raises:
        PromptError: no dataset or column, or both classes and a mix.
    """

    dataset: str
    column: str
    config: str | None = None
    split: str = "train"
    classes: tuple[str, ...] | None = None
    mix: Templates | None = None

    # one pass over the column reads every caption
    block = 256
    parallel = 1

    def __post_init__(self) -> None:
        for name in ("dataset", "column", "split"):
            if not isinstance(getattr(self, name), str) or not getattr(self, name).strip():
                raise PromptError(explain(f"captions: {name}", got=getattr(self, name), expected="a name"))
        if self.classes is not None and self.mix is not None:
            raise PromptError("captions: classes and mix were both given; a mix has its own classes, give one of them")
        path = Path(self.dataset).expanduser()
        values = {
            "dataset": str(path.resolve()) if path.exists() else self.dataset,
            "classes": None if self.classes is None else tuple(self.classes),
        }
        for name, value in values.items():
            object.__setattr__(self, name, value)

    def prompt(self, seed: int, split: str, index: int) -> Prompt:
        """The caption of one index, from the cache once it is drawn."""
        return cached_prompt(self, Place(seed, split, index))

    def draw(self, places: Sequence[Place]) -> Iterator[tuple[Place, Prompt]]:
        """The captions of these places; raises PromptError for a dataset that cannot be read or has no such caption."""
        for place in places:
            yield place, self._draw(place)

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready form."""
        return plain_form("captions", self)

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> Captions:
        """The inverse of `to_dict`."""
        mix = plain["mix"]
        given = {name: value for name, value in plain.items() if name != "kind"}
        return cls(**{**given, "mix": None if mix is None else Templates.from_dict(mix)})

    def _draw(self, place: Place) -> Prompt:
        if self.mix is not None:
            leader = (self.mix.prompt(*place).classes or ("",))[0]
            naming = _naming(self, self.mix.classes).get(leader)
            if not naming:
                remedy = "take the class out of the mix, or take another dataset"
                raise PromptError(f"captions: no caption of {self._where} names {leader!r}; {remedy}")
            return naming[_number(place, "caption") % len(naming)]
        taken = _taken(self)
        return taken[_shuffled(place, len(taken))]

    @property
    def _where(self) -> str:
        return f"column {self.column!r} of {self.dataset}"


def _number(place: Place, purpose: str) -> int:
    return int.from_bytes(hashlib.sha256(f"{purpose}/{'/'.join(map(str, place))}".encode()).digest()[:8], "big")


def _shuffled(place: Place, count: int) -> int:
    """A permutation of range(count) for each round of `count` indices: steps coprime to `count` visit every number."""
    number, at = divmod(place.index, count)
    round_ = place._replace(index=number)
    step = _number(round_, "step") % count or 1
    while math.gcd(step, count) != 1:
        step = step % count + 1
    return (_number(round_, "begin") + at * step) % count


@functools.lru_cache(maxsize=4)
def _taken(source: Captions) -> tuple[Prompt, ...]:
    """The captions to draw from, in the dataset's order."""
    texts = list(_texts(source))
    if not texts:
        raise PromptError(f"captions: {source._where} holds no text; take another column or dataset")
    if source.classes is None:
        return tuple(Prompt(text) for text in texts)
    named = ((text, find_classes(text, source.classes)) for text in texts)
    taken = tuple(Prompt(text, found) for text, found in named if found)
    if not taken:
        known = ", ".join(source.classes)
        raise PromptError(f"captions: none of the {len(texts)} texts of {source._where} names a class ({known})")
    return taken


@functools.lru_cache(maxsize=4)
def _naming(source: Captions, classes: tuple[str, ...]) -> dict[str, list[Prompt]]:
    """Class → the captions that name it."""
    naming: dict[str, list[Prompt]] = defaultdict(list)
    for caption in _taken(source):
        prompt = Prompt(caption.text, find_classes(caption.text, classes))
        for name in prompt.classes or ():
            naming[name].append(prompt)
    return dict(naming)


def _texts(source: Captions) -> Iterator[str]:
    for cell in _open(source)[source.column]:
        for text in [cell] if isinstance(cell, str) else cell or ():
            if line := tidy(text or "")[:_LONGEST]:
                yield line


def _open(source: Captions) -> datasets.Dataset:
    """The dataset with this column alone; PromptError if it cannot be read or the column holds no texts."""
    opened = _load(source)
    features = opened.features
    texts = [name for name, feature in features.items() if _is_text(feature)]
    if source.column not in features:
        close = did_you_mean(source.column, features)
        expected = f"one of {', '.join(texts) or 'none: it has no column of texts'}"
        raise PromptError(
            explain(f"captions: column of {source.dataset}", got=source.column, expected=expected) + close
        )
    if source.column not in texts:
        remedy = f"columns of texts: {', '.join(texts) or 'none'}"
        kind = type(features[source.column]).__name__
        raise PromptError(f"captions: {source._where} holds no texts but {kind}; {remedy}")
    return opened.select_columns([source.column])


def _is_text(feature: Any) -> bool:
    inner = feature[0] if isinstance(feature, list) and len(feature) == 1 else getattr(feature, "feature", feature)
    return getattr(inner, "dtype", None) in ("string", "large_string")


def _load(source: Captions) -> datasets.Dataset:
    import datasets

    path = Path(source.dataset)
    name, revision = split_revision(source.dataset)
    try:
        if path.is_file():
            if path.suffix not in _READERS:
                raise PromptError(explain("captions: file", got=path.name, expected=f"one of {', '.join(_READERS)}"))
            options = {"sep": "\t"} if path.suffix == ".tsv" else {}
            return datasets.load_dataset(_READERS[path.suffix], data_files=str(path), split="train", **options)
        if (path / "state.json").is_file() or (path / "dataset_dict.json").is_file():
            saved = datasets.load_from_disk(str(path))
            return saved[source.split] if isinstance(saved, datasets.DatasetDict) else saved
        return datasets.load_dataset(name, source.config, split=source.split, revision=revision)
    except UserError:
        raise
    except (OSError, ValueError, LookupError, TypeError, datasets.exceptions.DatasetsError) as error:
        what = f"captions: {source.dataset} cannot be read ({reason_of(error.__cause__ or error)})"
        raise PromptError(explain(what, remedy="check name, config, split and network")) from error
