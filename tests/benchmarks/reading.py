"""Rows a second out of a finished set, over raw parquet: `python -m tests.benchmarks.reading`.

Raw parquet reads the store without this package: every shard's two files by pyarrow, the columns that a row of
the set needs, as dicts, both images decoded by Pillow. Against it: the set as a stream, which reads the same files,
and the set as `load_dataset` keeps it (arrow, memory-mapped). A second figure leaves decoding out, on either side:
tables out of the store over tables out of parquet. Best of the rounds, each way in turn.
"""

import argparse
import io
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from typing import Any

import pyarrow.parquet as pq
from PIL import Image

import dataset_dm  # noqa: F401  (teaches `datasets` our names)
from dataset_dm.engine import Engine
from dataset_dm.plan.configs import recipe
from dataset_dm.plan.generation_plan import GenerationPlan
from dataset_dm.rows.reader import Rows
from dataset_dm.store.plans import stores
from tests.benchmarks.quick_plan import QUICK, quick_plan

IMAGE_COLUMNS = ["index", "attempt", "seed", "prompt", "image", "width", "height", "unsafe", "unusable"]
LABEL_COLUMNS = ["label", "classes", "presence", "confidence", "uncertain"]


def raw_tables(plan: GenerationPlan, count: int) -> Iterator[tuple[Any, Any]]:
    """Both tables of every shard."""
    images, labels = stores(plan)
    for shard in plan.shards(count):
        yield tuple(
            pq.ParquetFile(store.file("train", shard)).read(columns=columns, use_threads=False)
            for store, columns in ((images, IMAGE_COLUMNS), (labels, LABEL_COLUMNS))
        )


def raw_rows(plan: GenerationPlan, count: int) -> Iterator[dict[str, Any]]:
    """Every row with its images decoded."""
    for drawn, read in raw_tables(plan, count):
        for image_row, label_row in zip(drawn.to_pylist(), read.to_pylist(), strict=True):
            row = {**image_row, **label_row}
            for name in ("image", "label"):
                row[name] = Image.open(io.BytesIO(row[name]["bytes"]))
                row[name].load()
            yield row


def tables(plan: GenerationPlan, count: int) -> Iterator[Any]:
    """The tables of the set, as the builder has them."""
    rows = Rows(plan, recipe("voc_synth").features)
    with Engine(plan) as engine:
        for shard in plan.shards(count):
            yield rows.table("train", count, *engine.read("train", shard))


def best(rounds: int, count: int, **ways: Callable[[], Iterator[Any]]) -> dict[str, float]:
    """Rows a second of each way; the clock starts at its first item, when everything is open."""
    found = dict.fromkeys(ways, 0.0)
    for _ in range(rounds):
        for name, way in ways.items():
            items = way()
            next(items)
            start, rest = time.perf_counter(), sum(1 for _ in items)
            share = rest / (rest + 1)  # of the rows, read while the clock ran
            found[name] = max(found[name], share * count / (time.perf_counter() - start))
    return found


def main(words: list[str] | None = None) -> int:
    """Prints rows a second and their ratios."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", type=int, default=1024)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--device", default="cpu")
    args = parser.parse_args(words)
    with tempfile.TemporaryDirectory(prefix="reading_") as folder:
        os.environ["DATASET_DM_HOME"] = f"{folder}/home"
        from datasets import disable_progress_bars, load_dataset

        disable_progress_bars()
        plan = quick_plan(steps=1, batch=8, shard=16)
        count = -(-args.images // plan.shard_size) * plan.shard_size
        with Engine(plan, device=args.device) as engine:
            engine.fill({"train": count})
        asked = {**QUICK, "sampler": {"steps": 1, "guidance": 2.0}, "batch_size": 8, "shard_size": 16}
        asked |= {"num_images": count, "split": "train", "cache_dir": f"{folder}/cache"}
        kept, stream = (load_dataset("dataset_dm/voc_synth", streaming=lazy, **asked) for lazy in (False, True))
        rows = best(
            args.rounds,
            count,
            raw=lambda: raw_rows(plan, count),
            stream=lambda: iter(stream),
            kept=lambda: iter(kept),
        )
        bare = best(args.rounds, count, raw=lambda: raw_tables(plan, count), ours=lambda: tables(plan, count))
    print(f"{count} rows, images decoded: " + ", ".join(f"{name} {rate:,.0f} rows/s" for name, rate in rows.items()))
    print(f"over raw parquet: stream {rows['stream'] / rows['raw']:.2f}, kept {rows['kept'] / rows['raw']:.2f}")
    print(f"tables alone: raw {bare['raw']:,.0f} rows/s, ours {bare['ours']:,.0f}: {bare['ours'] / bare['raw']:.2f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
