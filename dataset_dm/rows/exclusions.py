"""Pictures that a set leaves out because they nearly repeat others: a list beside the stored images.

`images/<fingerprint>/excluded.json` holds them by split and index. The list is applied whenever rows are read, until it
is made anew or cleared; no picture is deleted or drawn for it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from dataset_dm.errors import StoreError, explain
from dataset_dm.plan.generation_plan import GenerationPlan
from dataset_dm.rows.near_duplicates import BITS, first_alike
from dataset_dm.store.shards import ShardStore

NAME = "excluded.json"
NEAR_DUPLICATE, NEAR_PHOTO = "near_duplicate", "near_photo"
_FORMAT = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Exclusions:
    """What is left out, and how it was found.

    Args:
        rows: split (or a later round of it, see `plan.in_round`) → index → reason.
        like: the same → what the picture is like, as "train/17" or a photo's name.
        how: hash, distance, rows looked at: for whoever reads the file.
    """

    rows: Mapping[str, Mapping[int, str]] = field(default_factory=dict)
    like: Mapping[str, Mapping[int, str]] = field(default_factory=dict)
    how: Mapping[str, Any] = field(default_factory=dict)

    def __len__(self) -> int:
        return sum(len(rows) for rows in self.rows.values())

    @property
    def digest(self) -> str:
        """8 hex digits over what is left out, "" for nothing."""
        if not len(self):
            return ""
        plain = {split: sorted(reasons.items()) for split, reasons in sorted(self.rows.items()) if reasons}
        return hashlib.sha256(json.dumps(plain).encode()).hexdigest()[:8]


def find_near(
    pictures: Iterable[tuple[str, int, np.ndarray]], photos: Mapping[str, np.ndarray], distance: int
) -> Exclusions:
    """The pictures that nearly repeat an earlier one, or a photo.

    Args:
        pictures: (split or round, index, hash) in the order of precedence; hashes as of `perceptual_hash`.
        photos: name → hash.
        distance: bits of a hash that near-duplicates may differ in, see `duplicates.first_alike`.
    """
    names, hashes = [("", name) for name in photos], list(photos.values())
    for split, index, one in pictures:
        names.append((split, index))
        hashes.append(one)
    alike = first_alike(np.array(hashes, dtype=np.uint64).reshape(-1, BITS // 64), distance, given=len(photos))
    rows: dict[str, dict[int, str]] = {}
    like: dict[str, dict[int, str]] = {}
    for position in np.flatnonzero(alike >= 0).tolist():
        (split, index), (where, other) = names[position], names[alike[position]]
        rows.setdefault(split, {})[index] = NEAR_DUPLICATE if where else NEAR_PHOTO
        like.setdefault(split, {})[index] = f"{where}/{other}" if where else other
    how = {"bits": BITS, "distance": distance, "photos": len(photos), "pictures": len(names) - len(photos)}
    return Exclusions(rows=rows, like=like, how=how)


def read_exclusions(plan: GenerationPlan) -> Exclusions:
    """The list of a plan's images, an empty one if none was made. Raises StoreError for one that cannot be read."""
    store, name = _place(plan)
    try:
        text = store.storage.read(name)
    except OSError:
        return Exclusions()
    try:
        plain = json.loads(text)
        if plain["format"] > _FORMAT:
            where = f"{store.storage.locate(name)} has format {plain['format']}"
            raise StoreError(explain(where, expected=f"at most {_FORMAT}", remedy="upgrade dataset-dm"))
        rows, like = (_numbered(plain[part]) for part in ("rows", "like"))
        return Exclusions(rows=rows, like=like, how=plain["how"])
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        if isinstance(error, StoreError):
            raise
        remedy = "make it anew with `dataset-dm duplicates`, or remove it"
        raise StoreError(explain(f"{store.storage.locate(name)} cannot be read ({error!r})", remedy=remedy)) from error


def write_exclusions(plan: GenerationPlan, found: Exclusions) -> Any:
    """Replaces the list of a plan's images; returns where it lies."""
    store, name = _place(plan)
    plain = {"format": _FORMAT, "how": dict(found.how), "rows": found.rows, "like": found.like}
    store.storage.write(name, (json.dumps(plain, indent=1) + "\n").encode())
    return store.storage.locate(name)


def clear_exclusions(plan: GenerationPlan) -> None:
    """Removes the list."""
    store, name = _place(plan)
    store.storage.remove(name)


def _place(plan: GenerationPlan) -> tuple[ShardStore, str]:
    store = ShardStore.open("images", plan.image_fingerprint)
    return store, f"{store.name}/{NAME}"


def _numbered(part: Mapping[str, Mapping[str, str]]) -> dict[str, dict[int, str]]:
    """JSON's keys are texts."""
    return {split: {int(index): str(value) for index, value in rows.items()} for split, rows in part.items()}
