"""Miniature's renders as a labelled set."""

import numpy as np
import pytest

from dataset_dm.errors import DataError
from dataset_dm.labels.vocabulary import VOC_CLASSES
from dataset_dm.miniature.world import labelled
from dataset_dm.readers import Subset, open_labelled
from dataset_dm.readers.miniature import balanced


def test_miniature_is_the_worlds_own_truth():
    found = open_labelled("miniature", count=3)
    scene, rendering = labelled("train", 2)
    assert len(found) == 3 and found.classes == tuple(VOC_CLASSES)
    assert np.array_equal(found[2].label, rendering.class_map) and found[2].caption == scene.captions[0]
    with pytest.raises(DataError, match="did you mean 'validation'"):
        open_labelled("miniature", split="validaton")
    with pytest.raises(DataError, match="classes of miniature: got .*leave --classes out"):
        open_labelled("miniature", classes=["forklift"])


def test_the_labelled_renders_are_chosen_in_balance():
    chosen = balanced("train", 24)
    assert chosen == tuple(sorted(set(chosen))) and balanced("train", 9) == chosen[:9]
    shown = np.zeros(20, int)
    for number in chosen:
        rendering = labelled("train", number)[1]
        shown += np.isin(np.arange(1, 21), rendering.class_map)
    person = VOC_CLASSES.index("person")
    others = np.delete(shown, person)
    first = [labelled("train", i)[1].class_map for i in range(24)]
    assert others.min() >= 1 and shown[person] > sum((each == person + 1).any() for each in first)
    assert open_labelled("miniature", count=24).source != open_labelled("miniature", split="test", count=24).source
    found = open_labelled("miniature", count=24)
    assert np.array_equal(found[23].label, labelled("train", chosen[23])[1].class_map)


def test_miniature_has_all_kinds_of_exact_labels():
    found = open_labelled("miniature", split="validation", count=15)
    assert found.kinds == ("semantic", "instance", "depth", "pose")
    people = 0
    for sample in Subset(found, range(15)):
        instances = sample.instances
        assert sorted(np.unique(instances.map).tolist() + [0]) in (
            [0, *range(len(instances) + 1)],
            [0, 0, *range(1, len(instances) + 1)],
        )
        of_instances = np.array([0, *instances.classes])[instances.map]
        assert np.array_equal(of_instances, sample.label), "class and instance maps say the same"
        person = instances.classes == found.classes.index("person") + 1
        people += int(person.sum())
        assert not instances.keypoints[~person].any()
        assert all((points[:, 2] > 0).any() for points in instances.keypoints[person] if len(points))
        assert sample.depth.dtype == np.float32 and (sample.depth[sample.label > 0] > 0).all()
    assert people, "or nothing was tested"
