"""Every kind of unsupported label is counted."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from dataset_dm.exports import FORMATS, export_set
from dataset_dm.exports.sample import Labels
from dataset_dm.exports.unsupported import CROWDS, EMPTY, LOOSE_BOXES, NO_MASK, POINTS_OUTSIDE, SHARED_PIXELS, SIDE_MAPS
from dataset_dm.labels import rle
from tests.exports.sets import CLASSES, samples

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
