"""Cache of drawn prompts: an append-only file by seed, split and index, `$DATASET_DM_HOME/prompts/<fingerprint>.jsonl`.

If the home is a URL, the remote file is authoritative, and a local one in the user's cache folder follows it: prompts
of other machines are fetched before new ones are drawn, new ones are written to the remote file first.

A prompt is drawn once and then kept, since a language model would answer differently the next time. Lines are only
appended, under a lock; readers need no lock and skip an incomplete last line.
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
from dataset_dm.files.atomic import locked, store_error
from dataset_dm.files.home import home
from dataset_dm.files.storage import LocalStorage, Storage, open_storage
from dataset_dm.labels.records import Prompt


class Place(NamedTuple):
    """The key of a prompt."""

    seed: int
    split: str
    index: int


class Book:
    """The drawn prompts of one source; see `open_book`.

    Args:
        file: local path.
        shared: storage with the copy for other machines; None: they see the same file, or there are none.
    """

    def __init__(self, file: Path, shared: Storage | None = None) -> None:
        self.file, self._shared = file, shared
        self._name = f"prompts/{file.name}"
        self._lock = file.parent.parent / "locks" / f"prompts-{file.stem}.lock"
        self._known: dict[Place, Prompt] = {}
        self._seen = _Seen()

    def get(self, place: Place) -> Prompt | None:
        """The prompt, or None if it is not drawn yet. Raises StoreError for a damaged line."""
        if place not in self._known:
            self._catch_up()
        return self._known.get(place)

    def missing(self, places: Iterable[Place]) -> list[Place]:
        """The places without a prompt."""
        self._catch_up()
        return [place for place in places if place not in self._known]

    def add(self, drawn: Mapping[Place, Prompt], source: Mapping[str, Any]) -> None:
        """Append new prompts, all or (on a full disk) none; prompts that another process wrote are kept.

        A shared book needs the lock of `drawing`. `source` is the plain form of the prompt source, the first line of
        the file. Raises StoreError.
        """
        self._add(drawn, source, self._shared)

    def _add(self, drawn: Mapping[Place, Prompt], source: Mapping[str, Any], shared: Storage | None = None) -> None:
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
            if (
                shared is not None
            ):  # rewritten: remote filesystems cannot append; written first, the local file follows it
                shared.write(self._name, self._whole() + text.encode())
            self._append(text.encode())
            self._catch_up()

    @contextlib.contextmanager
    def drawing(self, source: Mapping[str, Any]) -> Iterator[None]:
        """Lock held while prompts are drawn: another process waits and then finds them, instead of paying twice.

        `source` is as for `add`.
        """
        with contextlib.ExitStack() as held:
            held.enter_context(locked(self._lock.with_suffix(".drawing.lock")))
            if self._shared is not None:
                held.enter_context(self._shared.lock(self._lock.stem))
                self._fetch(source)
            yield

    def _fetch(self, source: Mapping[str, Any]) -> None:
        """Add the prompts of other machines."""
        place = self._shared.locate(self._name)
        try:
            data = self._shared.read(self._name)
        except FileNotFoundError:
            return
        except OSError as error:
            raise StoreError(f"prompts {place}: cannot be read ({error})") from error
        lines = enumerate(data.splitlines(keepends=True), start=1)
        self._add(dict(item for number, line in lines for item in self._items(number, line, place)), source)

    def _whole(self) -> bytes:
        """All complete lines."""
        return self.file.read_bytes()[: self._seen.size] if self._seen.size else b""

    def _append(self, data: bytes) -> None:
        """Append lines after the last complete line; the incomplete line of a killed writer is cut off."""
        try:
            self.file.parent.mkdir(parents=True, exist_ok=True)
            with open(self.file, "ab", buffering=0) as stream:  # unbuffered: a buffer would be written again on closing
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
        """Read the lines added since the last call; thread-safe, since results are assigned at the end."""
        seen, known = self._seen, self._known
        try:
            with open(self.file, "rb") as stream:
                stat = os.fstat(stream.fileno())
                if stat.st_ino != seen.inode or stat.st_size < seen.size:  # deleted and written again
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
            for place, prompt in self._items(number, line, self.file):
                known.setdefault(place, prompt)
        self._known = known
        self._seen = _Seen(seen.size + sum(map(len, lines)), seen.lines + len(lines), seen.inode)

    def _items(self, number: int, line: bytes, where: Any) -> Iterator[tuple[Place, Prompt]]:
        """The prompt of a line; the first line of a file names the source and has none."""
        try:
            item = json.loads(line)
            if "source" not in item:
                named = item["classes"]
                prompt = Prompt(str(item["prompt"]), None if named is None else tuple(named))
                yield Place(int(item["seed"]), str(item["split"]), int(item["index"])), prompt
        except (ValueError, KeyError, TypeError) as error:
            what = f"prompts {where}, line {number}: not a drawn prompt"
            remedy = "remove the line: its prompt is drawn again"
            raise StoreError(explain(what, got=line.decode(errors="replace"), remedy=remedy)) from error


class _Seen(NamedTuple):
    """How far a file was read: bytes (to the end of a line), lines, and its inode."""

    size: int = 0
    lines: int = 0
    inode: int | None = None


def open_book(source: Mapping[str, Any]) -> Book:
    """The book of a source, by its plain form; no file is created yet."""
    text = json.dumps(source, sort_keys=True, ensure_ascii=True)
    fingerprint = hashlib.sha256(text.encode()).hexdigest()[:16]
    folder, storage = home(), open_storage()
    if isinstance(storage, LocalStorage):
        return _book(folder / "prompts" / f"{fingerprint}.jsonl", None)
    place = hashlib.sha256(str(storage.locate("prompts")).encode()).hexdigest()[
        :16
    ]  # one local file for each remote one
    return _book(folder / "follows" / place / "prompts" / f"{fingerprint}.jsonl", storage)


@functools.lru_cache(maxsize=16)
def _book(file: Path, shared: Storage | None) -> Book:
    return Book(file, shared)
