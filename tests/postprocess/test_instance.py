"""From queries to objects, by hand on 4 × 4 pictures."""

import math

import pytest
import torch

from dataset_dm.postprocess.instance import find

HIGH = 9.0  # a logit of which the sigmoid is 1 for every purpose here


def masks(*pictures: list[str]) -> torch.Tensor:
    return torch.tensor([[[HIGH if cell == "#" else -HIGH for cell in row] for row in each] for each in pictures])


LEFT, RIGHT = ["##..", "##..", "##..", "##.."], ["..##", "..##", "..##", "..##"]
RING = ["####", "#..#", "#..#", "####"]


def test_objects_come_surest_first_with_class_and_score():
    odds = torch.tensor([[math.log(3), -HIGH], [-HIGH, math.log(9)]])  # 3/4 of class 1, 9/10 of class 2
    found = find(masks(LEFT, RIGHT), odds)
    assert found.classes.tolist() == [2, 1] and found.queries.tolist() == [1, 0]
    assert found.scores.tolist() == pytest.approx([0.9, 0.75], abs=2e-3)
    assert found.masks.flatten(1).sum(1).tolist() == [8, 8]


def test_holes_and_loose_parts_survive():
    found = find(masks(RING, ["#..#", "....", "....", "#..#"])[:1], torch.tensor([[3.0]]))
    assert found.masks[0].int().tolist() == [[1, 1, 1, 1], [1, 0, 0, 1], [1, 0, 0, 1], [1, 1, 1, 1]]
    apart = find(masks(["#..#", "#..#", "....", "...."]), torch.tensor([[3.0]]))
    assert apart.masks[0].int().tolist()[0] == [1, 0, 0, 1]


def test_a_double_find_yields_to_the_surer_one_and_no_pixel_is_shared():
    found = find(masks(LEFT, LEFT, RIGHT), torch.tensor([[1.0], [3.0], [2.0]]))
    assert found.queries.tolist() == [1, 2]
    assert found.masks.sum(0).max() == 1


def test_nothing_found_is_an_empty_list():
    found = find(masks(LEFT), torch.tensor([[-HIGH, -HIGH]]))
    assert len(found.classes) == 0 and found.masks.shape == (0, 4, 4)
    specks = find(masks(["#...", "....", "....", "..#."]), torch.tensor([[HIGH]]))
    assert len(specks.classes) == 0, "a few pixels are no object"


def test_classes_that_nobody_asked_for_are_weighed_down():
    odds = torch.tensor([[math.log(3), math.log(2)]])  # 3/6, 2/6, no object 1/6
    assert find(masks(LEFT), odds).classes.tolist() == [1]
    asked = find(masks(LEFT), odds, requested=[1], unasked=0.0)
    assert asked.classes.tolist() == [2] and asked.scores.item() == pytest.approx(2 / 3, abs=1e-3)
    assert len(find(masks(LEFT), odds, requested=[], unasked=0.0).classes) == 0


def test_calibration_moves_scores_and_not_their_order():
    odds = torch.tensor([[math.log(3)], [math.log(9)]])
    found = find(masks(LEFT, RIGHT), odds, calibration=(0.5, 0.0))
    assert found.queries.tolist() == [1, 0]
    assert found.scores.tolist() == pytest.approx([0.75, math.sqrt(3) / (1 + math.sqrt(3))], abs=2e-3)


def test_another_size_enlarges_masks():
    assert find(masks(LEFT), torch.tensor([[3.0]]), size=(8, 8)).masks.flatten(1).sum(1).item() == 32
