"""Mosaics by hand: 2 x 2 of 4 x 4 images, odd borders, every kind of label, what is lost and what is merged."""

from dataclasses import replace

import numpy as np
import pytest

from dataset_dm.labels.instances import Instances
from dataset_dm.labels.records import Annotation
from dataset_dm.miniature.world import labelled
from dataset_dm.rows.splice import Lost, Part, splice, tiles


def instances(*masks: np.ndarray, scores: tuple[float, ...], keypoints: np.ndarray | None = None) -> Instances:
    shape = masks[0].shape if masks else (4, 4)
    points = np.zeros((len(masks), 17, 3), np.float32) if keypoints is None else keypoints
    return Instances.from_masks(
        masks=np.array(masks, dtype=bool).reshape(-1, *shape),
        classes=np.arange(1, len(masks) + 1),
        scores=np.array(scores, dtype=np.float32),
        keypoints=points,
        keypoint_scores=np.full(points.shape[:2], 0.5, np.float32),
    )


def part(index: int, label: np.ndarray | None = None, **labels: object) -> Part:
    image = np.full((4, 4, 3), 10 * index, np.uint8)
    annotation = Annotation(confidence=index / 10, label=label, **labels)  # type: ignore[arg-type]
    return Part(image=image, annotation=annotation, prompt=f"image {index}", index=index)


def test_four_images_of_four_pixels() -> None:
    images = [part(i, np.full((4, 4), i, np.uint8), depth=np.full((4, 4), i + 0.5, np.float32)) for i in (1, 2, 3, 4)]
    whole = splice(images, (2, 2))
    expected = [[1, 1, 2, 2], [1, 1, 2, 2], [3, 3, 4, 4], [3, 3, 4, 4]]
    assert whole.annotation.label.tolist() == expected and whole.annotation.label.dtype == np.uint8
    assert (whole.image == 10 * np.array(expected)[..., None]).all() and whole.image.dtype == np.uint8
    assert (whole.annotation.depth == np.array(expected) + 0.5).all()  # metres stay as they were
    assert whole.annotation.depth.dtype == np.float32
    assert whole.parts == (1, 2, 3, 4) and whole.prompt == "image 1 | image 2 | image 3 | image 4"
    assert whole.annotation.confidence == pytest.approx(0.25)
    assert whole.annotation.uncertain == 0 and whole.lost == ()
    assert whole.annotation.objects is None and whole.annotation.full is None and whole.annotation.presence is None


def test_images_are_averaged_and_labels_are_not() -> None:
    image = np.zeros((4, 4, 3), np.uint8)
    image[::2, ::2] = 100  # one pixel of every 2 x 2
    label = np.arange(16, dtype=np.uint8).reshape(4, 4)
    one = replace(part(1, label, full=label, probability=label / np.float32(16)), image=image)
    whole = splice([one] * 4, (2, 2))
    assert (whole.image == 25).all()
    # the centre of a shown pixel lies on a corner of four: the lower right one is taken
    assert whole.annotation.label.tolist() == [[5, 7, 5, 7], [13, 15, 13, 15]] * 2
    assert whole.annotation.full.tolist() == whole.annotation.label.tolist()
    assert whole.annotation.probability[0, 1] == 7 / 16


def test_borders_are_rounded_and_every_pixel_is_covered_once() -> None:
    assert [(t.top, t.bottom, t.left, t.right) for t in tiles((4, 5), (1, 2))] == [(0, 4, 0, 3), (0, 4, 3, 5)]
    assert [t.bottom for t in tiles((10, 1), (3, 1))] == [3, 7, 10]  # 3.33, 6.67
    count = np.zeros((7, 11), int)
    for tile in tiles((7, 11), (3, 4)):
        count[tile.inside] += 1
    assert (count == 1).all()


def test_confidence_is_weighted_by_area_and_void_is_recounted() -> None:
    wide = [
        Part(
            image=np.zeros((4, 5, 3), np.uint8),
            annotation=Annotation(
                confidence=confidence,
                label=np.full((4, 5), label, np.uint8),
                uncertain=0.9,
                presence=np.array(presence, np.float32),
            ),
            prompt="",
            index=label,
        )
        for confidence, label, presence in ((1.0, 255, [0.2, 0.9]), (0.5, 0, [0.3, 0.1]))
    ]
    merged = splice(wide, (1, 2)).annotation
    assert merged.confidence == pytest.approx((3 * 1.0 + 2 * 0.5) / 5)
    assert merged.uncertain == pytest.approx(3 / 5)
    assert merged.presence == pytest.approx([0.3, 0.9])


def test_objects_go_along_and_are_sorted_by_score() -> None:
    left, right = np.zeros((4, 4), bool), np.zeros((4, 4), bool)
    left[:, :2], right[:, 2:] = True, True
    first, second = (
        part(1, objects=instances(left, right, scores=(0.9, 0.3))),
        part(2, objects=instances(left, scores=(0.6,))),
    )
    found = splice([first, second], (1, 2)).annotation.objects
    assert found.scores == pytest.approx([0.9, 0.6, 0.3]) and found.classes.tolist() == [1, 1, 2]
    columns = [np.flatnonzero(mask.any(axis=0)).tolist() for mask in found.masks]
    assert columns == [[0], [2], [1]] and found.masks.all(axis=1).sum() == 3
    assert found.masks.sum(axis=0).max() == 1  # still no pixel is shared


def test_vanished_masks_are_dropped_and_named() -> None:
    thin, big = np.zeros((4, 4), bool), np.zeros((4, 4), bool)
    thin[0] = True  # rows 1 and 3 are kept at half height
    big[1:] = True
    whole = splice(
        [part(7, objects=instances(thin, big, scores=(0.9, 0.8))), part(8, objects=instances(scores=()))], (2, 1)
    )
    assert whole.lost == (Lost(index=7, number=0, reason="mask_too_small"),)
    assert whole.annotation.objects.classes.tolist() == [2]
    assert whole.annotation.objects.keypoints.shape == (1, 17, 3)
    assert whole.annotation.objects.masks[0, :2].all() and not whole.annotation.objects.masks[0, 2:].any()


def test_keypoints_scale_with_pixel_centres() -> None:
    points = np.zeros((1, 17, 3), np.float32)
    points[0, 0] = (0.5, 3.5, 2)  # centre of the lower left pixel
    points[0, 1] = (4, 0, 1)
    person = instances(np.ones((4, 4), bool), scores=(1.0,), keypoints=points)
    found = splice([part(1, objects=instances(scores=())), part(2, objects=person)], (1, 2)).annotation.objects
    assert found.keypoints[0, 0].tolist() == [2.25, 3.5, 2]
    assert found.keypoints[0, 1].tolist() == [4, 0, 1]
    assert not found.keypoints[0, 2:].any()  # what is not in the image stays (0, 0, 0)
    assert points[0, 0].tolist() == [0.5, 3.5, 2]  # the sample's own are untouched


def test_images_without_objects() -> None:
    empty = splice([part(i, objects=instances(scores=())) for i in range(4)], (2, 2)).annotation.objects
    assert len(empty) == 0 and empty.masks.shape == (0, 4, 4) and empty.keypoints.shape == (0, 17, 3)


def test_a_grid_of_one_changes_nothing() -> None:
    scene, drawn = labelled("test", 32)
    masks = np.array([drawn.instance_map == i + 1 for i in range(len(scene.bodies))])
    objects = Instances.from_masks(masks, np.array([b.class_id for b in scene.bodies]), np.ones(len(masks), np.float32))
    annotation = Annotation(confidence=1.0, label=drawn.class_map, objects=objects, depth=drawn.depth)
    whole = splice([Part(image=drawn.image, annotation=annotation, prompt="a", index=3)], (1, 1))
    assert np.array_equal(whole.image, drawn.image) and np.array_equal(whole.annotation.label, drawn.class_map)
    assert np.array_equal(whole.annotation.objects.masks, masks) and whole.annotation.objects.keypoints is None
    assert np.array_equal(whole.annotation.depth, drawn.depth) and whole.prompt == "a"


def test_labels_still_agree_in_a_mosaic_of_renders() -> None:
    parts = []
    for i in (16, 37, 38, 21, 30, 27):
        scene, drawn = labelled("test", i)
        bodies = [j for j in range(len(scene.bodies)) if (drawn.instance_map == j + 1).any()]
        masks = np.array([drawn.instance_map == j + 1 for j in bodies])
        classes = np.array([scene.bodies[j].class_id for j in bodies])
        objects = Instances.from_masks(masks, classes, np.linspace(0.9, 0.1, len(bodies)).astype(np.float32))
        annotation = Annotation(confidence=1.0, label=drawn.class_map, objects=objects, depth=drawn.depth)
        parts.append(Part(image=drawn.image, annotation=annotation, prompt="", index=i))
    merged = splice(parts, (2, 3)).annotation
    painted = np.zeros((128, 128), np.uint8)
    for mask, class_id in zip(merged.objects.masks, merged.objects.classes, strict=True):
        painted[mask] = class_id
    assert np.array_equal(painted, merged.label) and (merged.label > 0).mean() > 0.1


def test_mistakes() -> None:
    one = part(1, np.zeros((4, 4), np.uint8))
    with pytest.raises(ValueError, match="got 3 samples, expected 2 x 2"):
        splice([one] * 3, (2, 2))
    with pytest.raises(ValueError, match="got 5 rows of tiles, expected 1 to 4"):
        splice([one] * 5, (5, 1))
    with pytest.raises(ValueError, match="got 0 columns"):
        tiles((4, 4), (1, 0))
    with pytest.raises(ValueError, match="sizes agree"):
        splice([one, replace(one, image=np.zeros((4, 5, 3), np.uint8))], (1, 2))
    with pytest.raises(ValueError, match="sample 2 has no label"):
        splice([one, part(2)], (1, 2))
    mask = np.ones((4, 4), bool)
    bare = Instances.from_masks(mask[None], np.array([1]), np.ones(1, np.float32))
    with pytest.raises(ValueError, match="with and without keypoints"):
        splice([part(1, objects=instances(mask, scores=(1.0,))), part(2, objects=bare)], (1, 2))


def test_a_sample_without_any_known_depth_has_no_confidence_in_it() -> None:
    known, unknown = np.full((4, 4), 2, np.float32), np.zeros((4, 4), np.float32)
    confidence = np.full((4, 4), 0.5, np.float32)
    whole = splice([part(1, depth=known, depth_confidence=confidence), part(2, depth=unknown)], (1, 2)).annotation
    assert whole.depth_confidence.tolist() == [[0.5, 0.5, 0, 0]] * 4
    whole = splice([part(1, depth=known), part(2, depth=unknown)], (1, 2)).annotation
    assert whole.depth.tolist() == [[2, 2, 0, 0]] * 4 and whole.depth_confidence is None
    with pytest.raises(ValueError, match="sample 2 has no depth_confidence"):
        splice([part(1, depth=known, depth_confidence=confidence), part(2, depth=known)], (1, 2))


def test_agreement_is_the_mean_of_the_tiles_that_show_a_class() -> None:
    nan = np.nan
    agreed = ([0.5, nan, nan], [1.0, 0.25, nan])
    tiles_of = [
        part(i, np.zeros((4, 4), np.uint8), agreement=np.array(one, np.float32)) for i, one in enumerate(agreed)
    ]
    np.testing.assert_allclose(splice(tiles_of, (1, 2)).annotation.agreement, [0.75, 0.25, nan])
