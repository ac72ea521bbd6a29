"""Which versions go together. The oldest environment holds the lowest versions that `setup.cfg` promises."""

from __future__ import annotations

import configparser
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TORCH = "torch"
# SegFormer's image processor of transformers 5 does without torchvision since 5.22 (5.18 does not);
# transformers 5 needs huggingface-hub 1, which diffusers knows since 0.36 and datasets since 4.1
_BETWEEN = {
    "4.0": ("datasets==4.0.0", "huggingface-hub==0.36.2", "transformers==4.57.6", "diffusers==0.36.0"),
    "4.8": ("datasets==4.8.5", "huggingface-hub==1.33.0", "transformers==5.22.2", "diffusers==0.39.0"),
}
VERSIONS = ("3.6", *_BETWEEN, "5.2")


def constraints(version: str) -> list[str]:
    """pip's constraints of an environment, a line each; torch is the same in all: it is large, and nothing asks for it.

    >>> [line for line in constraints("3.6") if line.startswith("datasets")]
    ['datasets==3.6']
    """
    tested = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    if version == VERSIONS[-1]:
        return tested
    torch = [line for line in tested if line.startswith(f"{TORCH}==")]
    return [*(floors() if version == VERSIONS[0] else _BETWEEN[version]), *torch]


def floors() -> list[str]:
    """The lowest versions that `setup.cfg` promises, torch left out."""
    read = configparser.ConfigParser()
    read.read(ROOT / "setup.cfg", encoding="utf-8")
    promised = read["options"]["install_requires"].split()
    return [line.replace(">=", "==") for line in promised if not line.startswith(f"{TORCH}>=")]
