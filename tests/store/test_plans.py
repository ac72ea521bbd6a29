"""A plan in the store: its manifest, its rows, and rows cut into batches."""

import json
from pathlib import Path

import pyarrow as pa
import pytest

from dataset_dm.errors import StoreError
from dataset_dm.store.inventory import StoredPlan
from dataset_dm.store.plans import describe, in_batches, note_wanted, read, stored_plan, stores
from dataset_dm.store.schema import LABEL_ROWS


def test_the_stores_of_a_plan_are_named_by_its_fingerprints(stored: StoredPlan) -> None:
    images, labels = stores(stored.plan)
    assert (images.folder, labels.folder) == (stored.images.folder, stored.labels.folder)


def test_the_plan_is_read_from_either_manifest(stored: StoredPlan) -> None:
    assert stored_plan(stored.images).image_fingerprint == stored_plan(stored.labels).image_fingerprint


@pytest.mark.parametrize(
    "change, message",
    [
        (lambda plan: {**plan, "steps": plan["steps"] + 1}, "not the folder's; it was changed by hand; move it away"),
        (
            lambda plan: {name: value for name, value in plan.items() if name != "size"},
            "holds no plan that can be read",
        ),
    ],
)
def test_a_manifest_that_cannot_be_used_is_one_line(stored: StoredPlan, change, message: str) -> None:
    file = Path(stored.labels.folder) / "manifest.json"
    manifest = json.loads(file.read_text())
    file.write_text(json.dumps({**manifest, "plan": change(manifest["plan"])}))
    with pytest.raises(StoreError, match=message) as raised:
        stored_plan(stored.labels)
    assert "\n" not in str(raised.value)


def test_the_last_request_is_noted_beside_the_plan(stored: StoredPlan) -> None:
    note_wanted(stored.plan, {"train": 1})
    assert all(store.manifest()["wanted"]["train"] == 1 for store in stored.parts)
    describe(stored.plan, stored.labels, wanted={"train": 2})
    assert stored.labels.manifest()["wanted"]["train"] == 2 and stored.images.manifest()["wanted"]["train"] == 1


def test_rows_of_a_shard_belong_to_the_same_samples(stored: StoredPlan) -> None:
    images, labels = read(stored.plan, stored.images, stored.labels, "train", 0)
    assert images.column("index").to_pylist() == labels.column("index").to_pylist() == [0, 1]
    assert "latents" not in images.column_names and labels.schema == LABEL_ROWS
    other = labels.set_column(0, "index", pa.array([0, 7]))
    stored.labels.write("train", 0, other, {})
    with pytest.raises(StoreError, match="are not of the same samples; see `dataset-dm verify --repair`"):
        read(stored.plan, stored.images, stored.labels, "train", 0)


def test_rows_are_cut_where_batches_end() -> None:
    images, labels = pa.table({"index": range(5)}), pa.table({"index": range(5)})
    parts = list(in_batches(images, labels, 2))
    assert [one.column("index").to_pylist() for one, _ in parts] == [[0, 1], [2, 3], [4]]
    assert all(one.equals(other) for one, other in parts)
    assert list(in_batches(images, labels, 5)) == [(images, labels)]
