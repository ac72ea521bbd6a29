"""Load, stream, push and train under four versions of `datasets`: `python -m tests.compatibility`, or some of them.

Every version gets a virtual environment, made once (about 1.5 GB with a CPU build of torch); the tests below run in it.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import venv
from pathlib import Path

from tests.compatibility.environments import ROOT, VERSIONS, constraints

TESTS = (
    "tests/test_registry.py",
    "tests/labels/test_records.py",
    "tests/builders",
    "tests/exports/test_round_trip.py",
    "tests/exports/test_open_dataset.py",
    "tests/readers/test_voc.py",
    "tests/hub/test_spelling.py",
    "tests/hub/test_card_yaml.py",
    "tests/hub/test_push.py",
    "tests/hub/test_example_scripts.py",
    "tests/hub/test_model_upload.py",
    "tests/trainers",
)
LIBRARIES = ("datasets", "huggingface_hub", "transformers", "diffusers", "torch")


def make(folder: Path, version: str) -> Path:
    """The environment's Python, installed where it is not there yet or other versions are asked for."""
    python = folder / version / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    wanted, had = folder / f"{version}.txt", folder / f"{version}.installed.txt"
    wanted.write_text("\n".join(constraints(version)) + "\n", encoding="utf-8")
    if had.is_file() and had.read_bytes() == wanted.read_bytes():
        return python
    had.unlink(missing_ok=True)
    venv.create(folder / version, with_pip=True, clear=True)
    command = [python, "-m", "pip", "install", "--quiet", "-c", wanted, "-e", ROOT, "pytest>=8.0"]
    subprocess.run(list(map(str, command)), check=True)
    wanted.replace(had)
    return python


def run(python: Path, chosen: list[str]) -> int:
    """The tests in that environment; other versions have warnings of their own, which are no errors here."""
    tests = chosen or list(TESTS)
    # the checkout is installed there: a path to another one must not win
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    code = f"from importlib.metadata import version; print(*(f'{{n}} {{version(n)}}' for n in {LIBRARIES}), sep=', ')"
    subprocess.run([str(python), "-c", code], check=True, env=environment)
    options = ["-q", "-p", "no:cacheprovider", "-o", "filterwarnings=default", "--disable-warnings"]
    return subprocess.run([str(python), "-m", "pytest", *options, *tests], cwd=ROOT, env=environment).returncode


def main(words: list[str] | None = None) -> int:
    """1 if anything failed under any version."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("versions", nargs="*", metavar="version", help=f"of {', '.join(VERSIONS)}; default: all")
    parser.add_argument("--folder", type=Path, default=ROOT / "build" / "compatibility", help="of the environments")
    parser.add_argument("--tests", nargs="+", default=[], help="other tests than those of the list")
    asked = parser.parse_args(words)
    unknown = [version for version in asked.versions if version not in VERSIONS]
    if unknown:
        parser.error(f"version: got {unknown[0]!r}, expected one of {', '.join(VERSIONS)}")
    folder = asked.folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    failed = [version for version in asked.versions or VERSIONS if run(make(folder, version), asked.tests)]
    print(f"failed under datasets {', '.join(failed)}" if failed else "every version passed")
    return int(bool(failed))


if __name__ == "__main__":
    sys.exit(main())
