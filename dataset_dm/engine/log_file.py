"""A run's records as JSON lines: `--log FILE`."""

from __future__ import annotations

import contextlib
import json
import logging
import sys
from datetime import datetime, timezone
from pathlib import Path

from dataset_dm.files.atomic import store_error


class JsonLines(logging.FileHandler):
    """Appends a line a record: time (UTC), level, event, message, and the facts of the event beside them.

    Raises StoreError when the file cannot be opened. If it cannot be written later, the run continues
    and stderr gets one line.

    >>> logging.getLogger("dataset_dm").addHandler(JsonLines(Path("run.jsonl")))  # doctest: +SKIP
    """

    def __init__(self, file: Path) -> None:
        try:
            super().__init__(file, encoding="utf-8")
        except OSError as error:
            raise store_error(file, error) from error
        self._failed = False

    def format(self, record: logging.LogRecord) -> str:
        """One line of JSON."""
        moment = datetime.fromtimestamp(record.created, timezone.utc)
        line = {
            "time": moment.isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "event": getattr(record, "event", "message"),
            "message": record.getMessage(),
            **getattr(record, "facts", {}),
        }
        return json.dumps(line, ensure_ascii=False, default=str)

    def close(self) -> None:
        """Closes the file, though what waits to be written may not fit."""
        with contextlib.suppress(OSError):
            super().close()

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802  (logging's own name)
        """Says once that the log is incomplete."""
        if not self._failed:
            self._failed = True
            print(f"warning: {self.baseFilename} cannot be written ({sys.exc_info()[1]})", file=sys.stderr)
