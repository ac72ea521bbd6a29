"""Sources whose prompts are drawn once and then read from a cache: captions of a dataset, a language model.

The fingerprint of a plan covers how prompts are drawn; the drawn prompts are in the cache, index by index.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from typing import Any, Protocol, runtime_checkable

from dataset_dm.labels.records import Prompt
from dataset_dm.prompts.cache import Book, Place, open_book
from dataset_dm.prompts.source import SEPARATOR, PromptSource

# called after every block with the number of prompts just drawn
Report = Callable[[int], None]


@runtime_checkable
class Drawing(Protocol):
    """A source that draws prompts in blocks of consecutive indices."""

    @property
    def block(self) -> int:
        """Prompts drawn at once; the blocks of a split begin at multiples of it."""

    @property
    def parallel(self) -> int:
        """Number of blocks that may be drawn concurrently, in threads."""

    def draw(self, places: Sequence[Place]) -> Iterator[tuple[Place, Prompt]]:
        """The prompts of these places as they arrive; raises PromptError if one cannot be drawn."""

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready: how prompts are drawn."""


@runtime_checkable
class Composed(Protocol):
    """A source whose prompts are composed of those of other sources."""

    def shares(self, counts: Mapping[str, int]) -> Iterator[tuple[PromptSource, Mapping[str, int]]]:
        """Those sources, with the number of their prompts that the first `counts[split]` ones need."""


def frozen_prompt(source: Drawing, place: Place) -> Prompt:
    """The prompt of a place: from the cache, or drawn with its block and written to the cache."""
    book = open_book(source.to_dict())
    if (known := book.get(place)) is not None:
        return known
    begin = place.index // source.block * source.block
    _fill(source, book, [place._replace(index=index) for index in range(begin, begin + source.block)])
    prompt = book.get(place)
    assert prompt is not None, "a block is drawn whole or raises"
    return prompt


def prepare(prompts: PromptSource, seed: int, counts: Mapping[str, int], report: Report | None = None) -> int:
    """Draws what the first `counts[split]` prompts of every split lack, so that workers only read; returns the number.

    Sources that draw nothing need no preparation. What was drawn before a failure or Ctrl-C is kept.
    Raises PromptError, MissingExtra or StoreError with one line.
    """
    if isinstance(prompts, Composed):
        return sum(prepare(source, seed, own, report) for source, own in prompts.shares(counts))
    if not isinstance(prompts, Drawing):
        return 0
    rounded = {split: -(-count // prompts.block) * prompts.block for split, count in counts.items()}
    places = [Place(seed, split, index) for split, count in rounded.items() for index in range(count)]
    return _fill(prompts, open_book(prompts.to_dict()), places, report)


def tidy(text: str) -> str:
    """A drawn text on one line, in what UTF-8 can write, without what stands between the prompts of a mosaic."""
    line = " ".join(text.encode(errors="ignore").decode().split())
    while SEPARATOR in line:
        line = line.replace(SEPARATOR, ", ")
    return line


def _fill(source: Drawing, book: Book, places: Sequence[Place], report: Report | None = None) -> int:
    """Draws what the book lacks of these places, in order, and writes it block by block; returns how many it were."""
    if not book.missing(places):
        return 0
    with book.drawing(source.to_dict()), ThreadPoolExecutor(max_workers=source.parallel) as pool:
        missing = book.missing(places)
        blocks = itertools.groupby(missing, key=lambda place: (place.split, place.index // source.block))
        parts = [list(part) for _, part in blocks]
        works = {pool.submit(_draw_block, source, book, part): len(part) for part in parts}
        try:
            for work in as_completed(works):
                work.result()
                if report is not None:
                    report(works[work])
        except BaseException:
            for work in works:
                work.cancel()
            raise
    return len(missing)


def _draw_block(source: Drawing, book: Book, places: Sequence[Place]) -> None:
    drawn: dict[Place, Prompt] = {}
    try:
        for place, prompt in source.draw(places):
            drawn[place] = prompt
    finally:  # what is there was paid for
        book.add(drawn, source.to_dict())
