"""The list of images that a set leaves out because they nearly repeat others, stored beside its images.

`images/<fingerprint>/excluded.json` holds them by split and index. The list applies whenever rows are read, until it
is replaced or cleared; no image is deleted or generated because of it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from jaxtyping import UInt64

from dataset_dm.errors import StoreError, explain
from dataset_dm.plan.generation_plan import GenerationPlan
from dataset_dm.rows.near_duplicates import BITS, first_alike
from dataset_dm.store.shards import ShardStore

NAME = "excluded.json"
NEAR_DUPLICATE, NEAR_PHOTO = "near_duplicate", "near_photo"
_FORMAT = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Exclusions:
    """The excluded images, and how they were found.

    Args:
        rows: split (or a later round of it, see `plan.in_round`) → index → reason.
        like: split → index → the image that it repeats, as "train/17" or a photo's name.
        how: settings of the search and number of compared images, for readers of the file.
    """

    rows: Mapping[str, Mapping[int, str]] = field(default_factory=dict)
    like: Mapping[str, Mapping[int, str]] = field(default_factory=dict)
    how: Mapping[str, Any] = field(default_factory=dict)

    def __len__(self) -> int:
        return sum(len(rows) for rows in self.rows.values())

    @property
    def digest(self) -> str:
        """8 hex digits over the excluded images, "" without any."""
        if not len(self):
            return ""
        plain = {split: sorted(reasons.items()) for split, reasons in sorted(self.rows.items()) if reasons}
        return hashlib.sha256(json.dumps(plain).encode()).hexdigest()[:8]


def find_near(
    images: Iterable[tuple[str, int, UInt64[np.ndarray, " 4"]]],
    photos: Mapping[str, UInt64[np.ndarray, " 4"]],
    distance: int,
) -> Exclusions:
    """The images that nearly repeat an earlier one, or a photo.

    Args:
        images: (split or round, index, hash) in the order of precedence; hashes as of `perceptual_hash`.
        photos: name → hash.
        distance: bits of a hash that near-duplicates may differ in, see `near_duplicates.first_alike`.
    """
    names, hashes = [("", name) for name in photos], list(photos.values())
    for split, index, image_hash in images:
        names.append((split, index))
        hashes.append(image_hash)
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
    """The list of a plan's images, an empty one if there is no file; StoreError for a damaged file."""
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
        remedy = "replace it with `dataset-dm duplicates`, or remove it"
        raise StoreError(explain(f"{store.storage.locate(name)} cannot be read ({error!r})", remedy=remedy)) from error


def write_exclusions(plan: GenerationPlan, found: Exclusions) -> Any:
    """Replaces the list of a plan's images; returns its path."""
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
    """The indices as numbers, which JSON has as text."""
    return {split: {int(index): str(value) for index, value in rows.items()} for split, rows in part.items()}
