"""Composing a scene: which objects, where, in which colours and light. A pure function of (seed, index)."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence

import numpy as np

from dataset_dm.labels.vocabulary import VOC_CLASSES
from dataset_dm.miniature.world.captions import captions
from dataset_dm.miniature.world.geometry import Body, Rendering, Scene
from dataset_dm.miniature.world.layout import PlacedFigure, layout, place_figure, reach
from dataset_dm.miniature.world.objects import build
from dataset_dm.miniature.world.palette import body_colours
from dataset_dm.miniature.world.places import COMPANY, draw_kind, draw_light, draw_setting
from dataset_dm.miniature.world.render import render
from dataset_dm.miniature.world.styles import STYLES

COUNT_WEIGHTS = (0.35, 0.33, 0.18, 0.09, 0.05)  # of 1..5 objects
NEAREST_GROUND = 2.0  # metres along the optical axis
FLYING, LENS = 1.5, 0.35
FACES = ("chair", "sofa", "tvmonitor", "person")  # best seen from the front; the others from the side
FLAT = ("bicycle", "motorbike", "tvmonitor")  # a bar when seen edge-on


def sample(seed: int, index: int, style: str = "day", size: tuple[int, int] = (128, 128)) -> tuple[Scene, Rendering]:
    """Compose scene `index` and render it at size (height, width)."""
    scene = compose(seed, index, style)
    return scene, render(scene, size)


def compose(seed: int, index: int, style: str = "day", classes: Sequence[int] | None = None) -> Scene:
    """Scene number `index` of the world `seed`: 1..5 objects that fill about 3..50 % of the frame.

    style: day, night, fog or palette; the geometry is the same in all of them. classes: ids (1..20, VOC order) of the
    objects to show, one entry an object, 1..5 of them; drawn when None. Raises ValueError for anything else.
    """
    _check(seed, index, style, classes)
    streams = np.random.SeedSequence((int(seed), int(index))).spawn(4)
    what, where, look, say = (np.random.Generator(np.random.Philox(stream)) for stream in streams)
    ids = draw_classes(what) if classes is None else tuple(int(class_id) for class_id in classes)
    kind = draw_kind([VOC_CLASSES[class_id - 1] for class_id in ids], what)
    objects = [place_figure(class_id, build(class_id, what), _yaw(VOC_CLASSES[class_id - 1], what)) for class_id in ids]
    camera, objects = layout(objects, kind, where)
    bodies = tuple(_body(one, look, style) for one in objects)
    setting = draw_setting(kind, reach(objects), camera.position[1], look)
    scene = Scene(camera, draw_light(look), setting, bodies, style, int(look.integers(2**31)))
    return dataclasses.replace(scene, captions=captions(scene, say), metre=metre(scene))


def metre(scene: Scene) -> float:
    """Metres of one world unit: objects have no usual size here, so it follows from what an image shows of its camera.

    The ground enters the lower edge of every image NEAREST_GROUND metres away, as it does for a camera on a fixed
    mount. In the sky the first object has FLYING metres, seen through a lens of half width LENS.
    """
    camera = scene.camera
    if scene.setting.kind == "sky":
        return FLYING / scene.bodies[0].scale * camera.half_width / LENS
    fall = math.sin(camera.pitch) + camera.half_width * math.cos(camera.pitch)  # of the lowest ray, a unit ahead
    return NEAREST_GROUND * fall / camera.position[1]


def draw_classes(rng: np.random.Generator) -> tuple[int, ...]:
    """Class ids of 1..5 objects; every class is equally likely, though objects come in pairs and in company."""
    count = 1 + int(rng.choice(len(COUNT_WEIGHTS), p=COUNT_WEIGHTS))
    ids = [_any_class(rng)]
    while len(ids) < count:
        partner = ids[int(rng.integers(len(ids)))]
        luck = rng.random()
        if luck < 0.22:
            ids.append(partner)
        elif luck < 0.55:
            company = next(group for group in COMPANY if VOC_CLASSES[partner - 1] in group)
            ids.append(1 + VOC_CLASSES.index(company[rng.integers(len(company))]))
        else:
            ids.append(_any_class(rng))
    return tuple(ids)


def _any_class(rng: np.random.Generator) -> int:
    return int(rng.integers(1, len(VOC_CLASSES) + 1))


def _check(seed: int, index: int, style: str, classes: Sequence[int] | None) -> None:
    for name, value in (("seed", seed), ("index", index)):
        if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < 0:
            raise ValueError(f"{name}: got {value!r}, expected a whole number >= 0")
    if style not in STYLES:
        raise ValueError(f"style: got {style!r}, expected one of {', '.join(STYLES)}")
    if classes is None:
        return
    known = range(1, len(VOC_CLASSES) + 1)
    if not 1 <= len(classes) <= len(COUNT_WEIGHTS) or any(class_id not in known for class_id in classes):
        raise ValueError(f"classes: got {list(classes)!r}, expected 1..5 ids, each 1..20 (VOC order)")


def _yaw(name: str, rng: np.random.Generator) -> float:
    """All views, but two thirds of them telling ones: three-quarter, and the side (of faces: the front)."""
    if rng.random() < 0.65:
        low, high = (35.0, 90.0) if name in FACES else (-20.0, 55.0)
        toward = float(np.deg2rad(rng.uniform(low, high)))
        return toward if rng.random() < 0.5 else float(np.pi) - toward
    while True:
        yaw = float(rng.uniform(-np.pi, np.pi))
        edge_on = abs(np.cos(yaw)) if name == "tvmonitor" else abs(np.sin(yaw))  # 1 when only the edge is seen
        if name not in FLAT or edge_on < 0.93:
            return yaw


def _body(one: PlacedFigure, rng: np.random.Generator, style: str) -> Body:
    name, colours = body_colours(rng, style)
    x, y, z = (float(value) for value in one.position)
    return Body(one.class_id, one.figure, (x, y, z), one.yaw, float(one.scale), colours, name)
