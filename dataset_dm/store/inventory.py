"""The plans of a store: found by folder or by fingerprint, or all of them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from dataset_dm.errors import StoreError, explain
from dataset_dm.files.storage import LocalStorage, RemoteStorage, Storage, open_storage
from dataset_dm.plan.generation_plan import GenerationPlan
from dataset_dm.store.plans import stored_plan
from dataset_dm.store.shards import ShardStore

# what `dataset_dm.store.output_folder` writes into the folder of --out
_OUT_MARKER = ".dataset_dm.json"
_KINDS = ("images", "labels")


@dataclass(frozen=True)
class StoredPlan:
    """Images and the labels read from them; either may be missing.

    Args:
        images: their store.
        labels: theirs; None for images that nothing in this store labels.
    """

    images: ShardStore | None
    labels: ShardStore | None

    @property
    def parts(self) -> tuple[ShardStore, ...]:
        """The stores there are, images first."""
        return tuple(store for store in (self.images, self.labels) if store is not None)

    @property
    def fingerprint(self) -> str:
        """The fingerprint that names the plan: of the labels, else of the images."""
        return self.parts[-1].fingerprint

    @cached_property
    def manifest(self) -> dict[str, Any]:
        """The manifest of the labels, else of the images."""
        return self.parts[-1].manifest()

    @cached_property
    def plan(self) -> GenerationPlan:
        """The plan in the manifest. Raises StoreError when it is missing, damaged, or not the folder's own."""
        return stored_plan(self.parts[-1])

    def held(self) -> list[str]:
        """Names of the locks that are held: shards in the making, and runs."""
        return sorted({name for store in self.parts for name in store.held() if name != "manifest"})


def stored_plans(where: str | Path | None = None) -> list[StoredPlan]:
    """The plans of a place: a store, a plan's folder in it, a folder of `--out`, or (the beginning of) a fingerprint.

    None is the store of `$DATASET_DM_HOME`. Raises StoreError for a place that is none of these.
    """
    if where is None:
        return list(plans_of(open_storage()))
    if "://" in str(where):
        return list(plans_of(RemoteStorage.open_url(str(where))))
    folder = Path(where).expanduser().absolute()
    if (folder / _OUT_MARKER).is_file():
        return _by_fingerprint(_labels_of(folder), open_storage(), f"{folder}: its shards")
    if folder.parent.name in _KINDS and folder.is_dir():
        return _by_fingerprint(folder.name, LocalStorage(folder.parents[1]), str(folder))
    if any((folder / kind).is_dir() for kind in _KINDS):
        return list(plans_of(LocalStorage(folder)))
    return _by_fingerprint(str(where), open_storage(), str(where))


def storages_of(plans: Iterable[StoredPlan]) -> list[Storage]:
    """The storages that plans lie in, each once."""
    return list({id(one.parts[0].storage): one.parts[0].storage for one in plans}.values())


def plans_of(storage: Storage) -> Iterator[StoredPlan]:
    """Every label store with its images, then images without labels."""
    images, labels = ([one.name for one in storage.entries(kind) if _is_plan(one.name)] for kind in _KINDS)
    labelled = set()
    for fingerprint in labels:
        store = ShardStore("labels", fingerprint, storage)
        source = _images_of(store)
        labelled.add(source)
        yield StoredPlan(ShardStore("images", source, storage) if source in images else None, store)
    for fingerprint in images:
        if fingerprint not in labelled:
            yield StoredPlan(ShardStore("images", fingerprint, storage), None)


def _images_of(labels: ShardStore) -> str | None:
    """The fingerprint of the images that labels are of; None where the manifest lacks it or cannot be used."""
    try:
        return labels.manifest().get("images")
    except StoreError:
        return None


def _is_plan(name: str) -> bool:
    return not name.startswith(".")


def _by_fingerprint(start: str, storage: Storage, what: str) -> list[StoredPlan]:
    found = [
        one for one in plans_of(storage) if any(store.fingerprint.startswith(start) for store in one.parts) and start
    ]
    if not found:
        expected = "a store, a plan's folder in it, a folder made by `dataset-dm generate --out`, or a fingerprint"
        raise StoreError(explain(f"{what}: not found in {storage.locate('')}", expected=expected))
    return found


def _labels_of(folder: Path) -> str:
    try:
        return str(json.loads((folder / _OUT_MARKER).read_text(encoding="utf-8"))["labels"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise StoreError(f"{folder / _OUT_MARKER} cannot be read ({error!r})") from error
