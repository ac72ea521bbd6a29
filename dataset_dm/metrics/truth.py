"""The true labels of one image, whichever kinds are known."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dataset_dm.labels.instances import Instances
from dataset_dm.miniature.world.geometry import Rendering, Scene
from dataset_dm.readers.miniature import instances_of


@dataclass(frozen=True)
class Truth:
    """The truth of one image; a kind that is not known is None and is not measured.

    Args:
        label: class ids uint8 [H W], 0 background, 255 void.
        instances: with keypoints where they have them; pixels that are not labelled are ignored.
        depth: float32 [H W], metres along the optical axis; 0 unknown.
    """

    label: np.ndarray
    instances: Instances | None = None
    depth: np.ndarray | None = None


def of_render(scene: Scene, rendering: Rendering) -> Truth:
    """The exact truth of a render; bodies that are hidden to the last pixel are no instances of the image.

    Example:
        >>> scene, rendering = labelled("test", 0)
        >>> len(of_render(scene, rendering).instances) <= len(scene.bodies)
        True
    """
    return Truth(rendering.class_map, instances_of(scene, rendering), rendering.depth)
