"""A plan in the store: its image and label stores, their manifests, the rows of a shard."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from dataset_dm.errors import StoreError, explain
from dataset_dm.plan.generation_plan import GenerationPlan, plan_from_dict
from dataset_dm.store.schema import completed, stored_columns
from dataset_dm.store.shards import MANIFEST, ShardStore

if TYPE_CHECKING:
    import pyarrow as pa


# called after every batch with the number of its samples
Report = Callable[[int], None]


# image rows and label rows with the same indices
Rows = tuple["pa.Table", "pa.Table"]


def stores(plan: GenerationPlan) -> tuple[ShardStore, ShardStore]:
    """The image store and the label store of a plan."""
    return (
        ShardStore.open("images", plan.image_fingerprint),
        ShardStore.open("labels", plan.label_fingerprint),
    )


def stored_plan(store: ShardStore) -> GenerationPlan:
    """The plan in a store's manifest. Raises StoreError when it is missing, damaged, or not the folder's own."""
    file = f"{store.folder}/{MANIFEST}"
    remedy = "move it away and run the command that made it once more: it is written again"
    try:
        plan = plan_from_dict(store.manifest()["plan"])
    except (KeyError, TypeError, ValueError) as error:
        if isinstance(error, StoreError):
            raise
        raise StoreError(explain(f"{file} holds no plan that can be read ({error!r})", remedy=remedy)) from error
    own = plan.label_fingerprint if store.kind == "labels" else plan.image_fingerprint
    if own != store.fingerprint:
        what = f"{file}: the plan's fingerprint is {own}, not the folder's; it was changed by hand"
        raise StoreError(explain(what, remedy=remedy))
    return plan


def describe(plan: GenerationPlan, store: ShardStore, **more: Any) -> None:
    """Writes the plan into a store's manifest; see `ShardStore.describe`."""
    images = plan.image_fingerprint if store.kind == "labels" else None
    store.describe(plan.to_dict(), images=images, **more)


def note_wanted(plan: GenerationPlan, counts: Mapping[str, int]) -> None:
    """Records the last requested row counts in the manifests of a finished set, for `status`.

    No-op for a store that cannot be written.
    """
    with contextlib.suppress(StoreError):
        for store in stores(plan):
            known = store.manifest()
            before = known.get("wanted", {})
            if "plan" in known and any(before.get(split) != count for split, count in counts.items()):
                describe(plan, store, wanted=counts)


def read(plan: GenerationPlan, images: ShardStore, labels: ShardStore, split: str, shard: int) -> Rows:
    """Image rows (without latents) and label rows of a finished shard; StoreError for a shard that cannot be used."""
    columns = ["index", "attempt", "seed", "prompt", "requested", "image", "width", "height", "unsafe", "unusable"]
    drawn = images.rows(split, shard, columns)
    read = completed(labels.rows(split, shard, stored_columns(plan.tasks)))
    if not drawn.column("index").equals(read.column("index")):
        what = f"{images.file(split, shard)} and {labels.file(split, shard)} are not of the same samples"
        raise StoreError(explain(what, remedy="see `dataset-dm verify --repair`"))
    return drawn, read


def in_batches(images: pa.Table, labels: pa.Table, batch_size: int) -> Iterator[Rows]:
    """Rows cut where batches end, as when they were made: a stream relies on equal tables."""
    if images.num_rows <= batch_size:
        yield images, labels
        return
    for start in range(0, images.num_rows, batch_size):  # a slice copies nothing
        yield images.slice(start, batch_size), labels.slice(start, batch_size)
