"""Faults that can be switched on: each waits for a request it fits, and happens so many times."""

from __future__ import annotations

import re
import threading
from dataclasses import dataclass, field

# status codes are answered instead of doing anything; "reset" cuts the connection before anything is done, "lost" after
# it was done and before the answer; "truncate" sends half of the body; "slow" waits first
KINDS = ("401", "403", "409", "412", "429", "500", "503", "reset", "lost", "truncate", "slow")


@dataclass(slots=True)
class Fault:
    """One fault.

    Args:
        kind: one of KINDS.
        on: regular expression that "METHOD /path?query" must hold.
        times: how often it happens.
        after: how many fitting requests pass before.
        seconds: how long "slow" waits.
    """

    kind: str
    on: str = ""
    times: int = 1
    after: int = 0
    seconds: float = 0.3

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"fault {self.kind!r} is none of {', '.join(KINDS)}")


@dataclass(slots=True)
class Faults:
    """The faults that still wait; safe to ask from many threads."""

    waiting: list[Fault] = field(default_factory=list)
    happened: list[tuple[str, str]] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def take(self, request: str) -> Fault | None:
        """The fault that befalls this request ("METHOD /path"), None for none; it is used up by that."""
        with self.lock:
            for fault in self.waiting:
                if not fault.times or not re.search(fault.on, request):
                    continue
                if fault.after:
                    fault.after -= 1
                    continue
                fault.times -= 1
                self.happened.append((fault.kind, request))
                return fault
        return None
