"""OKS AP by hand: one labelled joint, a distance that can be worked out."""

import math

import numpy as np
import pytest

from dataset_dm.metrics.pose import SIGMAS, Poses, similarity
from tests.metrics.scenes import found, square, true

CAR, PERSON = 1, 15
BODY = square(10, 10, 20)  # 400 pixels


def joints(x: float, y: float, seen: tuple[int, ...] = tuple(range(17))) -> np.ndarray:
    """All joints at one place, those of `seen` labelled, float32 [1 17 3]."""
    points = np.zeros((1, 17, 3), dtype=np.float32)
    points[0, list(seen)] = (x, y, 2)
    return points


def people(*images) -> Poses:
    poses = Poses(PERSON)
    for objects, truth in images:
        poses.add(objects, truth)
    return poses


def person(points: np.ndarray, score: float = 0.9, confidence: float = 1.0, mask: np.ndarray = BODY):
    return found((mask, PERSON, score), points=points, confidence=np.full((1, 17), confidence, np.float32))


def test_sigmas_are_cocos() -> None:
    cocoeval = pytest.importorskip("pycocotools.cocoeval")
    assert SIGMAS == pytest.approx(cocoeval.Params("keypoints").kpt_oks_sigmas)


def test_similarity_by_hand() -> None:
    # a nose one pixel off on 400 pixels: exp(-1 / (2 · 400 · 0.052²))
    near = similarity(joints(21, 20)[0], joints(20, 20)[0], 400)
    assert near[0] == pytest.approx(math.exp(-1 / 2.1632)) == pytest.approx(0.6298, abs=1e-4)
    assert near[11] > near[0]  # hips may be farther off
    assert similarity(joints(20, 20)[0], joints(20, 20)[0], 400) == pytest.approx(np.ones(17))


def test_a_nose_one_pixel_off_passes_three_of_ten_thresholds() -> None:
    truth = true((BODY, PERSON), points=joints(20, 20, seen=(0,)))
    precision = people((person(joints(21, 20)), truth)).precision()
    assert (precision.ap, precision.ap50, precision.ap75) == pytest.approx((0.3, 1, 0))


def test_unlabelled_joints_do_not_count() -> None:
    points = joints(20, 20)
    points[0, 5:] = (60, 60, 2)  # far off, where the truth has no label
    truth = true((BODY, PERSON), points=joints(20, 20, seen=(0, 1, 2, 3, 4)))
    assert people((person(points), truth)).precision().ap == pytest.approx(1)


def test_people_without_a_labelled_joint_are_ignored() -> None:
    other = square(40, 40, 20)
    points = np.concatenate([joints(20, 20), np.zeros((1, 17, 3), np.float32)])
    truth = true((BODY, PERSON), (other, PERSON), points=points)
    objects = found((other, PERSON, 0.9), (BODY, PERSON, 0.8), points=np.concatenate([joints(50, 50), joints(20, 20)]),
                    confidence=np.ones((2, 17), np.float32))  # fmt: skip
    assert people((objects, truth)).precision().ap == pytest.approx(1)


def test_only_people_have_poses() -> None:
    truth = true((BODY, CAR), points=joints(20, 20))
    car = found((BODY, CAR, 0.9), points=joints(20, 20), confidence=np.ones((1, 17), np.float32))
    assert math.isnan(people((car, truth)).precision().ap)


def test_score_is_the_objects_times_the_mean_of_the_claimed_joints() -> None:
    right = (person(joints(20, 20, seen=(0, 1)), 0.6, 0.9), true((BODY, PERSON), points=joints(20, 20, seen=(0, 1))))
    # a higher score of the object, lower scores of the joints: 0.45 ranks behind 0.54, so the wrong find comes last
    wrong = (person(joints(60, 60), 0.9, 0.5, mask=square(2, 2, 5)), true(points=np.zeros((0, 17, 3), np.float32)))
    assert people(right, wrong).precision().ap == pytest.approx(1)
    wrong = (person(joints(60, 60), 0.9, 0.7, mask=square(2, 2, 5)), true(points=np.zeros((0, 17, 3), np.float32)))
    assert people(right, wrong).precision().ap == pytest.approx(0.5)


def test_a_person_without_joints_claims_no_pose() -> None:
    lonely = (person(np.zeros((1, 17, 3), np.float32)), true(points=np.zeros((0, 17, 3), np.float32)))
    right = (person(joints(20, 20), 0.5), true((BODY, PERSON), points=joints(20, 20)))
    assert people(lonely, right).precision().ap == pytest.approx(1)


def test_poses_that_were_not_read_are_named() -> None:
    with pytest.raises(ValueError, match="annotate with the task pose"):
        Poses(PERSON).add(found((BODY, PERSON, 0.9)), true((BODY, PERSON), points=joints(20, 20)))
    with pytest.raises(ValueError, match="the truth has no keypoints"):
        Poses(PERSON).add(person(joints(20, 20)), true((BODY, PERSON)))
