"""The miniature world: small scenes of the 20 VOC classes with exact truth, as a pure function of (seed, index).

    scene, rendering = labelled("train", 0)
    rendering.image, rendering.class_map, rendering.depth, scene.captions

Numpy only.
"""

from __future__ import annotations

from dataset_dm.miniature.world.captions import caption, captions
from dataset_dm.miniature.world.geometry import Body, Camera, Figure, Light, Rendering, Scene, Setting, Solid
from dataset_dm.miniature.world.render import render
from dataset_dm.miniature.world.scene import STYLES, compose, sample
from dataset_dm.miniature.world.splits import SPLITS, WORLD_SEED, WORLD_VERSION, index_of, labelled, world_hash

__all__ = [
    "SPLITS",
    "STYLES",
    "WORLD_SEED",
    "WORLD_VERSION",
    "Body",
    "Camera",
    "Figure",
    "Light",
    "Rendering",
    "Scene",
    "Setting",
    "Solid",
    "caption",
    "captions",
    "compose",
    "index_of",
    "labelled",
    "render",
    "sample",
    "world_hash",
]
