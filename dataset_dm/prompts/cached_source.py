"""Sources whose prompts are drawn once and then read from a cache: captions of a dataset, a language model.

A plan's fingerprint covers how prompts are drawn; the cache holds the prompts themselves.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from typing import Any, Protocol, runtime_checkable

from dataset_dm.labels.records import Prompt
from dataset_dm.prompts.cache import Place, PromptCache, open_cache
from dataset_dm.prompts.source import SEPARATOR, PromptSource

# called after every block with the number of its prompts
Report = Callable[[int], None]


@runtime_checkable
class DrawnSource(Protocol):
    """A source that draws prompts in blocks of consecutive indices."""

    @property
    def block(self) -> int:
        """Prompts drawn at once; a split's blocks begin at multiples of it."""

    @property
    def parallel(self) -> int:
        """Blocks drawn at the same time, in threads."""

    def draw(self, places: Sequence[Place]) -> Iterator[tuple[Place, Prompt]]:
        """The prompts of these places, in any order; raises PromptError if one cannot be drawn."""

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready form: the settings by which prompts are drawn."""


@runtime_checkable
class Composed(Protocol):
    """A source whose prompts come from other sources."""

    def shares(self, counts: Mapping[str, int]) -> Iterator[tuple[PromptSource, Mapping[str, int]]]:
        """Those sources, each with the number of its prompts that the first `counts[split]` ones use."""


def cached_prompt(source: DrawnSource, place: Place) -> Prompt:
    """The prompt of a place, from the cache; if missing there, its whole block is drawn and added first."""
    cache = open_cache(source.to_dict())
    if (known := cache.get(place)) is not None:
        return known
    begin = place.index // source.block * source.block
    _fill(source, cache, [place._replace(index=index) for index in range(begin, begin + source.block)])
    prompt = cache.get(place)
    assert prompt is not None, "a block is drawn whole or raises"
    return prompt


def prepare(prompts: PromptSource, seed: int, counts: Mapping[str, int], report: Report | None = None) -> int:
    """Draws the missing ones of the first `counts[split]` prompts of every split; returns their number.

    Workers then only read. Sources without a cache draw 0. Prompts drawn before a failure or Ctrl-C are kept.
    Raises PromptError, MissingExtra or StoreError with one line.
    """
    if isinstance(prompts, Composed):
        return sum(prepare(source, seed, own, report) for source, own in prompts.shares(counts))
    if not isinstance(prompts, DrawnSource):
        return 0
    rounded = {split: -(-count // prompts.block) * prompts.block for split, count in counts.items()}
    places = [Place(seed, split, index) for split, count in rounded.items() for index in range(count)]
    return _fill(prompts, open_cache(prompts.to_dict()), places, report)


def tidy(text: str) -> str:
    """A text on one line, without characters that UTF-8 lacks and without the separator of a mosaic's prompts."""
    line = " ".join(text.encode(errors="ignore").decode().split())
    while SEPARATOR in line:
        line = line.replace(SEPARATOR, ", ")
    return line


def _fill(source: DrawnSource, cache: PromptCache, places: Sequence[Place], report: Report | None = None) -> int:
    """Draws the places that the cache lacks, block by block; returns their number."""
    if not cache.missing(places):
        return 0
    with cache.drawing(source.to_dict()), ThreadPoolExecutor(max_workers=source.parallel) as pool:
        missing = cache.missing(places)
        blocks = itertools.groupby(missing, key=lambda place: (place.split, place.index // source.block))
        parts = [list(part) for _, part in blocks]
        works = {pool.submit(_draw_block, source, cache, part): len(part) for part in parts}
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


def _draw_block(source: DrawnSource, cache: PromptCache, places: Sequence[Place]) -> None:
    drawn: dict[Place, Prompt] = {}
    try:
        for place, prompt in source.draw(places):
            drawn[place] = prompt
    finally:  # also after an error: each prompt may have cost money
        cache.add(drawn, source.to_dict())
