"""Where this package keeps what it made: `$DATASET_DM_HOME`, by default a folder in the user's cache."""

from __future__ import annotations

import os
from pathlib import Path

VARIABLE = "DATASET_DM_HOME"


def home() -> Path:
    """The folder of the shard store and of small caches; it may not exist yet.

    `$DATASET_DM_HOME` wins, then `$XDG_CACHE_HOME/dataset_dm`, then `~/.cache/dataset_dm` (on Windows the local
    application data). It is read on every call, so a changed variable counts at once.
    """
    given = os.environ.get(VARIABLE)
    if given and "://" not in given:  # of a store elsewhere only shards are kept there
        return Path(given).expanduser().absolute()
    cache = os.environ.get("XDG_CACHE_HOME") or (os.environ.get("LOCALAPPDATA") if os.name == "nt" else None)
    return (Path(cache) if cache else Path.home() / ".cache") / "dataset_dm"
