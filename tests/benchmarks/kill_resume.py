"""SIGKILL at random moments, resume, compare: `python -m tests.benchmarks.kill_resume --tries 50`.

Each try starts a run in a store of its own, kills it (and its workers) at a random moment after its first shard, starts
the same command again, and compares every shard with those of an undisturbed run. Exit code 1 if any differs.
"""

import argparse
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from dataset_dm.plan.generation_plan import GenerationPlan
from dataset_dm.store.plans import stores
from tests.benchmarks.quick_plan import files, quick_plan

ROOT = Path(__file__).resolve().parents[2]
# the run that is killed: a process of its own, as a user's is
RUN = """
import json, sys
from dataset_dm.engine import Engine
from dataset_dm.plan.generation_plan import plan_from_dict
asked = json.loads(sys.argv[1])
with Engine(plan_from_dict(asked["plan"]), device=asked["device"], engine=asked["engine"]) as engine:
    engine.fill({"train": asked["images"]})
"""


def start(plan: GenerationPlan, home: Path, args: argparse.Namespace) -> subprocess.Popen:
    """A run in a process group of its own."""
    engine = {"name": args.engine, "threads": 1, **({"workers": 2} if args.engine == "processes" else {})}
    asked = {"plan": plan.to_dict(), "device": args.device, "engine": engine, "images": args.images}
    command = [sys.executable, "-c", RUN, json.dumps(asked)]
    surroundings = {**os.environ, "DATASET_DM_HOME": str(home), "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(command, env=surroundings, cwd=ROOT, start_new_session=True)


def finish(plan: GenerationPlan, home: Path, args: argparse.Namespace) -> dict[str, bytes]:
    """Runs to the end; returns every shard."""
    if start(plan, home, args).wait() != 0:
        raise SystemExit("an undisturbed run has failed")
    return files(plan, home)


def kill_after_first(plan: GenerationPlan, home: Path, args: argparse.Namespace, delay: float) -> int:
    """Kills a run `delay` seconds after its first shard; returns how many shards were whole by then."""
    os.environ["DATASET_DM_HOME"] = str(home)
    _, labels = stores(plan)
    run = start(plan, home, args)
    while not labels.finished("train"):
        if run.poll() is not None:
            raise SystemExit("the run ended before its first shard")
        time.sleep(0.005)
    time.sleep(delay)
    os.killpg(run.pid, signal.SIGKILL)
    run.wait()
    return len(labels.finished("train"))


def main(words: list[str] | None = None) -> int:
    """Prints one line a try; returns 1 if any differed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tries", type=int, default=50)
    parser.add_argument("--images", type=int, default=64)
    parser.add_argument("--engine", choices=("local", "processes"), default="local")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--seed", type=int, default=0, help="of the moments")
    args = parser.parse_args(words)
    plan, moments = quick_plan(steps=1, batch=2, shard=4), random.Random(args.seed)
    same = 0
    with tempfile.TemporaryDirectory(prefix="kill_resume_") as folder:
        began = time.perf_counter()
        whole = finish(plan, Path(folder) / "undisturbed", args)
        # about the time from the first shard to the last: the model's start takes the rest
        _, labels = stores(plan)
        ends = sorted(labels.record("train", shard).finished for shard in labels.finished("train"))
        span = ends[-1] - ends[0]
        print(
            f"undisturbed: {len(whole)} files in {time.perf_counter() - began:.1f} s, {span:.2f} s from first to last"
        )
        for number in range(1, args.tries + 1):
            home = Path(folder) / f"try{number}"
            delay = moments.uniform(0, span)
            done = kill_after_first(plan, home, args, delay)
            equal = finish(plan, home, args) == whole
            same += equal
            shutil.rmtree(home)
            print(
                f"try {number}: killed {delay:.3f} s after the first shard, with {done} done: "
                f"{'identical' if equal else 'DIFFERENT'}",
                flush=True,
            )
    print(f"identical: {same}/{args.tries}")
    return 0 if same == args.tries else 1


if __name__ == "__main__":
    sys.exit(main())
