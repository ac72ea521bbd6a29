"""Sets as others keep them: saved to disk, as plain parquet, as lists of dicts; and real renders of the world."""

from pathlib import Path
from typing import Any

import datasets
import numpy as np
import pytest

from dataset_dm.exports import FORMATS, export_set, import_set
from dataset_dm.exports.open_dataset import open_source
from tests.exports.sets import CLASSES, rows_of, submitted, unreviewed, write_set


@pytest.fixture(scope="module")
def renders(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six scenes with exact labels of every kind, saved by `datasets` itself."""
    from dataset_dm.builders.miniature import Miniature

    folder = tmp_path_factory.mktemp("renders")
    builder = Miniature(config_name="all", splits={"train": 4, "test": 2}, cache_dir=str(folder / "cache"))
    builder.download_and_prepare()
    builder.as_dataset().save_to_disk(str(folder / "disk"))
    return folder / "disk"


@pytest.mark.parametrize("name", FORMATS)
def test_renders_come_back_equal(name: str, renders: Path, tmp_path: Path) -> None:
    done = export_set(str(renders), name, tmp_path / "out")
    assert dict(done.rows) == {"train": 4, "test": 2}
    back = import_set(submitted(done.folder, name), name, str(renders), tmp_path / "new")
    assert (back.reviewed, back.rows) == (6, 6) and not any(back.counts.values())
    for split, before in datasets.load_from_disk(str(renders)).items():
        before = raw(before)
        assert unreviewed({split: rows_of(tmp_path / "new")[split]})[split] == before


def raw(rows: Any) -> list[dict[str, Any]]:
    return rows.with_format("arrow")[:].to_pylist()


def test_a_new_version_is_read_by_plain_datasets(hand_set: Path, exports: dict[str, Path], tmp_path: Path) -> None:
    import_set(exports["coco"], "coco", str(hand_set), tmp_path / "new")
    read = datasets.load_dataset(str(tmp_path / "new"), cache_dir=str(tmp_path / "cache"))
    assert {split: len(rows) for split, rows in read.items()} == {"train": 3, "validation": 1}
    assert read["train"].features == open_source(str(hand_set)).features
    assert np.asarray(read["train"][0]["label"]).shape == (20, 24)


def test_a_set_without_our_marker_is_read_through_datasets(
    hand_set: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("datasets.config.HF_DATASETS_CACHE", str(tmp_path / "cache"))
    (tmp_path / "plain").mkdir()
    datasets.Dataset.from_parquet(str(hand_set / "train" / "00000.parquet"), cache_dir=str(tmp_path / "c")).to_parquet(
        tmp_path / "plain" / "train.parquet"
    )
    source = open_source(str(tmp_path / "plain"))
    assert list(source.splits) == ["train"] and source.classes == CLASSES and source.indices("train") == [16, 18, 19]
    ours, theirs = ([sample for _, sample in each.rows("train")] for each in (open_source(str(hand_set)), source))
    for one, other in zip(ours, theirs, strict=True):
        assert (one.name, one.image, one.size) == (other.name, other.image, other.size)
        np.testing.assert_array_equal(one.labels.label, other.labels.label)
        for instance, same in zip(one.labels.instances, other.labels.instances, strict=True):
            np.testing.assert_array_equal(instance.mask, same.mask)


def test_objects_as_a_list_of_dicts_are_exported(hand_set: Path, tmp_path: Path) -> None:
    """Boxes alone, ids of the image that come twice: the place in the split names the files."""
    category = datasets.ClassLabel(names=list(CLASSES))
    features = datasets.Features(
        {
            "image_id": datasets.Value("int64"),
            "image": datasets.Image(),
            "objects": [{"bbox": datasets.Sequence(datasets.Value("float32")), "category": category}],
        }
    )
    image = rows_of(hand_set)["train"][0]["image"]
    instances = [{"bbox": [1.5, 2.0, 3.0, 4.0], "category": 1}]
    columns = {"image_id": [7, 7], "image": [image, image], "objects": [instances, []]}
    datasets.Dataset.from_dict(columns, features=features).save_to_disk(str(tmp_path / "set"))
    done = export_set(str(tmp_path / "set"), "voc", tmp_path / "out")
    assert sorted(file.stem for file in (tmp_path / "out" / "JPEGImages").iterdir()) == [
        "train_000000_000000", "train_000000_000001",
    ]  # fmt: skip
    text = (tmp_path / "out" / "Annotations" / "train_000000_000000.xml").read_text()
    assert "<xmin>2.5</xmin>" in text and "<segmented>0</segmented>" in text and not done.lost
    assert not (tmp_path / "out" / "SegmentationClass").exists()


def test_only_the_columns_that_are_there_are_counted(tmp_path: Path) -> None:
    bare = write_set(tmp_path / "bare", without=("depth_map", "label", "classes"))
    assert not export_set(str(bare), "coco", tmp_path / "out").lost
    assert open_source(str(bare)).classes == CLASSES
