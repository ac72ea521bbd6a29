"""SIGTERM, as schedulers send it before they kill: the run ends tidily, with exit code 143 and a hint."""

from __future__ import annotations

import contextlib
import signal
import sys
import threading
from collections.abc import Iterator
from types import FrameType
from typing import NoReturn

TERMINATED = 143  # as shells have it: 128 + SIGTERM
_HINT = ": finished shards are kept; run the same command again to go on"


@contextlib.contextmanager
def tidy_termination(hint: str = _HINT) -> Iterator[None]:
    """Within, SIGTERM says `hint` and raises SystemExit(143), so that all on the way is left in order.

    Somebody else's handler is left in place (that of an outer `tidy_termination`, say), and so is the default in any
    thread but the main one.
    """

    def terminate(number: int, frame: FrameType | None) -> NoReturn:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)  # a second one must not cut the tidying short
        print(f"\nterminated{hint}", file=sys.stderr, flush=True)
        raise SystemExit(TERMINATED)

    ours = threading.current_thread() is threading.main_thread() and signal.getsignal(signal.SIGTERM) == signal.SIG_DFL
    if ours:
        signal.signal(signal.SIGTERM, terminate)
    try:
        yield
    finally:
        if ours:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
