"""The object builders: size, stance, slots, determinism, and a person's anatomy."""

from __future__ import annotations

import numpy as np
import pytest

from dataset_dm.labels.vocabulary import VOC_CLASSES
from dataset_dm.miniature.world.geometry import SHAPES, SLOTS, Figure
from dataset_dm.miniature.world.objects import build
from dataset_dm.miniature.world.objects.parts import bounds

SEEDS = range(50)
CLASS_IDS = range(1, 21)
PERSON = VOC_CLASSES.index("person") + 1


def figures(class_id: int) -> list[Figure]:
    return [build(class_id, np.random.default_rng(seed)) for seed in SEEDS]


def test_class_order_is_voc() -> None:
    assert len(VOC_CLASSES) == 20
    assert list(VOC_CLASSES) == sorted(VOC_CLASSES)  # VOC's order is alphabetical
    assert (VOC_CLASSES[0], VOC_CLASSES[6], VOC_CLASSES[14], VOC_CLASSES[19]) == (
        "aeroplane",
        "car",
        "person",
        "tvmonitor",
    )


@pytest.mark.parametrize("class_id", [0, 21, -1, 255])
def test_unknown_class_is_one_clear_line(class_id: int) -> None:
    with pytest.raises(ValueError, match=rf"got {class_id}, expected 1\.\.20"):
        build(class_id, np.random.default_rng(0))


@pytest.mark.parametrize("class_id", CLASS_IDS)
def test_every_figure_stands_centred_at_unit_size(class_id: int) -> None:
    for figure in figures(class_id):
        low, high = bounds(figure.solids)
        assert low[1] == pytest.approx(0.0, abs=1e-9)
        assert low[[0, 2]] + high[[0, 2]] == pytest.approx([0.0, 0.0], abs=1e-9)
        extent = high - low
        assert max(extent[0], extent[2]) * extent[1] == pytest.approx(1.0)
        assert 0.22 < extent.min() and extent.max() < 2.2  # no needle, no sheet: extents stay comparable


@pytest.mark.parametrize("class_id", CLASS_IDS)
def test_solids_are_legal(class_id: int) -> None:
    for figure in figures(class_id):
        assert 6 <= len(figure.solids) <= 44
        for solid in figure.solids:
            assert solid.shape in SHAPES and solid.slot in SLOTS
            assert min(solid.half) > 0 and np.isfinite(solid.center).all()
            if solid.shape == "capsule":
                assert solid.half[0] == solid.half[2] and solid.half[1] >= solid.half[0]
            if solid.rotation is not None:
                assert solid.rotation @ solid.rotation.T == pytest.approx(np.eye(3), abs=1e-9)
                assert np.linalg.det(solid.rotation) == pytest.approx(1.0)
        assert {"main", "second"} <= {solid.slot for solid in figure.solids}
        assert (figure.keypoints is not None) == (class_id == PERSON)


@pytest.mark.parametrize("class_id", CLASS_IDS)
def test_the_generator_decides_everything(class_id: int) -> None:
    def numbers(seed: int) -> np.ndarray:
        figure = build(class_id, np.random.default_rng(seed))
        return np.concatenate([np.array([*s.center, *s.half]) for s in figure.solids])

    assert np.array_equal(numbers(3), numbers(3))
    assert not np.array_equal(numbers(3), numbers(4))
