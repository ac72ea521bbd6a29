"""Peak memory of a large set over that of a small one: `python -m tests.benchmarks.memory`.

Each is `dataset-dm generate --out` in a process and a store of its own, from the first import to the written folder;
its peak is the resident set that the operating system saw (ru_maxrss). One sampling step, so that 5 000 images take
minutes: what a step needs is the same each time, only what is kept by a run could grow.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
UNIT = 1 if sys.platform == "darwin" else 1024  # of ru_maxrss, in bytes


def peak(images: int, args: argparse.Namespace) -> float:
    """Megabytes at the most while a set of so many images is made and written."""
    with tempfile.TemporaryDirectory(prefix="memory_") as folder:
        words = [sys.executable, "-m", "dataset_dm.cli", "generate", args.dataset, *args.config]
        words += ["--num-images", str(images), "--steps", "1", "--guidance", "2", "--device", args.device]
        words += ["--batch-size", str(args.batch), "--out", f"{folder}/set"]
        surroundings = {**os.environ, "DATASET_DM_HOME": f"{folder}/home", "OMP_NUM_THREADS": "1"}
        began = time.perf_counter()
        run = subprocess.Popen(words, env=surroundings, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        _, status, used = os.wait4(run.pid, 0)
        run.returncode = os.waitstatus_to_exitcode(status)
        if run.returncode != 0:
            raise SystemExit(f"{' '.join(words)} ended with code {run.returncode}")
        found = used.ru_maxrss * UNIT / 2**20
        print(f"{images} images: {found:.1f} MB at most, {time.perf_counter() - began:.0f} s", flush=True)
    return found


def main(words: list[str] | None = None) -> int:
    """Prints both peaks and their ratio."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--few", type=int, default=100)
    parser.add_argument("--many", type=int, default=5000)
    parser.add_argument("--dataset", default="voc_synth")
    parser.add_argument("--config", nargs="*", default=[], help="such as all (default: the set's first)")
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--device", default="cpu")
    args = parser.parse_args(words)
    few, many = peak(args.few, args), peak(args.many, args)
    print(f"peak memory at {args.many} images over {args.few}: {many / few:.3f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
