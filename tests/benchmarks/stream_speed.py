"""Rows a second of a finished set, by map, by stream and over raw parquet: `python -m tests.benchmarks.stream_speed`.

Map and stream go through the same DataLoader (decoded images in lists, no training); raw is pyarrow alone, which reads
every column of the shards and decodes nothing. Readers take turns; medians of the rounds count. The set is made first
(one sampling step: what the images show does not matter) and can be kept for the next time with `--home`.
"""

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable

import pyarrow.parquet as pq
from datasets import load_dataset
from torch.utils.data import DataLoader

import dataset_dm  # noqa: F401  (registers the names)
from dataset_dm.builders.voc_synth import VocSynth
from dataset_dm.store.plans import stores

NAME = "dataset_dm/voc_synth"


def rows_a_second(read: Callable[[], int]) -> float:
    """One pass, after two that warm it up: epochs follow each other, and the first after another reader is slower."""
    for _ in range(2):
        read()
    start = time.perf_counter()
    rows = read()
    return rows / (time.perf_counter() - start)


def readers(args: argparse.Namespace) -> dict[str, Callable[[], int]]:
    """Name → one pass over the whole set, which returns its rows; the set is made here if it is not there."""
    sampler = {"steps": 1, "guidance": 2.0}
    asked = {
        "num_images": args.images,
        "sampler": sampler,
        "device": args.device,
        "size": tuple(args.size or ()) or None,
    }
    plan = VocSynth(cache_dir=f"{args.home}/cache", **asked).config.plan()
    stored = load_dataset(NAME, split="train", cache_dir=f"{args.home}/cache", **asked)
    streamed = load_dataset(NAME, split="train", streaming=True, **asked)

    def loaded(rows: object) -> Callable[[], int]:
        loader = DataLoader(rows, batch_size=args.batch, num_workers=args.workers, collate_fn=list)
        return lambda: sum(map(len, loader))

    def raw() -> int:
        images, labels = stores(plan)
        files = [store.file("train", shard) for store in (images, labels) for shard in plan.shards(args.images)]
        return sum(pq.read_table(file, use_threads=False).num_rows for file in files) // 2

    return {"map": loaded(stored), "stream": loaded(streamed), "raw parquet": raw}


def main(words: list[str] | None = None) -> int:
    """Prints rows a second, and the ratio of stream over map."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", type=int, default=512)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--workers", type=int, default=0)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--size", type=int, nargs=2, metavar=("H", "W"))
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--home", help="a folder for the store and the cache, kept")
    args = parser.parse_args(words)
    with tempfile.TemporaryDirectory(prefix="stream_speed_") as folder:
        args.home = args.home or folder
        os.environ["DATASET_DM_HOME"] = f"{args.home}/store"
        passes = readers(args)
        rates: dict[str, list[float]] = {name: [] for name in passes}
        for _ in range(args.rounds):
            for name, read in passes.items():
                rates[name].append(rows_a_second(read))
    medians = {name: statistics.median(found) for name, found in rates.items()}
    print("rows a second:", json.dumps({name: round(rate) for name, rate in medians.items()}))
    ratios = [stream / there for stream, there in zip(rates["stream"], rates["map"], strict=True)]
    spread = f"{min(ratios):.2f}-{max(ratios):.2f}"
    print(f"stream over map, median of {args.rounds}: {statistics.median(ratios):.2f} ({spread})")
    return 0


if __name__ == "__main__":
    sys.exit(main())
