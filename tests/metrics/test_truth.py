"""The truth of a render: instances, their joints and their depth stay together."""

import dataclasses

import numpy as np

from dataset_dm.labels.vocabulary import VOC_CLASSES
from dataset_dm.metrics.truth import of_render
from dataset_dm.miniature.world import labelled

PERSON = VOC_CLASSES.index("person") + 1


def test_instances_are_the_bodies_that_are_seen() -> None:
    people = 0
    for i in range(12):
        scene, rendering = labelled("test", i)
        truth = of_render(scene, rendering)
        assert truth.depth is rendering.depth and truth.label is rendering.class_map
        classes = np.concatenate([[0], truth.instances.classes])[truth.instances.map]
        assert np.array_equal(classes, rendering.class_map)
        assert all((truth.instances.map == n + 1).any() for n in range(len(truth.instances)))
        labelled_joints = (truth.instances.keypoints[..., 2] > 0).any(1)
        assert not labelled_joints[truth.instances.classes != PERSON].any()
        people += int(labelled_joints.sum())
    assert people > 0


def test_a_body_hidden_to_the_last_pixel_is_no_instance() -> None:
    scene, rendering = next(one for one in (labelled("test", i) for i in range(50)) if len(one[0].bodies) > 2)
    without = rendering.instance_map.copy()
    without[without == 2] = 0
    truth = of_render(scene, dataclasses.replace(rendering, instance_map=without))
    assert truth.instances.classes.tolist() == [b.class_id for i, b in enumerate(scene.bodies) if i != 1]
    assert np.array_equal(truth.instances.map == 2, without == 3)  # the third body is the second instance
