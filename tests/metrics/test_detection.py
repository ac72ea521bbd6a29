"""AP by hand: one or two instances a image, overlaps that can be counted."""

import math

import pytest

from dataset_dm.metrics.detection import Detections
from tests.metrics.scenes import found, square, true

CAR, DOG = 1, 2


def counted(*images) -> Detections:
    detections = Detections(["car", "dog"])
    for objects, truth in images:
        detections.add(objects, truth)
    return detections


def test_perfect_is_one_and_says_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    one = counted((found((square(5, 5, 10), CAR, 0.9)), true((square(5, 5, 10), CAR))))
    for kind in ("segm", "bbox"):
        precision = one.precision(kind)
        assert (precision.ap, precision.ap50, precision.ap75) == pytest.approx((1, 1, 1))
    assert capsys.readouterr().out == ""


def test_overlap_of_two_thirds_passes_four_of_ten_thresholds() -> None:
    # 80 pixels shared, 120 in the union: right at 0.50, 0.55, 0.60, 0.65
    precision = counted((found((square(5, 7, 10), CAR, 0.9)), true((square(5, 5, 10), CAR)))).precision("segm")
    assert (precision.ap, precision.ap50, precision.ap75) == pytest.approx((0.4, 1, 0))


def test_classes_count_apart() -> None:
    # the car is found, the dog is called a car: car has one right before one wrong find, dog has none
    objects = found((square(5, 5, 10), CAR, 0.9), (square(30, 30, 10), CAR, 0.8))
    precision = counted((objects, true((square(5, 5, 10), CAR), (square(30, 30, 10), DOG)))).precision("segm")
    assert precision.by_class[CAR] == pytest.approx(1) and precision.by_class[DOG] == 0
    assert precision.ap == pytest.approx(0.5)


def test_a_false_find_of_higher_score_halves_the_precision() -> None:
    objects = found((square(30, 30, 10), CAR, 0.9), (square(5, 5, 10), CAR, 0.8))
    assert counted((objects, true((square(5, 5, 10), CAR)))).precision("segm").ap == pytest.approx(0.5)


def test_void_pixels_excuse_a_find_of_any_class() -> None:
    objects = found((square(30, 30, 10), DOG, 0.9), (square(5, 5, 10), CAR, 0.8), (square(30, 45, 9), CAR, 0.9))
    crowd = square(30, 30, 10) | square(30, 45, 9)
    truth = true((square(5, 5, 10), CAR), ignore=crowd)
    precision = counted((objects, truth)).precision("segm")
    assert precision.ap == pytest.approx(1)
    assert math.isnan(precision.by_class[DOG])  # a crowd alone is nothing to find


def test_boxes_overlook_a_hole_that_masks_see() -> None:
    ring = square(5, 5, 10) & ~square(6, 6, 8)  # 36 of 100 pixels
    one = counted((found((ring, CAR, 0.9)), true((square(5, 5, 10), CAR))))
    assert one.precision("bbox").ap == pytest.approx(1) and one.precision("segm").ap == 0


def test_loose_parts_are_one_instance() -> None:
    parts = square(5, 5, 10) | square(40, 40, 10)
    assert counted((found((parts, CAR, 0.9)), true((parts, CAR)))).precision("segm").ap == pytest.approx(1)


def test_sizes_are_parts_of_the_image() -> None:
    # at 64 pixels COCO's 32² and 96² of 640 shrink to 10.24 and 92.16 pixels
    instances = [(square(2, 2, 3), CAR), (square(10, 10, 9), CAR), (square(30, 30, 10), CAR)]
    objects = found((instances[0][0], CAR, 0.9), (instances[2][0], CAR, 0.8))  # the middle one is missed
    sizes = counted((objects, true(*instances))).precision("segm").sizes
    assert (sizes["small"], sizes["medium"], sizes["large"]) == pytest.approx((1, 0, 1))


def test_empty_images() -> None:
    assert math.isnan(counted((found(), true())).precision("segm").ap)
    nothing_found = counted((found(), true((square(5, 5, 10), CAR))), (found(), true()))
    assert nothing_found.precision("segm").ap == 0
    # a find in a image without anything is wrong: it comes before the right one
    more = counted(
        (found((square(5, 5, 10), CAR, 0.8)), true((square(5, 5, 10), CAR))),
        (found((square(5, 5, 10), CAR, 0.9)), true()),
    )
    assert more.precision("segm").ap == pytest.approx(0.5)


def test_asking_twice_gives_the_same() -> None:
    one = counted((found((square(5, 7, 10), CAR, 0.9)), true((square(5, 5, 10), CAR))))
    assert [one.precision("segm").ap for _ in range(2)] == pytest.approx([0.4, 0.4])


def test_unknown_classes_are_named() -> None:
    with pytest.raises(ValueError, match=r"a found instance has class 3, the task has 1\.\.2"):
        counted((found((square(5, 5, 10), 3, 0.9)), true()))
