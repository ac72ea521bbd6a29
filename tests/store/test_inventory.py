"""Plans are found by store, folder, fingerprint and the folder of --out; images know the labels read from them."""

from pathlib import Path

import pytest

from dataset_dm.errors import StoreError
from dataset_dm.files.storage import LocalStorage
from dataset_dm.store.inventory import StoredPlan, plans_of, storages_of, stored_plans
from dataset_dm.store.shards import ShardStore
from tests.store.conftest import ALL_LABELS


def test_every_place_that_names_a_plan(home: Path, stored: StoredPlan, tmp_path: Path) -> None:
    out = tmp_path / "set"
    out.mkdir()
    (out / ".dataset_dm.json").write_text(f'{{"labels": "{ALL_LABELS}"}}')
    for place in (out, stored.labels.folder, stored.images.folder, ALL_LABELS, ALL_LABELS[:6]):
        assert [one.fingerprint for one in stored_plans(place)] == [ALL_LABELS]
    assert len(stored_plans(None)) == len(stored_plans(home)) == 3
    assert len(storages_of(stored_plans(home))) == 1


def test_images_without_labels_are_a_plan_of_their_own(tmp_path: Path) -> None:
    for kind, fingerprint, images in (
        ("images", "a" * 16, None),
        ("images", "b" * 16, None),
        ("labels", "1" * 16, "a" * 16),
    ):
        ShardStore.open(kind, fingerprint, tmp_path).describe({"steps": 1}, images=images)
    labelled, alone = plans_of(LocalStorage(tmp_path))
    assert (labelled.labels.fingerprint, labelled.images.fingerprint) == ("1" * 16, "a" * 16)
    assert alone.labels is None and alone.fingerprint == "b" * 16 and alone.parts == (alone.images,)


def test_a_place_without_a_plan_is_one_line(home: Path, tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="nowhere: not found in"):
        stored_plans(tmp_path / "nowhere")
    (tmp_path / "set").mkdir()
    (tmp_path / "set" / ".dataset_dm.json").write_text("{}")
    with pytest.raises(StoreError, match="cannot be read"):
        stored_plans(tmp_path / "set")


def test_locks_that_are_held_are_listed(stored: StoredPlan) -> None:
    assert stored.held() == []
    with stored.labels.lock("train-7"):
        assert stored.held() == ["train-7"]
