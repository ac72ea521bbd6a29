"""Loads models of transformers and checks that no weight is missing.

`from_pretrained` initializes missing weights at random and only logs it. A head may be missing, or every weight by its
name: transformers 5 saves some models with names that transformers 4 does not know.
"""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Any


class MissingWeights(ValueError):
    """A model's files lack some of its weights."""


def load_whole(kind: Any, model: str | Path, **options: Any) -> Any:
    """`kind.from_pretrained(model, **options)` from safetensors; MissingWeights if some are missing."""
    import transformers

    loaded, report = kind.from_pretrained(str(model), use_safetensors=True, output_loading_info=True, **options)
    check_complete(Path(model).name, report["missing_keys"], f"transformers {transformers.__version__}")
    return loaded


def check_complete(name: str, missing: Collection[str], library: str) -> None:
    """Raises MissingWeights if the model called `name` is missing weights that `library` (with its version) expects."""
    if missing:
        raise MissingWeights(f"{name!r} lacks {len(missing)} weights, such as {min(missing)!r} for {library}")
