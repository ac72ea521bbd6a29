"""From instance, centre and offset maps to objects, by hand on 8 × 8 images with centres at stride 4."""

import math

import pytest
import torch

from dataset_dm.postprocess.instance import find, find_centres, group

HIGH = 9.0  # a logit of which the sigmoid is 1 for every purpose here


def scene(image: list[str], centres: dict[str, tuple[float, float]]):
    """Instances drawn as letters, each pointing at its centre (y, x) in pixels; a centre has a high cell."""
    names = torch.tensor([[ord(cell) for cell in row] for row in image])
    foreground = torch.where(names != ord("."), HIGH, -HIGH)
    cells, offsets = torch.full((2, 2), -HIGH), torch.zeros(2, 8, 8)
    for name, (y, x) in centres.items():
        mask = names == ord(name)
        rows, columns = torch.nonzero(mask, as_tuple=True)
        offsets[0][mask], offsets[1][mask] = y - rows - 0.5, x - columns - 0.5
        cells[int(y // 4), int(x // 4)] = HIGH
    return foreground, cells, offsets


TWO = scene(["aabb...."] * 4 + ["........"] * 4, {"a": (2.0, 2.0), "b": (2.0, 6.0)})


def odds(*rows: list[float]):
    """Always the same class odds, a row for each mask in the order in which they were found."""
    return lambda masks: torch.tensor(rows)[: len(masks)]


def test_touching_instances_are_told_apart_by_where_they_point():
    masks, confidence = group(*TWO)
    assert sorted(mask.int()[0].tolist() for mask in masks) == [[0, 0, 1, 1, 0, 0, 0, 0], [1, 1, 0, 0, 0, 0, 0, 0]]
    assert confidence.tolist() == pytest.approx([1, 1], abs=1e-3) and masks.sum(0).max() == 1


def test_holes_and_loose_parts_survive():
    ring = scene(
        ["aaaaaaaa", "a......a", "a......a", "a......a", "a......a", "a......a", "aaaaaaaa", "........"],
        {"a": (3.5, 4.5)},
    )
    masks, _ = group(*ring)
    assert len(masks) == 1 and masks[0].sum() == 26 and not masks[0][3, 3]
    apart = scene(["aa....aa"] * 2 + ["........"] * 6, {"a": (1.0, 4.5)})
    assert group(*apart)[0][0].int()[0].tolist() == [1, 1, 0, 0, 0, 0, 1, 1]


def test_objects_come_by_descending_score_with_their_class():
    found = find(*TWO, odds([math.log(3), -HIGH], [-HIGH, math.log(9)]))  # 3/4 of class 1, 9/10 of class 2
    assert found.classes.tolist() == [2, 1]
    assert found.scores.tolist() == pytest.approx([0.9, 0.75], abs=2e-3)


def test_an_instance_that_no_class_fits_is_left_out():
    found = find(*TWO, odds([HIGH, -HIGH], [-HIGH, -HIGH]))
    assert found.classes.tolist() == [1] and len(found.masks) == 1


def test_nothing_there_is_an_empty_list():
    foreground, cells, offsets = TWO
    found = find(foreground * 0 - HIGH, cells, offsets, odds([HIGH]))
    assert len(found.classes) == 0 and found.masks.shape == (0, 8, 8)


def test_an_instance_without_a_clear_centre_is_not_lost():
    foreground, cells, offsets = TWO
    masks, confidence = group(foreground, cells * 0 - 5, offsets)
    assert masks.any(0).sum() == 16 and (confidence < 0.2).all()


def test_neighbouring_cells_are_one_centre():
    cells = torch.full((8, 8), -HIGH)
    cells[2, 2], cells[2, 3], cells[7, 7] = 2.0, 1.0, 0.5
    peaks, chance = find_centres(cells)
    assert peaks.tolist() == [[2, 2], [7, 7]] and chance[0] > chance[1]


def test_classes_outside_of_the_prompt_are_weighed_down():
    classes = odds([math.log(3), math.log(2)], [-HIGH, -HIGH])  # 3/6, 2/6, none of them 1/6
    assert find(*TWO, classes).classes.tolist() == [1]
    asked = find(*TWO, classes, requested=[1], unasked=0.0)
    assert asked.classes.tolist() == [2] and asked.scores.item() == pytest.approx(2 / 3, abs=2e-3)
    assert len(find(*TWO, classes, requested=[], unasked=0.0).classes) == 0


def test_calibration_moves_scores_and_not_their_order():
    found = find(*TWO, odds([math.log(3)], [math.log(9)]), calibration=(0.5, 0.0))
    assert found.scores.tolist() == pytest.approx([0.75, math.sqrt(3) / (1 + math.sqrt(3))], abs=3e-3)
