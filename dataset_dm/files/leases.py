"""Locks on filesystems that have none: a file with a heartbeat, made only if it is not there.

No clock is compared with another's: whoever waits takes a lease over when its beat has not changed for a while by his
own clock. Should two take over the same dead lease at the same moment, a shard is made twice, with the same bytes:
nothing breaks.
"""

from __future__ import annotations

import contextlib
import os
import platform
import threading
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from dataset_dm.errors import StoreError
from dataset_dm.files.atomic import remote_errors

# seconds between two beats, and without a beat after which a holder counts as dead
BEAT = 10.0
DEAD = 60.0
_POLL = 0.5


@dataclass(slots=True)
class Leases:
    """The leases of one filesystem (fsspec), and what was last seen of other holders' beats."""

    filesystem: Any
    beat: float = BEAT
    dead: float = DEAD
    _seen: dict[str, tuple[bytes, float]] = field(default_factory=dict)

    @contextlib.contextmanager
    def hold(self, path: str, *, wait: bool = True) -> Iterator[bool]:
        """Yields True, holding the lease; without `wait`, False when somebody else's still beats."""
        name = f"{platform.node()} {os.getpid()} {uuid.uuid4().hex}"
        while not self._take(path, name):
            if not wait:
                yield False
                return
            time.sleep(min(_POLL, self.beat))
        ended = threading.Event()
        beating = threading.Thread(target=self._keep, args=(path, name, ended), daemon=True)
        beating.start()
        try:
            yield True
        finally:
            ended.set()
            beating.join()
            with contextlib.suppress(StoreError):  # the beat has stopped: others take it over soon
                if self._read(path).startswith(name.encode()):
                    self._remove(path)

    def _take(self, path: str, name: str) -> bool:
        try:
            with remote_errors(f"lock {path}"):
                self.filesystem.makedirs(path.rpartition("/")[0], exist_ok=True)
                self.filesystem.pipe_file(path, f"{name} 0".encode(), mode="create")
        except FileExistsError:
            return self._is_dead(path) and self._take(path, name)
        except StoreError:
            if self._read(path):  # two came at the same moment, and S3 told this one of a conflict
                return False
            raise
        self._seen.pop(path, None)
        return True

    def _is_dead(self, path: str) -> bool:
        """Whether the holder's beat has stopped; then his file is removed."""
        beat, now = self._read(path), time.monotonic()
        before, since = self._seen.get(path, (None, now))
        if beat != before:
            self._seen[path] = (beat, now)
            return not beat  # it was just given back
        if now - since < self.dead:
            return False
        self._seen.pop(path, None)
        self._remove(path)
        return True

    def _keep(self, path: str, name: str, ended: threading.Event) -> None:
        count = 0
        while not ended.wait(self.beat):
            count += 1
            with contextlib.suppress(OSError), remote_errors(f"renew {path}"):  # a beat may be lost; several may not
                if self._read(path).startswith(name.encode()):
                    self.filesystem.pipe_file(path, f"{name} {count}".encode())

    def _read(self, path: str) -> bytes:
        try:
            with remote_errors(f"read {path}"):
                self.filesystem.invalidate_cache()
                return self.filesystem.cat_file(path)
        except FileNotFoundError:
            return b""

    def _remove(self, path: str) -> None:
        with contextlib.suppress(FileNotFoundError), remote_errors(f"remove {path}"):
            self.filesystem.rm_file(path)
