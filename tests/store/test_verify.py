"""Checks of a stored shard: a good one passes, the first fault of a bad one is named."""

import io
import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from dataset_dm.errors import StoreError
from dataset_dm.store.inventory import StoredPlan
from dataset_dm.store.shards import ShardStore
from dataset_dm.store.verify import BadShard, check_plan, check_shard


def change(store: ShardStore, row: int, **values: object) -> None:
    """Rewrites values of one row of shard 0 and removes the record with its checksum."""
    file = Path(store.file("train", 0))
    table = pq.read_table(io.BytesIO(file.read_bytes()))
    rows = table.to_pylist()
    rows[row] |= values
    pq.write_table(table.from_pylist(rows, schema=table.schema), file)
    file.with_suffix(".json").unlink()


def test_a_store_of_an_earlier_version_is_good(stored: StoredPlan) -> None:
    reported = []
    assert list(check_plan(stored, reported.append)) == [] and reported == [1, 1]


@pytest.mark.parametrize(
    "kind, values, message",
    [
        ("images", {"seed": 1}, "index 1: its seed is not the plan's"),
        ("images", {"prompt": "a dog"}, "index 1: its prompt is not the plan's"),
        ("images", {"latents": b"1234"}, "index 1: its latents are not of their shape"),
        ("images", {"index": 9}, "has 2 rows, not those of the indices of shard 0"),
        ("labels", {"classes": [21]}, r"index 1: classes are not in 1\.\.20"),
        ("labels", {"confidence": 1.5}, r"index 1: a confidence is not in 0\.\.1"),
        ("labels", {"label": {"bytes": b"no image", "path": None}}, "index 1: label cannot be decoded"),
    ],
)
def test_the_first_fault_is_named(stored: StoredPlan, kind: str, values: dict, message: str) -> None:
    store = {"images": stored.images, "labels": stored.labels}[kind]
    change(store, 1, **values)
    with pytest.raises(BadShard, match=message):
        check_shard(store, stored.plan, "train", 0)
    assert [str(fault).split(":")[0] for fault in check_plan(stored)] == [f"{kind}/train/00000.parquet"]


def test_other_bytes_than_the_record_s_and_no_parquet_at_all(stored: StoredPlan) -> None:
    file = Path(stored.images.file("train", 0))
    file.write_bytes(file.read_bytes()[:-1] + b"?")
    with pytest.raises(BadShard, match="its checksum is not that of the .* bytes that were written"):
        check_shard(stored.images, stored.plan, "train", 0)
    file.with_suffix(".json").unlink()
    with pytest.raises(BadShard, match="is no parquet file that can be read"):
        check_shard(stored.images, stored.plan, "train", 0)


def test_without_its_manifest_a_plan_is_not_checked(stored: StoredPlan) -> None:
    file = Path(stored.labels.folder) / "manifest.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), "plan": None}))
    with pytest.raises(StoreError):
        list(check_plan(StoredPlan(stored.images, stored.labels)))
