"""Progress bars that suit where they are shown: a notebook's own, a moving line on a terminal, lines in a log file."""

from __future__ import annotations

import sys
from typing import Any, TextIO

# seconds between two lines in a file: days of work shall fit into a log that people read
_EVERY = 30.0
_LINE = "{desc}: {n_fmt}/{total_fmt} ({percentage:.0f} %), {rate_fmt}, {elapsed} elapsed, {remaining} left"


def bar(total: int, unit: str, what: str, *, kind: Any = None, **more: Any) -> Any:
    """A bar of tqdm's on stderr; use it in a `with`.

    Args:
        total: how many there are.
        unit: of what, one of them.
        what: is being done.
        kind: the class to take in place of `tqdm.auto.tqdm`, such as that of `datasets`, which users can switch off.
        more: passed on to it.
    """
    from tqdm import auto, std

    moves = sys.stderr.isatty() or auto.notebook_tqdm is not std.tqdm
    if not moves:
        more = {**more, "file": _Lines(sys.stderr), "bar_format": _LINE, "mininterval": _EVERY, "maxinterval": _EVERY}
    return (kind or auto.tqdm)(total=total, unit=unit, desc=what, **more)


class _Lines:
    """A stream on which every refresh of a bar becomes a line of its own."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> None:
        """Passes text on without what moves the cursor."""
        if line := text.strip("\r\n "):
            print(line, file=self._stream)

    def flush(self) -> None:
        """At once."""
        self._stream.flush()
