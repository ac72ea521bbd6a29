"""The list of images that a set leaves out, beside its images."""

from pathlib import Path

import numpy as np
import pytest

from dataset_dm.errors import StoreError
from dataset_dm.rows.exclusions import NAME, Exclusions, clear_exclusions, find_near, read_exclusions, write_exclusions
from dataset_dm.store.plans import stores
from tests.plan.test_generation_plan import PLAN
from tests.rows.test_near_duplicates import bits


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DATASET_DM_HOME", str(tmp_path))
    return tmp_path


def found() -> Exclusions:
    images = [("train", 0, bits(1)), ("train", 2, bits(1, 2)), ("train.1", 3, bits(50)), ("test", 0, bits(*range(9)))]
    return find_near(images, {"a/b.jpg": bits(50, 51)}, 1)


def test_what_is_found_and_why() -> None:
    assert found().rows == {"train": {2: "near_duplicate"}, "train.1": {3: "near_photo"}}
    assert found().like == {"train": {2: "train/0"}, "train.1": {3: "a/b.jpg"}}
    assert found().how == {"bits": 256, "distance": 1, "photos": 1, "pictures": 4} and len(found()) == 2
    assert len(find_near([], {}, 3)) == 0


def test_it_is_kept_beside_the_images_and_cleared() -> None:
    assert read_exclusions(PLAN) == Exclusions() and Exclusions().digest == ""
    place = write_exclusions(PLAN, found())
    assert place == stores(PLAN)[0].folder / NAME and read_exclusions(PLAN) == found()
    assert stores(PLAN)[0].splits() == []
    clear_exclusions(PLAN)
    clear_exclusions(PLAN)
    assert not place.exists() and len(read_exclusions(PLAN)) == 0


def test_the_digest_is_that_of_what_is_left_out() -> None:
    other = find_near([("train", 0, bits(1)), ("train", 3, np.zeros(4, np.uint64))], {}, 1)
    assert len({found().digest, other.digest, ""}) == 3
    write_exclusions(PLAN, found())
    assert read_exclusions(PLAN).digest == found().digest


@pytest.mark.parametrize(
    "text", ["", "[]", '{"format": 1}', '{"format": 1, "rows": {"train": {"x": "y"}}, "like": {}}']
)
def test_a_damaged_list_is_named(text: str) -> None:
    write_exclusions(PLAN, found()).write_text(text)
    with pytest.raises(StoreError, match="excluded.json cannot be read .*dataset-dm duplicates"):
        read_exclusions(PLAN)


def test_a_list_of_a_newer_version_is_left_alone() -> None:
    write_exclusions(PLAN, found()).write_text('{"format": 2}')
    with pytest.raises(StoreError, match="has format 2: expected at most 1; upgrade dataset-dm"):
        read_exclusions(PLAN)
