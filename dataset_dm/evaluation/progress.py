"""Progress of a long measurement: done, share, speed, time left; one moving line on a terminal, few lines elsewhere."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import TextIO

EVERY = 0.3  # seconds between updates on a terminal
EVERY_IN_A_FILE = 15.0


class Progress:
    """Counts towards `total`; use it in a `with`, so that the line ends whatever happens.

    Example:
        >>> with Progress("renders", 500) as progress:
        ...     progress.step(16)
    """

    def __init__(self, what: str, total: int, stream: TextIO | None = None) -> None:
        self.what, self.total, self.done = what, total, 0
        self.stream = stream or sys.stderr
        self.moving = self.stream.isatty()
        self.started = self.shown = time.monotonic()

    def __enter__(self) -> Progress:
        return self

    def step(self, count: int = 1) -> None:
        """`count` more are done."""
        self.done += count
        now = time.monotonic()
        if now - self.shown >= (EVERY if self.moving else EVERY_IN_A_FILE) or (self.moving and self.done >= self.total):
            self.shown = now
            print(f"\r{self.line(now)}" if self.moving else self.line(now), end="" if self.moving else "\n",
                  file=self.stream, flush=True)  # fmt: skip

    def line(self, now: float) -> str:
        """ "renders 120/500 24 %  3.2/s  2:01 left"."""
        speed = self.done / max(now - self.started, 1e-9)
        left = int((self.total - self.done) / max(speed, 1e-9))
        return (
            f"{self.what} {self.done}/{self.total}  {100 * self.done / max(self.total, 1):.0f} %  "
            f"{speed:.1f}/s  {left // 60}:{left % 60:02d} left   "
        )

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        if self.moving:
            print(file=self.stream)
