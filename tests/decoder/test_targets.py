"""Training targets: instances of a crop, chosen classes, coarser grids."""

import torch

from dataset_dm.decoder.targets import Targets, shrink_labels
from tests.decoder.conftest import make_targets


def test_labels_shrink_to_the_nearest_never_to_a_mixture():
    labels = torch.tensor([[[0, 0, 20, 20], [0, 0, 20, 20], [255, 255, 7, 7], [255, 255, 7, 7]]])
    assert shrink_labels(labels, (2, 2)).tolist() == [[[0, 20], [255, 7]]]


def test_chosen_classes_are_renumbered_and_others_stay_foreground() -> None:
    targets = make_targets(1).select_classes([3])  # class 4 of the list becomes class 1, the person background
    assert targets.labels[0, 10, 10] == 0 and targets.labels[0, 30, 40] == 1
    assert [ids.tolist() for ids in targets.classes] == [[0, 1]]
    assert targets.instances[0, 10, 10] == 1  # still an instance


def test_void_stays_void_when_classes_are_chosen() -> None:
    labels = torch.tensor([[[0, 1, 2, 255]]])
    assert Targets(labels=labels).select_classes([1]).labels.tolist() == [[[0, 0, 1, 255]]]


def test_only_instances_with_a_pixel_count() -> None:
    """Of three instances the second was cropped away; 255 is a crowd."""
    targets = Targets(
        instances=torch.tensor([[[1, 1, 3, 255]]]),
        classes=(torch.tensor([5, 6, 7]),),
        keypoints=(torch.arange(3.0)[:, None, None].expand(3, 17, 3),),
    )
    masks, ids = targets.instance_masks(0)
    assert ids.tolist() == [5, 7]
    assert masks[:, 0].tolist() == [[True, True, False, False], [False, False, True, False]]
    assert targets.instance_keypoints(0)[:, 0, 0].tolist() == [0, 2]
