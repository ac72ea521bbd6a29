"""Export, and read back: what a format holds is equal, and an import of untouched files changes no label."""

from pathlib import Path

import numpy as np
import pytest

from dataset_dm.exports import FORMATS, export_set, import_set
from dataset_dm.exports.sample import Labels, Sample
from tests.exports.sets import CLASSES, rows_of, samples, submitted, unreviewed

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
