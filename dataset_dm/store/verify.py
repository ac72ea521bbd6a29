"""Checks every stored shard: checksum, columns, images, labels."""

from __future__ import annotations

import hashlib
import io
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from dataset_dm.labels.images import decode_depth, decode_png
from dataset_dm.labels.tasks import unfilled_columns
from dataset_dm.labels.vocabulary import VOID
from dataset_dm.plan.generation_plan import GenerationPlan
from dataset_dm.store.inventory import StoredPlan
from dataset_dm.store.plans import Report
from dataset_dm.store.shards import Kind, ShardStore

if TYPE_CHECKING:
    import pyarrow as pa

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Fault:
    """A bad shard and the first fault found in it."""

    kind: Kind
    split: str
    shard: int
    what: str

    def __str__(self) -> str:
        return f"{self.kind}/{self.split}/{self.shard:05d}.parquet: {self.what}"


class BadShard(ValueError):
    """What is wrong with a shard."""


def check_plan(stored: StoredPlan, report: Report | None = None) -> Iterator[Fault]:
    """The bad shards of a plan, as they are found; `report` is called after every shard.

    Raises StoreError when the manifest cannot be used, since the expected content is unknown then.
    """
    plan = stored.plan
    for store in stored.parts:
        for split in store.splits():
            for shard in store.finished(split):
                try:
                    check_shard(store, plan, split, shard)
                except BadShard as bad:
                    yield Fault(store.kind, split, shard, str(bad))
                if report is not None:
                    report(1)


def check_shard(store: ShardStore, plan: GenerationPlan, split: str, shard: int) -> None:
    """Raises BadShard for the first fault of a shard."""
    try:
        data = store.data(split, shard)
    except OSError as error:
        raise BadShard(f"cannot be read ({error.strerror or error})") from error
    record = store.record(split, shard)
    if record is not None and hashlib.sha256(data).hexdigest() != record.sha256:
        raise BadShard(f"its checksum is not that of the {record.size:,} bytes that were written")
    rows = _rows(store.kind, data, plan)
    indices = [row["index"] for row in rows]
    if indices != list(plan.shard_indices(shard)):
        raise BadShard(f"has {len(rows)} rows, not those of the indices of shard {shard}")
    check = _check_image if store.kind == "images" else _check_label
    for row in rows:
        try:
            check(row, plan, split)
        except BadShard as bad:
            raise BadShard(f"index {row['index']}: {bad}") from bad


def _rows(kind: Kind, data: bytes, plan: GenerationPlan) -> list[Row]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    from dataset_dm.store.schema import IMAGE_ROWS, LABEL_ROWS, completed, differing_columns

    try:
        table: pa.Table = pq.read_table(io.BytesIO(data), use_threads=False)
    except (OSError, pa.ArrowException) as error:
        raise BadShard(f"is no parquet file that can be read ({' '.join(str(error).split())[:100]})") from error
    # older shards hold columns of tasks that are not theirs
    unfilled = unfilled_columns(plan.tasks) if kind == "labels" else ()
    differing = differing_columns(table.schema, IMAGE_ROWS if kind == "images" else LABEL_ROWS, unfilled)
    if differing:
        raise BadShard(f"its columns are not those of {kind} ({', '.join(differing)[:200]})")
    return (table if kind == "images" else completed(table)).to_pylist()


def _check_image(row: Row, plan: GenerationPlan, split: str) -> None:
    index = row["index"]
    _expect(row["seed"] == plan.sample_seed(split, index, row["attempt"]), "its seed is not the plan's")
    _expect(row["prompt"] == plan.prompt(split, index).text, "its prompt is not the plan's")
    image = _decoded(row, "image", decode_png)
    _expect(image is not None and image.shape == (*plan.size, 3), "its image is not RGB of the plan's size")
    _expect((row["height"], row["width"]) == tuple(plan.size), "its height and width are not the plan's")
    item = {"float16": 2, "bfloat16": 2, "float32": 4}.get(row["latents_dtype"], 0)
    _expect(len(row["latents"]) == item * math.prod(row["latents_shape"]), "its latents are not of their shape")


def _check_label(row: Row, plan: GenerationPlan, split: str) -> None:
    count = len(plan.classes)
    for name, highest in (("label", VOID), ("full", count)):
        found = _decoded(row, name, decode_png)
        if found is None:
            continue
        _expect(found.shape == tuple(plan.size), f"{name} is not of the plan's size")
        ids = np.unique(found)
        fitting = (ids <= count) | (ids == highest)
        _expect(bool(fitting.all()), f"{name} has class {ids[~fitting][:1]}, expected 0..{count}")
    _expect(all(1 <= number <= count for number in row["classes"] or ()), f"classes are not in 1..{count}")
    chances = [row["confidence"], row["uncertain"], row["depth_confidence"], *(row["presence"] or ())]
    _expect(all(value is None or 0 <= value <= 1 for value in chances), "a confidence is not in 0..1")
    if row["objects"] is not None:
        _check_objects(row, plan)
    metres = _decoded(row, "depth", decode_depth)
    if metres is not None:
        _expect(metres.shape == tuple(plan.size), "depth is not of the plan's size")
        _expect(bool(np.isfinite(metres).all() and (metres >= 0).all()), "depth is not in metres of 0 and more")


def _check_objects(row: Row, plan: GenerationPlan) -> None:
    objects, count = row["objects"], len(plan.classes)
    number = len(objects["id"])
    _expect(all(len(values) == number for values in objects.values() if values is not None), "objects are ragged")
    _expect(all(0 <= one < count for one in objects["category"]), f"an object's category is not in 0..{count - 1}")
    _expect(all(0 <= score <= 1 for score in objects["score"]), "an object's score is not in 0..1")
    image = _decoded(row, "annotation", decode_png)
    _expect(image is not None and image.shape == (*plan.size, 3), "annotation is not RGB of the plan's size")
    if image is not None:
        _expect(int(image[..., 0].max()) <= count, f"annotation has a class beyond {count}")
        _expect(int(image[..., 1].max()) <= number, f"annotation has an object beyond {number}")


def _decoded(row: Row, name: str, decode: Callable[[bytes], np.ndarray]) -> np.ndarray | None:
    if row[name] is None:
        return None
    try:
        return decode(row[name]["bytes"])
    except (OSError, ValueError, SyntaxError) as error:  # Pillow calls a broken PNG a SyntaxError
        raise BadShard(f"{name} cannot be decoded ({error})") from error


def _expect(right: bool, what: str) -> None:
    if not right:
        raise BadShard(what)
