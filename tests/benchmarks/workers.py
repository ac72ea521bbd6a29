"""Shards a second of two workers over one, a thread each: `python -m tests.benchmarks.workers`.

Loading the models is not counted: time runs from the moment when every worker has made a shard to the last shard.
"""

import argparse
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

from dataset_dm.engine import Engine
from tests.benchmarks.quick_plan import files, quick_plan


def shards_a_second(home: Path, workers: int, args: argparse.Namespace) -> tuple[float, dict[str, bytes]]:
    """The rate of so many workers that are warm, and what they made."""
    os.environ["DATASET_DM_HOME"] = str(home)
    plan = quick_plan(steps=args.steps, batch=args.batch, shard=args.batch)
    choice = {"name": "processes", "workers": workers, "threads": 1}
    with Engine(plan, device=args.device, engine=choice) as engine:
        # until each has loaded its models and made something
        warm = 0
        while warm < workers or any(not worker.seconds for worker in engine._maker._workers):
            warm += workers
            engine.fill({"warm": warm * args.batch})
        start = time.perf_counter()
        made = engine.fill({"train": args.shards * args.batch})
        rate = made / (time.perf_counter() - start)
    return rate, {name: data for name, data in files(plan, home).items() if "/train/" in name}


def main(words: list[str] | None = None) -> int:
    """Prints the rates and their ratio; 1 if the bytes differ."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--shards", type=int, default=24)
    parser.add_argument("--steps", type=int, default=10)
    parser.add_argument("--batch", type=int, default=4)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--device", default="cpu")
    args = parser.parse_args(words)
    ratios = []
    for number in range(args.rounds):
        with tempfile.TemporaryDirectory(prefix="workers_") as folder:
            one, alone = shards_a_second(Path(folder) / "one", 1, args)
            two, together = shards_a_second(Path(folder) / "two", 2, args)
        if alone != together:
            print("the bytes of one worker and of two differ")
            return 1
        ratios.append(two / one)
        print(f"round {number + 1}: one worker {one:.3f} shards/s, two {two:.3f}: {two / one:.2f}", flush=True)
    print(f"two workers over one, median of {args.rounds}: {statistics.median(ratios):.2f}; bytes identical")
    return 0


if __name__ == "__main__":
    sys.exit(main())
