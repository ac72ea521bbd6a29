"""Finds and removes old plans of a store."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from dataset_dm.errors import StoreError
from dataset_dm.files.storage import Storage
from dataset_dm.store.inventory import StoredPlan, plans_of, storages_of
from dataset_dm.store.shards import ShardStore

_DAY = 24 * 3600.0


@dataclass(frozen=True, slots=True)
class OldStore:
    """Images or labels of one plan: bytes, days since the last change, and whether this version can read the plan."""

    store: ShardStore
    size: int
    days: float
    known: bool


def find_old(plans: Sequence[StoredPlan], *, days: float) -> list[OldStore]:
    """Stores that are not in use and did not change for at least `days`, labels before their images.

    Images stay as long as any labels read from them stay, whatever `plans` holds. Raises StoreError for a manifest of a
    newer version, since the images that it needs are unknown.
    """
    every = [one for storage in storages_of(plans) for one in plans_of(storage)]
    for one in every:
        one.manifest  # noqa: B018
    old = {one.labels.name: _look(one.labels, one) for one in plans if one.labels is not None}
    found = [one for one in old.values() if one is not None and one.days >= days]
    removed = {one.store.name for one in found}
    checked = {one.images.name for one in every if one.images and one.labels and one.labels.name not in removed}
    for one in plans:
        if one.images is not None and one.images.name not in checked:
            checked.add(one.images.name)  # labels of several annotators may share them
            images = _look(one.images, one)
            found += [images] if images is not None and images.days >= days else []
    return found


def remove(old: OldStore) -> bool:
    """Removes a store with its locks; False when it is in use.

    Its folder is moved away first: a run that starts at this moment finds no shard and makes all of them.
    """
    store = old.store
    with store.lock("manifest", wait=False) as mine:
        if not mine or _used(store):
            return False
        store.storage.remove(store.name)
        store.forget_locks()
    return True


def _look(store: ShardStore, plan: StoredPlan) -> OldStore | None:
    """The store's size and age; None when it is in use."""
    if _used(store):
        return None
    files = list(_files(store.storage, store.name))
    changed = max((moment for _, moment in files), default=0.0)
    try:
        known = plan.plan is not None
    except StoreError:
        known = False
    return OldStore(store, sum(size for size, _ in files), max(0.0, time.time() - changed) / _DAY, known)


def _used(store: ShardStore) -> bool:
    return any(name != "manifest" for name in store.held())


def _files(storage: Storage, folder: str) -> Iterable[tuple[int, float]]:
    """(bytes, time of the last change) of every file below a folder."""
    for entry in storage.entries(folder):
        if entry.is_folder:
            yield from _files(storage, f"{folder}/{entry.name}")
        else:
            yield entry.size, entry.changed
