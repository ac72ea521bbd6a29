"""The home folder of stored data: `$DATASET_DM_HOME`, by default a folder in the user's cache."""

from __future__ import annotations

import os
from pathlib import Path

VARIABLE = "DATASET_DM_HOME"


def home() -> Path:
    """The folder of the shard store and of small caches; it may not exist yet.

    `$DATASET_DM_HOME` wins, then `$XDG_CACHE_HOME/dataset_dm`, then `~/.cache/dataset_dm` (on Windows the local
    application data). The variables are read on every call.
    """
    given = os.environ.get(VARIABLE)
    if given and "://" not in given:  # a URL: remote stores hold shards only
        return Path(given).expanduser().absolute()
    cache = os.environ.get("XDG_CACHE_HOME") or (os.environ.get("LOCALAPPDATA") if os.name == "nt" else None)
    return (Path(cache) if cache else Path.home() / ".cache") / "dataset_dm"
