"""Leases for filesystems without locks: a file with a heartbeat, created only if it does not exist.

Clocks of different hosts are not compared: a waiting process takes a lease over when its heartbeat has not changed for
`DEAD` seconds of its own clock. If two processes take over the same dead lease at the same moment, a shard is made
twice, with equal bytes.
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

# seconds between two heartbeats, and without one after which a holder counts as dead
BEAT = 10.0
DEAD = 60.0
_POLL = 0.5


@dataclass(slots=True)
class Leases:
    """The leases of one fsspec filesystem, and the last heartbeats of other holders."""

    filesystem: Any
    beat: float = BEAT
    dead: float = DEAD
    _seen: dict[str, tuple[bytes, float]] = field(default_factory=dict)

    @contextlib.contextmanager
    def hold(self, path: str, *, wait: bool = True) -> Iterator[bool]:
        """Yield True while the lease is held; without `wait`, False if another holder is alive."""
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
            with contextlib.suppress(StoreError):  # the heartbeat has stopped: it can be taken over
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
            if self._read(path):  # two at the same moment: S3 reports a conflict to this one
                return False
            raise
        self._seen.pop(path, None)
        return True

    def _is_dead(self, path: str) -> bool:
        """Whether the heartbeat of the holder has stopped; then its file is removed."""
        beat, now = self._read(path), time.monotonic()
        before, since = self._seen.get(path, (None, now))
        if beat != before:
            self._seen[path] = (beat, now)
            return not beat  # just released
        if now - since < self.dead:
            return False
        self._seen.pop(path, None)
        self._remove(path)
        return True

    def _keep(self, path: str, name: str, ended: threading.Event) -> None:
        count = 0
        while not ended.wait(self.beat):
            count += 1
            with contextlib.suppress(OSError), remote_errors(f"renew {path}"):  # a single heartbeat may be lost
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
