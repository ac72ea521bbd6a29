"""What is true of one picture, whichever kinds of label are known."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dataset_dm.miniature.world.geometry import Rendering, Scene
from dataset_dm.readers.labelled import Instances
from dataset_dm.readers.miniature import instances_of


@dataclass(frozen=True)
class Truth:
    """The truth of one picture; a kind that nobody knows is None and is not measured.

    Args:
        label: class ids uint8 [H W], 0 background, 255 void.
        instances: the things, with keypoints where they have them.
        depth: float32 [H W], metres along the optical axis; 0 unknown.
    """

    label: np.ndarray
    instances: Instances | None = None
    depth: np.ndarray | None = None


def of_render(scene: Scene, rendering: Rendering) -> Truth:
    """The exact truth of a render; bodies that are hidden to the last pixel are no things of the picture.

    Example:
        >>> scene, rendering = labelled("test", 0)
        >>> len(of_render(scene, rendering).instances) <= len(scene.bodies)
        True
    """
    return Truth(rendering.class_map, instances_of(scene, rendering), rendering.depth)
