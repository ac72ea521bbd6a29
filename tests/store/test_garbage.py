"""Old plans: images stay while labels read from them stay; what is in use stays."""

import os
import time
from pathlib import Path

import pyarrow as pa
import pytest

from dataset_dm.errors import StoreError
from dataset_dm.files.storage import LocalStorage
from dataset_dm.store.garbage import find_old, remove
from dataset_dm.store.inventory import plans_of
from dataset_dm.store.shards import ShardStore

SHARED, OTHER = "a" * 16, "b" * 16  # images
OLD, NEW, OWN = "0" * 16, "1" * 16, "2" * 16  # labels: two of SHARED, one of OTHER


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for kind, fingerprint, images, days in (
        ("images", SHARED, None, 40),
        ("images", OTHER, None, 40),
        ("labels", OLD, SHARED, 40),
        ("labels", NEW, SHARED, 0),
        ("labels", OWN, OTHER, 40),
    ):
        store = ShardStore.open(kind, fingerprint, tmp_path)
        store.describe({"steps": 1}, images=images)
        store.write("train", 0, pa.table({"index": [0]}), {})
        moment = time.time() - days * 24 * 3600
        for file in Path(store.folder).rglob("*"):
            os.utime(file, (moment, moment))
    return tmp_path


def names(root: Path, days: float = 30) -> list[str]:
    return [old.store.fingerprint for old in find_old(list(plans_of(LocalStorage(root))), days=days)]


def test_labels_come_before_their_images_and_shared_images_stay(root: Path) -> None:
    assert names(root) == [OLD, OWN, OTHER]
    assert names(root, days=50) == []
    assert sorted(names(root, days=0)) == [OLD, NEW, OWN, SHARED, OTHER]


def test_age_size_and_whether_the_plan_can_be_read(root: Path) -> None:
    old = next(iter(find_old(list(plans_of(LocalStorage(root))), days=30)))
    assert old.days == pytest.approx(40, abs=0.1) and not old.known  # {"steps": 1} is no plan
    assert old.size == sum(file.stat().st_size for file in Path(old.store.folder).rglob("*") if file.is_file())


def test_a_store_in_use_is_neither_found_nor_removed(root: Path) -> None:
    (old,) = [one for one in find_old(list(plans_of(LocalStorage(root))), days=30) if one.store.fingerprint == OLD]
    with old.store.in_use("somebody"):
        assert OLD not in names(root) and not remove(old)
        assert Path(old.store.folder).is_dir()
    assert remove(old) and not Path(old.store.folder).exists()


def test_a_manifest_of_a_newer_version_stops_the_search(root: Path) -> None:
    manifest = root / "labels" / NEW / "manifest.json"
    manifest.write_text(manifest.read_text().replace('"format": 1', '"format": 99'))
    with pytest.raises(StoreError, match="has format 99"):
        names(root)
