"""What is true of one picture, whichever kinds of label are known."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dataset_dm.miniature.world.geometry import Rendering, Scene
from dataset_dm.training.data.labelled import Instances

JOINTS = 17


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
    seen = [i for i in range(len(scene.bodies)) if (rendering.instance_map == i + 1).any()]
    number = np.zeros(256, dtype=np.uint8)  # of a body in the picture → of a thing that is seen
    number[[i + 1 for i in seen]] = np.arange(1, len(seen) + 1)
    joints = [rendering.keypoints[i] for i in seen]
    empty = np.zeros((JOINTS, 3), dtype=np.float32)
    things = Instances(
        number[rendering.instance_map],
        np.array([scene.bodies[i].class_id for i in seen], dtype=np.int64),
        np.stack([empty if one is None else one for one in joints]) if seen else empty[None][:0],
    )
    return Truth(rendering.class_map, things, rendering.depth)
