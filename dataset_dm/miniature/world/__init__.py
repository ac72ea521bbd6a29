"""The miniature world: small scenes of the 20 VOC classes with exact truth, as a pure function of (seed, index).

    scene, rendering = labelled("train", 0)
    rendering.image, rendering.class_map, rendering.depth, scene.captions

Numpy only.
"""

from __future__ import annotations

from dataset_dm.miniature.world.captions import WORDS, ClassWords, caption, captions, display_name
from dataset_dm.miniature.world.geometry import KEYPOINTS, Body, Camera, Figure, Light, Rendering, Scene, Setting, Solid
from dataset_dm.miniature.world.objects import VOC_CLASSES
from dataset_dm.miniature.world.render import render
from dataset_dm.miniature.world.scene import STYLES, compose, sample
from dataset_dm.miniature.world.splits import SPLITS, WORLD_SEED, index_of, labelled

__all__ = [
    "KEYPOINTS",
    "SPLITS",
    "STYLES",
    "VOC_CLASSES",
    "WORDS",
    "WORLD_SEED",
    "Body",
    "Camera",
    "ClassWords",
    "Figure",
    "Light",
    "Rendering",
    "Scene",
    "Setting",
    "Solid",
    "caption",
    "captions",
    "compose",
    "display_name",
    "index_of",
    "labelled",
    "render",
    "sample",
]
