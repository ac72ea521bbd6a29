"""Models of transformers with all their weights.

`from_pretrained` makes up at random what a model's files lack, says so in its log and goes on. They may lack a head, or
everything, by its name: transformers 5 saves some models by names that transformers 4 does not know.
"""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Any


class MissingWeights(ValueError):
    """A model's files lack some of its weights."""


def load_whole(kind: Any, model: str | Path, **options: Any) -> Any:
    """`kind.from_pretrained(model, **options)` from safetensors; MissingWeights for one that is not complete."""
    import transformers

    loaded, told = kind.from_pretrained(str(model), use_safetensors=True, output_loading_info=True, **options)
    check_complete(Path(model).name, told["missing_keys"], f"transformers {transformers.__version__}")
    return loaded


def check_complete(name: str, lacking: Collection[str], library: str) -> None:
    """MissingWeights, unless the model of that name lacks no weight that the library with its version looks for."""
    if lacking:
        raise MissingWeights(f"{name!r} lacks {len(lacking)} weights, such as {min(lacking)!r} for {library}")
