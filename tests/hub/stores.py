"""Small sets as `dataset-dm generate --out` writes them, of hand-made annotations: pixels do not matter here."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image

from dataset_dm.hub import CardFacts, Pushed, write_card
from dataset_dm.hub.errors import RetryPolicy
from dataset_dm.hub.push import push_with
from dataset_dm.hub.transfer import PushOptions
from tests.annotations import CLASSES, annotation, nothing
from tests.rows.test_reader import rows_of

COMMAND = "dataset-dm generate voc_synth --num-images 4 --out set"
SETTINGS = {"generator": "miniature (0123456789abcdef)", "steps": 20, "seed": 0}


def table(config: str, rows: int, prompt: str | None = None) -> pa.Table:
    """Rows of a config; every second picture is empty. `prompt` replaces the text of all rows."""
    made = rows_of(config, [annotation() if i % 2 == 0 else annotation(nothing()) for i in range(rows)])[1]
    if prompt is not None:
        place = made.schema.get_field_index("prompt")
        made = made.set_column(place, made.schema.field(place), pa.array([prompt] * rows))
    return made


def make_store(folder: Path, config: str = "semantic", *, prompt: str | None = None, **splits: int | list[int]) -> Path:
    """A finished folder; a split is its number of rows, or those of each of its files."""
    for split, counts in (splits or {"train": 4, "test": 2}).items():
        (folder / split).mkdir(parents=True)
        for number, count in enumerate([counts] if isinstance(counts, int) else counts):
            file = folder / split / f"{number:05d}.parquet"
            pq.write_table(table(config, count, prompt), file, compression="none", use_dictionary=False)
    Image.fromarray(np.full((8, 8, 3), 90, np.uint8)).save(folder / "preview.png")
    names = () if config == "depth" else ("background", *CLASSES)
    facts = CardFacts(
        name="voc_synth",
        config=config,
        command=COMMAND,
        settings=SETTINGS,
        classes=names,
        dropped={"low_confidence": 2},
        dropped_objects={"low_score": 1},
    )
    write_card(folder, facts)
    return folder


def push(
    store: str | Path | Sequence[str | Path], repo: str, *, attempts: int = 8, token: str | None = None, **options: Any
) -> Pushed:
    """`dataset_dm.push` without pauses between attempts."""
    policy = RetryPolicy(attempts=attempts, first_delay=0.0)
    return push_with(store, repo, PushOptions(**options), token=token, retry_policy=policy)
