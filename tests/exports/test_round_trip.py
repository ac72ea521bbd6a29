"""Export, and read back: what a format holds is equal, and an import of untouched files changes no label."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from dataset_dm.exports import FORMATS, export_set, import_set
from dataset_dm.exports.open_dataset import open_source
from dataset_dm.exports.sample import Labels, Sample
from dataset_dm.exports.unsupported import CROWDS, EMPTY, LOOSE_BOXES, NO_MASK, POINTS_OUTSIDE, SHARED_PIXELS, SIDE_MAPS
from dataset_dm.labels import rle
from tests.exports.sets import CLASSES, rows_of, submitted, unreviewed

# what each format holds of objects, and whether it holds the class map or void alone
HOLDS = {
    "coco": ("box", "mask", "score", "crowd", "keypoints", "keypoint_scores"),
    "yolo": ("box",),
    "yolo-seg": ("mask",),
    "yolo-pose": ("box", "keypoints"),
    "voc": ("box", "mask", "crowd", "label"),
    "cityscapes": ("box", "mask", "label"),
    "label-studio": ("mask", "score", "crowd", "keypoints", "keypoint_scores", "void"),
    "cvat": ("mask", "score", "crowd", "keypoints", "void"),
}


def samples(folder: Path) -> list[Sample]:
    source = open_source(str(folder))
    return [sample for split in source.splits for _, sample in source.rows(split)]


def test_there_are_eight() -> None:
    assert list(FORMATS) == list(HOLDS)


@pytest.mark.parametrize("name", HOLDS)
def test_what_a_format_supports_is_read_back_equal(name: str, hand_set: Path, exports: dict[str, Path]) -> None:
    chosen = FORMATS[name]
    reviewed = chosen.read(exports[name], CLASSES)
    rows = samples(hand_set)
    assert sorted(reviewed.entries) == sorted(sample.name for sample in rows)
    for sample in rows:
        held = [instance for _, instance in chosen.supported(sample, CLASSES)]
        found = reviewed.labels(sample.name, sample.size)
        assert [one.category for one in found.instances] == [one.category for one in held]
        for before, after in zip(held, found.instances, strict=True):
            for field in set(HOLDS[name]) - {"label", "void"}:
                compare(field, getattr(before, field), getattr(after, field))
            for field in ("box", "mask", "score", "keypoints", "keypoint_scores"):
                # what it does not hold it does not make up; some tell a box or no keypoint at all
                if field not in HOLDS[name] and not (field == "keypoints" and not after.posed):
                    assert getattr(after, field) is None
        if "label" in HOLDS[name]:
            np.testing.assert_array_equal(found.label, sample.labels.label)
        if "void" in HOLDS[name]:
            np.testing.assert_array_equal(found.void, sample.labels.label == 255)


def compare(field: str, before: object, after: object) -> None:
    if field == "mask":
        np.testing.assert_array_equal(before, after)
    elif field == "keypoint_scores" and after is None:  # a person without a point has no score
        assert not np.any(before)
    else:
        np.testing.assert_allclose(np.float64(before), np.float64(after), rtol=0, atol=1e-4)


@pytest.mark.parametrize("name", HOLDS)
def test_untouched_files_change_the_provenance_alone(
    name: str, hand_set: Path, exports: dict[str, Path], tmp_path: Path
) -> None:
    done = import_set(exports[name], name, str(hand_set), tmp_path / "new")
    assert (done.reviewed, done.rows) == (4, 4) and not any(done.counts.values())
    rows = rows_of(tmp_path / "new")
    assert rows["train"][0]["provenance"]["annotator"] == f"reviewed:{name}:tester"
    assert unreviewed(rows) == rows_of(hand_set)


@pytest.mark.parametrize("name", ["voc", "cityscapes", "label-studio", "cvat"])
def test_class_maps_alone_come_back(name: str, semantic_set: Path, tmp_path: Path) -> None:
    done = export_set(str(semantic_set), name, tmp_path / "out")
    assert not done.lost
    reviewed = FORMATS[name].read(submitted(done.folder, name), CLASSES)
    for sample in samples(semantic_set):
        found = reviewed.labels(sample.name, sample.size)
        np.testing.assert_array_equal(_map(found, sample), sample.labels.label)
    back = import_set(done.folder, name, str(semantic_set), tmp_path / "new")
    assert back.reviewed == 4 and not any(back.counts.values())
    assert unreviewed(rows_of(tmp_path / "new")) == rows_of(semantic_set)


def _map(found: Labels, sample: Sample) -> np.ndarray:
    if found.label is not None:
        return found.label
    label = np.zeros(sample.size, np.uint8)
    for instance in found.instances:
        label[instance.mask] = instance.category + 1
    label[found.void] = 255
    return label


@pytest.mark.parametrize("name", HOLDS)
def test_images_are_the_stored_bytes(name: str, hand_set: Path, exports: dict[str, Path]) -> None:
    stored = {sample.name: sample.image for sample in samples(hand_set)}
    written = {}
    for file in exports[name].rglob("*.png"):
        image = file.stem.removesuffix("_leftImg8bit")
        if "gtFine" not in str(file) and "Segmentation" not in str(file):
            written[image] = file.read_bytes()
    assert written == stored


LOST = {
    "coco": {"class maps": 4, "void pixels": 60, "depth maps": 4},
    "yolo": {"masks": 8, "people's keypoints": 3, "scores": 8, "class maps": 4, "void pixels": 60, "depth maps": 4},
    "yolo-seg": {"masks with holes or several parts": 2, "people's keypoints": 3, "scores": 8, "class maps": 4,
                 "void pixels": 60, "depth maps": 4},
    "yolo-pose": {"objects that are no person": 4, "masks": 8, "people's keypoint scores": 3, "scores": 8,
                  "class maps": 4, "void pixels": 60, "depth maps": 4},
    "voc": {"people's keypoints": 3, "scores": 8, "depth maps": 4},
    "cityscapes": {"people's keypoints": 3, "scores": 8, "depth maps": 4},
    "label-studio": {"depth maps": 4},
    "cvat": {"people's keypoint scores": 3, "depth maps": 4},
}  # fmt: skip


@pytest.mark.parametrize("name", LOST)
def test_what_is_lost_is_counted(name: str, hand_set: Path, tmp_path: Path) -> None:
    done = export_set(str(hand_set), name, tmp_path / "out")
    assert dict(done.lost) == LOST[name] and dict(done.rows) == {"train": 3, "validation": 1}
    chosen = FORMATS[name]
    assert set(done.lost) <= {kind.name for kind in chosen.unsupported}
    for kind in chosen.unsupported:
        assert kind.why in (type(chosen).__doc__ or "")


def test_every_kind_of_loss_is_seen_on_a_row_that_has_it(hand_set: Path) -> None:
    """Losses that the set above does not have: shared pixels, loose boxes, crowds, boxes alone, no extent, a class map
    that differs, points outside."""
    sample = samples(hand_set)[0]
    dog, person, cat = sample.labels.instances
    shared = replace(cat, mask=cat.mask | (np.arange(24) == 2)[None] & dog.mask)
    outside = person.keypoints.copy()
    outside[0, :2] = (-1, 3)
    instances = (
        dog, shared, replace(person, keypoints=outside, box=(1.0, 1.0, 2.0, 2.0), crowd=True),
        replace(cat, mask=None), replace(cat, mask=None, box=(0.0, 0.0, 0.0, 0.0)),
    )  # fmt: skip
    odd = replace(sample, labels=Labels(instances=instances, label=sample.labels.label))
    counts = {
        kind.name: kind.count(odd, CLASSES)
        for kind in (SHARED_PIXELS, LOOSE_BOXES, CROWDS, NO_MASK, EMPTY, SIDE_MAPS, POINTS_OUTSIDE)
    }
    # column 2 of the dog: rows 1 to 7 and 12, 13; both boxes of `shared` and of the person are loose
    assert list(counts.values()) == [9, 2, 1, 2, 1, 1, 1]
    assert rle.box(shared.mask) != shared.box
