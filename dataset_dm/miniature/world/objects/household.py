"""Bottle, potted plant and screen."""

from __future__ import annotations

import numpy as np

from dataset_dm.miniature.world.geometry import Figure, Solid
from dataset_dm.miniature.world.objects.parts import ball, both, box, drum, egg, leaf, spike, tube, vary


def bottle(rng: np.random.Generator) -> Figure:
    """Body, round shoulder, slim neck, lip and cap, with a label; slim for wine, squat for milk or a flask."""
    kind = rng.integers(3)
    radius = vary(rng, (0.2, 0.23, 0.27)[kind], 0.1)
    body = vary(rng, (0.64, 0.54, 0.42)[kind], 0.1)
    neck = vary(rng, (0.4, 0.26, 0.34)[kind], 0.1)
    slim = max(0.085, 0.38 * radius)
    shoulder = vary(rng, (0.2, 0.3, 0.3)[kind], 0.1)
    top = body + shoulder * 0.8
    solids = [
        drum((0, body / 2 + 0.02, 0), radius, body / 2),
        drum((0, 0.03, 0), radius * 0.94, 0.03, "dark"),
        egg((0, body, 0), (radius, shoulder, radius)),
        drum((0, top + neck / 2, 0), slim, neck / 2 + 0.05),
        drum((0, top + neck * 0.72, 0), slim * 1.3, 0.035),
        drum((0, top + neck + 0.05, 0), slim * 1.25, 0.075, "third"),
        drum((0, body * vary(rng, 0.52, 0.1), 0), radius * 1.03, body * 0.27, "second"),
        egg((radius * 0.86, body * 0.52, 0), (radius * 0.22, body * 0.13, radius * 0.5), "third"),
    ]
    return Figure(tuple(solids))


def _crown(
    rng: np.random.Generator, base: np.ndarray, count: int, reach: float, droop: float, pointed: bool
) -> list[Solid]:
    """Leaves that radiate from one point; `droop` lowers their tips."""
    leaves = []
    start = rng.uniform(0, 2 * np.pi)
    for i in range(count):
        angle = start + i * 2.4  # the golden angle spreads any number of leaves evenly
        tilt = np.clip(1 - (i + 0.5) / count, 0.02, 1) ** 0.8  # 1 lies flat, 0 stands up
        length = reach * rng.uniform(0.85, 1.1)
        flat = np.array([np.cos(angle), 0, np.sin(angle)]) * tilt
        tip = base + length * (flat + np.array([0, 1.0 - 0.75 * tilt - droop * tilt, 0]))
        side = np.array([0.0, 1.0, 0.0]) if tilt > 0.3 else np.array([np.cos(angle), 0, np.sin(angle)])
        slot = "third" if i % 5 == 3 else "main"
        if pointed:
            leaves.append(spike(base, tip, 0.15, slot, 0.07, side))
        else:
            leaves.append(leaf(base + 0.25 * (tip - base), tip, 0.17, 0.06, slot, side))
    return leaves


def pottedplant(rng: np.random.Generator) -> Figure:
    """A flared pot with a rim, full of leaves: broad ones, pointed ones, a small palm, or flowers."""
    radius, height = vary(rng, 0.27, 0.1), vary(rng, 0.36, 0.1)
    solids = [
        drum((0, height * 0.25, 0), radius * 0.74, height * 0.25, "second"),
        drum((0, height * 0.6, 0), radius * 0.9, height * 0.35, "second"),
        drum((0, height * 0.95, 0), radius * 1.18, 0.08, "second"),
        drum((0, height + 0.08, 0), radius, 0.02, "dark"),
    ]
    base = np.array([0.0, height + 0.05, 0.0])
    kind = rng.integers(4)
    if kind == 0:
        solids += _crown(rng, base, 13, vary(rng, 0.75, 0.1), 0.0, False)
    elif kind == 1:
        solids += _crown(rng, base, 13, vary(rng, 0.85, 0.1), -0.25, True)
    elif kind == 2:
        crown = base + np.array([0.0, vary(rng, 0.4), 0.0])
        solids += [tube(base, crown, 0.07, "third")]
        solids += _crown(rng, crown, 12, vary(rng, 0.6, 0.1), 0.55, False)
    else:
        solids += _crown(rng, base, 9, vary(rng, 0.6, 0.1), 0.1, False)
        for angle in rng.uniform(0, 6.28) + np.arange(3) * 2.1:
            head = base + np.array([0.24 * np.cos(angle), rng.uniform(0.6, 0.85), 0.24 * np.sin(angle)])
            solids += [
                tube(base, head, 0.05),
                egg(head, (0.15, 0.12, 0.15), "third"),
                ball(head + [0, 0.09, 0], 0.06, "dark"),
            ]
    return Figure(tuple(solids))


def tvmonitor(rng: np.random.Generator) -> Figure:
    """A framed screen that faces +x on a stand: flat, or a deep old set with an aerial."""
    width, height = vary(rng, 0.72, 0.08), vary(rng, 0.45, 0.08)
    old = rng.random() < 0.35
    foot = 0.12 if old else vary(rng, 0.24)
    y = foot + height
    rim = 0.12
    solids = [
        box((0, y, 0), (0.09, height, width)),
        box((0.085, y, 0), (0.025, height - rim, width - rim), "second"),
        egg((0.1, y + 0.06, width * 0.25), (0.03, height * 0.28, width * 0.22), "third"),  # an image on the screen
        egg((0.1, y - 0.5 * height, -0.25 * width), (0.025, height * 0.3, width * 0.42), "third"),
        box((0.1, y - height + 0.05, 0), (0.02, 0.035, 0.3 * width), "dark"),
    ]
    if old:
        solids += [
            box((-0.2, y, 0), (0.2, 0.86 * height, 0.86 * width)),
            box((-0.42, y - 0.04, 0), (0.1, 0.55 * height, 0.6 * width), "second"),
        ]
        solids += both([tube((-0.15, y + height * 0.8, 0.04), (-0.15, y + height + 0.45, 0.4), 0.04, "dark")])
        solids += both([box((-0.12, foot / 2, 0.6 * width), (0.22, foot / 2 + 0.02, 0.08), "dark")])
    else:
        solids += [
            box((-0.12, y, 0), (0.07, 0.6 * height, 0.6 * width), "second"),
            box((-0.06, foot / 2 + 0.1, 0), (0.06, foot / 2 + 0.1, 0.13)),
            box((0, 0.04, 0), (0.26, 0.045, 0.45 * width), "third"),
        ]
    return Figure(tuple(solids))
