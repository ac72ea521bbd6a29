"""Tints, numbers, tags and skeletons, by hand."""

import numpy as np

from dataset_dm.visualization.instances import tints
from dataset_dm.visualization.oklab import to_oklab
from dataset_dm.visualization.overlay import display_colours


def test_objects_of_a_class_are_told_apart_and_stay_in_its_family() -> None:
    colours = tints([7, 7, 15, 7, 7])
    assert len({tuple(c) for c in colours.tolist()}) == 5
    assert (colours[0] == display_colours()[7]).all() and (colours[2] == display_colours()[15]).all()
    for class_id in range(1, 21):
        family = to_oklab(tints([class_id] * 3))
        apart = np.linalg.norm(family[:, None] - family[None], axis=-1)[np.triu_indices(3, 1)]
        assert apart.min() > 0.04 and np.linalg.norm(family[:, 1:] - family[0, 1:], axis=1).max() < 0.13
    assert tints([]).shape == (0, 3)
