"""Drawn prompts, frozen: an append-only file by seed, split and index, `$DATASET_DM_HOME/prompts/<fingerprint>.jsonl`.

What was drawn once stays, whoever asks again: a language model would answer otherwise the next time. Lines are only
added, under a lock; whoever reads needs none, and passes over a last line that is not whole yet.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from dataset_dm.errors import StoreError, explain
from dataset_dm.files import locked, store_error
from dataset_dm.home import home
from dataset_dm.records import Prompt


class Place(NamedTuple):
    """Which prompt is meant."""

    seed: int
    split: str
    index: int


class Book:
    """The drawn prompts of one source; see `open_book`."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self._lock = file.parent.parent / "locks" / f"prompts-{file.stem}.lock"
        self._known: dict[Place, Prompt] = {}
        self._seen = _Seen()

    def get(self, place: Place) -> Prompt | None:
        """The prompt, None when nobody has drawn it. Raises StoreError for a damaged line."""
        if place not in self._known:
            self._catch_up()
        return self._known.get(place)

    def missing(self, places: Iterable[Place]) -> list[Place]:
        """Those that nobody has drawn."""
        self._catch_up()
        return [place for place in places if place not in self._known]

    def add(self, drawn: Mapping[Place, Prompt], source: Mapping[str, Any]) -> None:
        """Writes what is new: all of it or, on a full disk, nothing; a prompt that another process wrote stays.

        `source` is the plain form of where they come from; the file begins with it. Raises StoreError.
        """
        with locked(self._lock):
            self._catch_up()
            new = {place: prompt for place, prompt in drawn.items() if place not in self._known}
            if not new:
                return
            lines = [] if self._seen.size else [{"source": dict(source)}]
            lines += [
                {**place._asdict(), "prompt": prompt.text, "classes": prompt.classes} for place, prompt in new.items()
            ]
            text = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
            self._append(text.encode())
            self._catch_up()

    def drawing(self) -> contextlib.AbstractContextManager[None]:
        """Held while prompts are drawn: another process waits and then finds them here, instead of paying twice."""
        return locked(self._lock.with_suffix(".drawing.lock"))

    def _append(self, data: bytes) -> None:
        """Adds whole lines behind the last whole line; what a killed writer left in the middle of one goes."""
        try:
            self.file.parent.mkdir(parents=True, exist_ok=True)
            with open(self.file, "ab", buffering=0) as stream:  # a buffer would be written once more on closing
                stream.truncate(self._seen.size)
                try:
                    left = memoryview(data)
                    while left:
                        left = left[stream.write(left) :]
                    os.fsync(stream.fileno())
                except OSError:
                    with contextlib.suppress(OSError):
                        stream.truncate(self._seen.size)
                    raise
        except OSError as error:
            raise store_error(self.file, error) from error

    def _catch_up(self) -> None:
        """Reads the lines that came since the last time; two threads may, for it sets what it finds at the end."""
        seen, known = self._seen, self._known
        try:
            with open(self.file, "rb") as stream:
                stat = os.fstat(stream.fileno())
                if stat.st_ino != seen.inode or stat.st_size < seen.size:  # deleted and begun anew
                    seen, known = _Seen(inode=stat.st_ino), {}
                stream.seek(seen.size)
                data = stream.read()
        except FileNotFoundError:
            self._seen, self._known = _Seen(), {}
            return
        except OSError as error:
            raise StoreError(f"prompts {self.file}: cannot be read ({error.strerror})") from error
        lines = data[: data.rfind(b"\n") + 1].splitlines(keepends=True)
        for number, line in enumerate(lines, start=seen.lines + 1):
            for place, prompt in self._items(number, line):
                known.setdefault(place, prompt)
        self._known = known
        self._seen = _Seen(seen.size + sum(map(len, lines)), seen.lines + len(lines), seen.inode)

    def _items(self, number: int, line: bytes) -> Iterator[tuple[Place, Prompt]]:
        """What a line says; the first line of a file names the source and no prompt."""
        try:
            item = json.loads(line)
            if "source" not in item:
                named = item["classes"]
                prompt = Prompt(str(item["prompt"]), None if named is None else tuple(named))
                yield Place(int(item["seed"]), str(item["split"]), int(item["index"])), prompt
        except (ValueError, KeyError, TypeError) as error:
            what = f"prompts {self.file}, line {number}: no drawn prompt"
            remedy = "take the line out: its prompt is drawn again"
            raise StoreError(explain(what, got=line.decode(errors="replace"), remedy=remedy)) from error


class _Seen(NamedTuple):
    """How far a file was read: bytes, always to the end of a line; lines; which file it was."""

    size: int = 0
    lines: int = 0
    inode: int | None = None


def open_book(source: Mapping[str, Any]) -> Book:
    """The book of a source, by its plain form; nothing is created yet."""
    text = json.dumps(source, sort_keys=True, ensure_ascii=True)
    fingerprint = hashlib.sha256(text.encode()).hexdigest()[:16]
    return _book(home() / "prompts" / f"{fingerprint}.jsonl")


@functools.lru_cache(maxsize=16)
def _book(file: Path) -> Book:
    return Book(file)
