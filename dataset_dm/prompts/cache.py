"""Cache of drawn prompts by seed, split and index: an append-only file `$DATASET_DM_HOME/prompts/<fingerprint>.jsonl`.

If `$DATASET_DM_HOME` is a URL, the file there is the shared cache, and a local copy in the user's cache folder follows
it: prompts of other machines are fetched before new ones are drawn, and new ones are written to the shared file first.

A prompt never changes once it is drawn; a language model would write another one the next time. Lines are only
appended, under a lock. Readers need no lock and ignore an incomplete last line.
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


class PromptCache:
    """The drawn prompts of one source; see `open_cache`.

    Args:
        file: the local file.
        shared: storage with the shared file; None if the local file is the only one.
    """

    def __init__(self, file: Path, shared: Storage | None = None) -> None:
        self.file, self._shared = file, shared
        self._name = f"prompts/{file.name}"
        self._lock = file.parent.parent / "locks" / f"prompts-{file.stem}.lock"
        self._known: dict[Place, Prompt] = {}
        self._seen = _Seen()

    def get(self, place: Place) -> Prompt | None:
        """The prompt; None if it is not drawn yet. Raises StoreError for a damaged line."""
        if place not in self._known:
            self._update()
        return self._known.get(place)

    def missing(self, places: Iterable[Place]) -> list[Place]:
        """The places without a prompt."""
        self._update()
        return [place for place in places if place not in self._known]

    def add(self, drawn: Mapping[Place, Prompt], source: Mapping[str, Any]) -> None:
        """Appends the new prompts: all of them or, on a full disk, none. Prompts of other processes are kept.

        With a shared file, call it inside `drawing`. `source` is the source's plain form, the first line of the file.
        Raises StoreError.
        """
        self._add(drawn, source, self._shared)

    def _add(self, drawn: Mapping[Place, Prompt], source: Mapping[str, Any], shared: Storage | None = None) -> None:
        with locked(self._lock):
            self._update()
            new = {place: prompt for place, prompt in drawn.items() if place not in self._known}
            if not new:
                return
            lines = [] if self._seen.size else [{"source": dict(source)}]
            lines += [
                {**place._asdict(), "prompt": prompt.text, "classes": prompt.classes} for place, prompt in new.items()
            ]
            text = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
            # first, as the local file follows it; complete, as such filesystems cannot append
            if shared is not None:
                shared.write(self._name, self._whole() + text.encode())
            self._append(text.encode())
            self._update()

    @contextlib.contextmanager
    def drawing(self, source: Mapping[str, Any]) -> Iterator[None]:
        """Locks drawing: a second process waits and then reads the prompts instead of drawing them again.

        `source` is as for `add`.
        """
        with contextlib.ExitStack() as held:
            held.enter_context(locked(self._lock.with_suffix(".drawing.lock")))
            if self._shared is not None:
                held.enter_context(self._shared.lock(self._lock.stem))
                self._fetch(source)
            yield

    def _fetch(self, source: Mapping[str, Any]) -> None:
        """Adds the prompts of the shared file."""
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
        """Appends complete lines after the last complete line; an incomplete one of a killed writer is cut off."""
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

    def _update(self) -> None:
        """Reads the lines appended since the last call. Safe in two threads: the state is set once, at the end."""
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
        """The prompt of a line; none for the first line, which is the source."""
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
    """How far a file was read: bytes, always to the end of a line; lines; the file's inode."""

    size: int = 0
    lines: int = 0
    inode: int | None = None


def open_cache(source: Mapping[str, Any]) -> PromptCache:
    """The cache of a source, by its plain form; no file is created yet."""
    text = json.dumps(source, sort_keys=True, ensure_ascii=True)
    fingerprint = hashlib.sha256(text.encode()).hexdigest()[:16]
    folder, storage = home(), open_storage()
    if isinstance(storage, LocalStorage):
        return _open(folder / "prompts" / f"{fingerprint}.jsonl", None)
    place = hashlib.sha256(str(storage.locate("prompts")).encode()).hexdigest()[:16]  # a local copy per store
    return _open(folder / "follows" / place / "prompts" / f"{fingerprint}.jsonl", storage)


@functools.lru_cache(maxsize=16)
def _open(file: Path, shared: Storage | None) -> PromptCache:
    return PromptCache(file, shared)
