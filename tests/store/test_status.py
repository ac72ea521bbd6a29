"""How far a plan is: counted from records, by hand."""

from pathlib import Path

import pytest

from dataset_dm.store.inventory import StoredPlan
from dataset_dm.store.plans import note_wanted
from dataset_dm.store.shards import ShardRecord
from dataset_dm.store.status import pace, survey


def test_a_finished_plan(stored: StoredPlan) -> None:
    found = survey(stored)
    assert found.samples == 2 and found.splits["train"].done == 1 and found.splits["train"].missing == 0
    files = [Path(store.file("train", 0)) for store in stored.parts]
    assert [found.image_bytes, found.label_bytes] == [file.stat().st_size for file in files]
    assert set(found.stages) >= {"draw", "label"} and found.eta == 0 and found.running == 0


def test_a_shard_counts_when_images_and_labels_are_there(stored: StoredPlan) -> None:
    note_wanted(stored.plan, {"train": 7})  # four shards of two
    Path(stored.labels.file("train", 0)).unlink()
    found = survey(StoredPlan(stored.images, stored.labels))
    assert (found.splits["train"].wanted, found.splits["train"].done, found.splits["train"].missing) == (7, 0, 4)
    assert found.samples == 0 and found.label_bytes == 0 and found.image_bytes > 0


def test_shards_in_the_making_and_runs_are_told_apart(stored: StoredPlan) -> None:
    with stored.labels.lock("train-3"), stored.labels.in_use("one"):
        found = survey(stored)
    assert list(found.making) == ["train-3"] and found.running == 1


def record(finished: float, seconds: float = 10.0) -> ShardRecord:
    return ShardRecord(rows=16, size=1, sha256="", made={}, seconds={"draw": seconds}, finished=finished)


def test_the_rate_is_that_of_the_latest_run_of_all_its_makers() -> None:
    assert pace([record(100.0), record(110.0)]) == pytest.approx(32 / 20)
    assert pace([record(100.0), record(100.0), record(110.0), record(110.0)]) == pytest.approx(64 / 20), "two workers"
    assert pace([record(100.0), record(90_000.0), record(90_010.0)]) == pytest.approx(32 / 20), "a night in between"
    assert pace([record(90_000.0), record(10.0), record(20.0)]) == pytest.approx(16 / 10), "its clock was set back"
    assert pace([]) is None and pace([record(100.0, 0.0)]) is None
