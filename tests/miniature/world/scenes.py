"""Little scenes whose truth is known by hand."""

import numpy as np

from dataset_dm.miniature.world.geometry import SHAPES, Body, Camera, Figure, Light, Scene, Setting, Solid

COLOURS = {"main": (0.6, 0.1, 0.1), "second": (0.1, 0.6, 0.1), "third": (0.1, 0.1, 0.6), "dark": (0.02, 0.02, 0.02)}


LIGHT = Light((0.0, 0.8, -0.6), 0.4)


SKY = Setting("sky", (0.3, 0.3, 0.3))


AHEAD = Camera((0.0, 0.0, 0.0), 0.0, 0.5)  # 128 pixels wide: a focal length of 128 pixels


def body(*solids, position=(0.0, 0.0, 0.0), yaw=0.0, scale=1.0, class_id=7, keypoints=None):
    return Body(class_id, Figure(solids, keypoints), position, yaw, scale, COLOURS)


def scene(*bodies, camera=AHEAD, setting=SKY, **rest):
    return Scene(camera, LIGHT, setting, bodies, **rest)


def mixed_scene(kind="room", seed=3):
    rng = np.random.default_rng(seed)
    bodies = []
    for index in range(4):
        solids = []
        for _ in range(6):
            turn, _ = np.linalg.qr(rng.normal(size=(3, 3)))
            shape = SHAPES[rng.integers(len(SHAPES))]
            half = rng.uniform(0.08, 0.4, 3)
            half[2] = half[0]
            solids.append(Solid(shape, tuple(rng.uniform(-0.4, 0.4, 3) + (0, 0.6, 0)), tuple(half), "main", turn))
        place_at = (rng.uniform(-1, 1), 0.0, rng.uniform(3, 6))
        bodies.append(body(*solids, position=place_at, yaw=rng.uniform(0, 6), class_id=index + 1))
    camera = Camera((0.1, 1.3, 0.0), 0.12, 0.6)
    return scene(*bodies, camera=camera, setting=Setting(kind, (0.3, 0.25, 0.2), "tiles"), noise_seed=seed)
