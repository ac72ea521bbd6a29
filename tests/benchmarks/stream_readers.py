"""Ranks with DataLoader workers stream shards that are not made yet: `python -m tests.benchmarks.stream_readers`.

Every rank is a process of its own on one store. Checked: every row comes to exactly one rank once, and nothing is made
twice, neither a shard nor a batch of one. Exit code 1 otherwise. `--images` that the ranks' shards do not divide make
every rank go through all rows; then too all is made once.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.published import published, watched

ROOT = Path(__file__).resolve().parents[2]
QUICK = {"sampler": {"steps": 1, "guidance": 2.0}, "batch_size": 2, "shard_size": 4}
RANK = """
import itertools, json, sys
import dataset_dm
from datasets import load_dataset
from datasets.distributed import split_dataset_by_node
from torch.utils.data import DataLoader
asked = json.loads(sys.argv[1])
count = None if asked["endless"] else asked["images"]
rows = load_dataset("dataset_dm/voc_synth", split="train", num_images=count, streaming=True, **asked["quick"])
rows = split_dataset_by_node(rows, asked["rank"], asked["ranks"])
workers = {"num_workers": asked["workers"], "prefetch_factor": asked["ahead"]}
loader = DataLoader(rows, batch_size=None, collate_fn=lambda row: row["provenance"]["index"], **workers)
print(json.dumps(list(itertools.islice(loader, asked["images"] // asked["ranks"] if asked["endless"] else None))))
"""


def main(words: list[str] | None = None) -> int:
    """Prints what was read and made; 1 if anything came or was made twice, or is missing."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--ranks", type=int, default=2)
    parser.add_argument("--workers", type=int, default=2, help="of each rank's DataLoader; 0: the rank itself")
    parser.add_argument("--images", type=int, default=32)
    parser.add_argument("--endless", action="store_true", help="read so many of an endless stream")
    parser.add_argument("--device", default="cpu")
    args = parser.parse_args(words)
    with tempfile.TemporaryDirectory(prefix="stream_readers_") as folder:
        start = time.perf_counter()
        read = _ranks(Path(folder), args)
        seconds = time.perf_counter() - start
        counted = published(Path(folder) / "watched")
    rows = sorted(index for part in read for index in part)
    twice = [name for name, count in counted.items() if count > 1]
    wanted = len(set(rows)) == args.images if args.endless else rows == list(range(args.images))
    ends = [sum(name.endswith(ending) for name in counted) for ending in (".parquet", ".arrow")]
    print(f"{args.ranks} ranks x {args.workers} workers: {[len(part) for part in read]} rows in {seconds:.0f} s")
    print(f"published: {ends[0]} shards of images and of labels, {ends[1]} pieces before; twice: {len(twice)}")
    print("every row once" if wanted and len(rows) == len(set(rows)) else f"ROWS DIFFER: {rows}")
    return 0 if wanted and not twice else 1


def _ranks(folder: Path, args: argparse.Namespace) -> list[list[int]]:
    """The indices that each rank read."""
    surroundings = {**watched(folder / "watched"), "DATASET_DM_HOME": str(folder / "home"), "OMP_NUM_THREADS": "1"}
    asked = {"quick": {**QUICK, "device": args.device}, "ahead": 2 if args.workers else None, **vars(args)}
    runs = [
        subprocess.Popen(
            [sys.executable, "-c", RANK, json.dumps({**asked, "rank": rank})],
            **{"env": surroundings, "cwd": ROOT, "stdout": subprocess.PIPE, "text": True},
        )
        for rank in range(args.ranks)
    ]
    said = [run.communicate()[0] for run in runs]
    if any(run.returncode for run in runs):
        raise SystemExit("a rank has failed")
    return [json.loads(text) for text in said]


if __name__ == "__main__":
    sys.exit(main())
