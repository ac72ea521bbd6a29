"""Disjoint index ranges of the world's splits: what one split shows, no other split ever shows."""

from __future__ import annotations

import hashlib

from dataset_dm.miniature.world.geometry import Rendering, Scene
from dataset_dm.miniature.world.scene import sample

# Raised by hand when the same seed and index give another scene; tests/fixtures/world_1.npz holds scenes of version 1.
WORLD_VERSION = 1
WORLD_SEED = 0
ROOM = 10**8  # scenes a split

SPLITS: dict[str, range] = {
    name: range(row * ROOM, (row + 1) * ROOM) for row, name in enumerate(("pretrain", "train", "validation", "test"))
}


def index_of(split: str, i: int) -> int:
    """World index of scene i of a split. Raises ValueError for an unknown split or i outside 0..10^8 - 1."""
    if split not in SPLITS:
        raise ValueError(f"split: got {split!r}, expected one of {', '.join(SPLITS)}")
    if isinstance(i, bool) or not 0 <= i < ROOM:
        raise ValueError(f"scene of split {split!r}: got {i!r}, expected a whole number 0..{ROOM - 1}")
    return SPLITS[split][int(i)]


def world_hash() -> str:
    """16 hex digits that stand for the world as a generator with exact labels; they change with WORLD_VERSION alone."""
    return hashlib.sha256(f"miniature world {WORLD_VERSION}".encode()).hexdigest()[:16]


def labelled(
    split: str, i: int, style: str = "day", size: tuple[int, int] = (128, 128), seed: int = WORLD_SEED
) -> tuple[Scene, Rendering]:
    """Scene i of a split with its image and exact labels, at size (height, width)."""
    return sample(seed, index_of(split, i), style, size)
