"""`import dataset_dm` is light."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def run(code: str) -> str:
    command = [sys.executable, "-c", code]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout


def test_import_brings_in_the_standard_library_alone() -> None:
    # -c on the bare interpreter: whatever .pth files of the environment loaded before us is not our doing
    code = """
import sys
before = set(sys.modules)
import dataset_dm
print(*{name.split(".")[0] for name in set(sys.modules) - before} - set(sys.stdlib_module_names))
"""
    assert run(code).split() == ["dataset_dm"]


def test_import_takes_less_than_a_tenth_of_a_second() -> None:
    code = "import time; start = time.perf_counter(); import dataset_dm; print(time.perf_counter() - start)"
    seconds = [float(run(code)) for _ in range(5)]
    assert min(seconds) < 0.1  # the best of five: the bar is about us, not about a busy machine
