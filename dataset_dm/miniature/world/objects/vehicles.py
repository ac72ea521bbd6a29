"""Aeroplane, boat, bus, car and train: they face +x; lengths in arbitrary units, `normalise` sets the size."""

from __future__ import annotations

import numpy as np

from dataset_dm.miniature.world.geometry import Figure, Solid
from dataset_dm.miniature.world.objects.parts import (
    ball,
    both,
    box,
    drum,
    egg,
    leaf,
    rod,
    spike,
    tube,
    turn,
    vary,
    wheel,
)


def aeroplane(rng: np.random.Generator) -> Figure:
    """A fuselage with swept wings, a tall tail fin and engines, on a stubby undercarriage."""
    length, radius = vary(rng, 1.2, 0.1), vary(rng, 0.245, 0.1)
    span, sweep, dihedral = vary(rng, 1.2, 0.1), vary(rng, 0.55), rng.uniform(0.12, 0.22)
    y = 0.3 + radius
    chord = 0.33
    solids = [
        tube((-0.5 * length, y, 0), (0.72 * length, y, 0), radius),
        spike((-0.5 * length, y + 0.02, 0), (-1.15 * length, y + 0.1, 0), radius * 0.98),
        egg((0.72 * length, y + 0.55 * radius, 0), (0.17, 0.56 * radius, 0.72 * radius), "dark"),
        box((0.02 * length, y + 0.1 * radius, 0), (0.46 * length, 0.045, 1.02 * radius), "third"),  # a row of windows
        leaf((-0.92 * length, y, 0), (-1.25 * length, y + 0.9, 0), 0.23, 0.075, "second"),
    ]
    root, tip = np.array([0.15, y - 0.4 * radius, 0.0]), np.array([0.15 - sweep, y + dihedral, span])
    solids += both([leaf(root, tip + (tip - root) * 0.08, chord, 0.07, side=(0, 1, 0))])
    solids += both(
        [leaf((-0.95 * length, y + 0.1, 0), (-1.2 * length, y + 0.16, 0.56), 0.18, 0.055, "second", (0, 1, 0))]
    )
    if rng.random() < 0.7:  # jets under the wings
        engine = root + 0.45 * (tip - root) + np.array([0.12, -0.15, 0.0])
        solids += both([tube(engine - [0.1, 0, 0], engine + [0.2, 0, 0], 0.105, "second")])
        solids += both([ball(engine + [0.24, 0, 0], 0.085, "dark")])
    else:  # a propeller at the nose
        nose = 0.72 * length + radius
        solids += [spike((nose - 0.05, y, 0), (nose + 0.16, y, 0), 0.09, "third")]
        spin = turn("x", rng.uniform(0, 180))
        solids += [box((nose + 0.03, y, 0), (0.03, 0.42, 0.055), "third", spin)]
    solids += both([tube((0.0, 0.09, 0.2), (0.0, y, 0.1), 0.05, "second"), ball((0.0, 0.09, 0.2), 0.09, "dark")])
    solids += [
        tube((0.62 * length, 0.09, 0), (0.62 * length, y, 0), 0.05, "second"),
        ball((0.62 * length, 0.09, 0), 0.09, "dark"),
    ]
    return Figure(tuple(solids))


def _hull(length: float, height: float, beam: float, bow: float) -> list[Solid]:
    """A round belly below upright planks that meet in a pointed bow; the planks rise a little to the bow."""
    belly, tip = 0.5 * height, length + bow
    solids = [egg(((bow - 0.02) / 2, belly, 0), (length + 0.5 * bow - 0.05, belly, 0.92 * beam))]
    for sign in (1.0, -1.0):
        corners = np.array([[-length, 0.78 * beam], [-0.45 * length, beam], [0.3 * length, beam], [tip, 0.0]]) * [
            1,
            sign,
        ]
        lift = (0.1, 0.0, 0.0, 0.13)
        for i in range(3):
            (x0, z0), (x1, z1) = corners[i], corners[i + 1]
            run = float(np.hypot(x1 - x0, z1 - z0))
            pitch = np.degrees(np.arctan2(lift[i + 1] - lift[i], run))
            rotation = turn("y", np.degrees(np.arctan2(z0 - z1, x1 - x0))) @ turn("z", pitch)
            middle = ((x0 + x1) / 2, 0.78 * height + (lift[i] + lift[i + 1]) / 2, (z0 + z1) / 2)
            solids.append(box(middle, (run / 2 + 0.02, 0.26 * height, 0.05), rotation=rotation))
    return [*solids, box((-length, 0.86 * height, 0), (0.05, 0.26 * height, 0.8 * beam), "second")]


def boat(rng: np.random.Generator) -> Figure:
    """A hull with a raised pointed bow, under sails or with a cabin and a funnel."""
    length, height, beam, bow = vary(rng, 1.0, 0.1), vary(rng, 0.42), vary(rng, 0.42), vary(rng, 0.3)
    solids = _hull(length, height, beam, bow)
    tip = np.array([length + bow, height * 1.04 + 0.1, 0.0])
    solids += [tube(tip - [0.08, 0.45 * height, 0], tip + [0.0, 0.02, 0], 0.06)]  # the stem
    if rng.random() < 0.6:
        top = vary(rng, 1.9, 0.1)
        solids += [
            rod((0.1, 0.1, 0), (0.1, top, 0), 0.06, "third"),
            spike((-0.42, height + 0.12, 0), (0.02, top - 0.05, 0), 0.52, "main", 0.17),
            spike((0.52, height + 0.16, 0), (0.16, top - 0.2, 0), 0.3, "second", 0.14),
            box((0.0, top + 0.03, 0), (0.16, 0.07, 0.045), "third"),
            box((-0.55 * length, height * 0.8, 0), (0.12, 0.05, 0.8 * beam), "dark"),
        ]
        return Figure(tuple(solids))
    deck = height * 0.85
    cabin = vary(rng, 0.3, 0.1)
    solids += [
        box((-0.22 * length, deck - 0.08, 0), (0.7 * length, 0.08, 0.72 * beam), "second"),
        box((0.1, deck + cabin, 0), (0.4, cabin, 0.62 * beam)),
        box((0.14, deck + 2 * cabin + 0.05, 0), (0.5, 0.06, 0.76 * beam), "second"),
        box((0.1, deck + 1.2 * cabin, 0), (0.3, 0.11, 0.67 * beam), "dark"),
        box((0.24, deck + 1.2 * cabin, 0), (0.28, 0.11, 0.4 * beam), "dark"),
        drum((-0.02, deck + 2 * cabin + 0.32, 0), 0.15, 0.3, "main"),
        drum((-0.02, deck + 2 * cabin + 0.42, 0), 0.165, 0.08, "third"),
    ]
    return Figure(tuple(solids))


def _windows(
    x0: float, x1: float, count: int, y: float, half_height: float, z: float, slot: str = "second"
) -> list[Solid]:
    """A row of `count` windows on both sides, standing a little out of the wall at z."""
    pitch = (x1 - x0) / count
    return both([box((x0 + (i + 0.5) * pitch, y, z), (0.36 * pitch, half_height, 0.025), slot) for i in range(count)])


def bus(rng: np.random.Generator) -> Figure:
    """A long tall box with a row of windows (or two rows), a flat glass front and small wheels."""
    length, width = vary(rng, 1.4, 0.1), vary(rng, 0.44, 0.08)
    double = rng.random() < 0.4
    height = vary(rng, 1.5 if double else 1.05, 0.06)
    floor, top = 0.2, 0.2 + height
    middle = (floor + top) / 2
    solids = [box((0, middle, 0), (length, height / 2, width)), box((0, top, 0), (0.96 * length, 0.05, 0.9 * width))]
    count = int(rng.integers(4, 6))
    rows = [(top - 0.28, 0.15), (floor + 0.6, 0.15)] if double else [(top - 0.36, 0.2)]
    for y, half in rows:
        solids += _windows(-0.95 * length, 0.72 * length, count, y, half, width)
        solids += [
            box((length, y, 0), (0.025, half, 0.84 * width), "second"),
            box((-length, y, 0), (0.02, 0.7 * half, 0.6 * width), "second"),
        ]
    solids += both([box((0.85 * length, floor + 0.42, width), (0.11 * length, 0.34, 0.025), "third")])  # doors
    solids += both([ball((length, floor + 0.17, 0.7 * width), 0.08, "third")])
    solids += [box((0, floor + 0.06, 0), (1.02 * length, 0.06, 1.02 * width), "dark")]
    for x in (-0.6 * length, 0.58 * length):
        solids += both(wheel((x, 0.23, width - 0.07), 0.23, 0.12))
    return Figure(tuple(solids))


def car(rng: np.random.Generator) -> Figure:
    """A low body with a bonnet, a rounded glass cabin and big wheels at the corners."""
    length, width = vary(rng, 1.15, 0.08), vary(rng, 0.52, 0.08)
    cabin = vary(rng, 0.34, 0.1)
    kind = rng.choice(["saloon", "hatchback", "pickup"], p=[0.45, 0.35, 0.2])
    waist = 0.62
    solids = [
        box((0, 0.44, 0), (length, 0.18, width)),
        egg((0.62 * length, 0.55, 0), (0.5 * length, 0.16, 0.95 * width)),  # bonnet
        box((0, 0.3, 0), (1.03 * length, 0.07, 0.9 * width), "second"),  # bumpers
    ]
    back, front = {"saloon": (-0.55, 0.3), "hatchback": (-0.9, 0.28), "pickup": (-0.2, 0.35)}[str(kind)]
    middle, half = (back + front) / 2 * length, (front - back) / 2 * length
    if kind != "pickup":
        solids.append(egg((-0.72 * length, 0.56, 0), (0.36 * length, 0.14, 0.95 * width)))
    else:
        solids += both([box((-0.62 * length, 0.68, 0.88 * width), (0.38 * length, 0.1, 0.07))])
        solids += [box((-0.96 * length, 0.68, 0), (0.05, 0.1, 0.9 * width))]
    slant = 26
    roof_y = waist + cabin
    solids += [
        box((middle, waist + cabin / 2, 0), (half * 0.86, cabin / 2, 0.8 * width)),
        box(
            (middle + 0.84 * half, waist + cabin * 0.45, 0),
            (0.06, cabin * 0.6, 0.74 * width),
            "second",
            turn("z", slant),
        ),
        box(
            (middle - 0.84 * half, waist + cabin * 0.45, 0),
            (0.06, cabin * 0.6, 0.74 * width),
            "second",
            turn("z", -slant),
        ),
        egg((middle, roof_y, 0), (half * 0.85, 0.09, 0.82 * width)),
    ]
    panes = [(0.42, 0.33), (-0.42, 0.33)] if kind != "pickup" else [(0.0, 0.62)]
    solids += both(
        [
            box((middle + a * half, waist + cabin * 0.5, 0.79 * width), (b * half, 0.36 * cabin, 0.035), "second")
            for a, b in panes
        ]
    )
    for x in (-0.62 * length, 0.64 * length):
        solids += both(wheel((x, 0.27, width - 0.05), 0.27, 0.13))
    solids += both([egg((0.99 * length, 0.5, 0.7 * width), (0.06, 0.09, 0.11), "third")])
    return Figure(tuple(solids))


def _steam_engine(rng: np.random.Generator) -> list[Solid]:
    """Boiler, chimney, dome, cab, cowcatcher and six wheels in a row on each side."""
    boiler, radius, width = vary(rng, 0.85, 0.1), vary(rng, 0.34, 0.08), 0.42
    y = 0.52 + radius
    front = boiler + 0.1
    chimney = vary(rng, 0.34)
    solids = [
        rod((-0.5, y, 0), (front, y, 0), radius),
        rod((front, y, 0), (front + 0.06, y, 0), radius * 0.8, "dark"),
        ball((front + 0.05, y, 0), 0.1, "third"),
        rod((0.12, y, 0), (0.24, y, 0), radius * 1.06, "second"),
        box((0.05, 0.45, 0), (1.15, 0.09, width), "second"),
        drum((front - 0.2, y + radius + chimney / 2, 0), 0.12, chimney / 2 + 0.06),
        drum((front - 0.2, y + radius + chimney, 0), 0.18, 0.08, "second"),
        egg((0.28, y + radius, 0), (0.15, 0.2, 0.15), "third"),
        box((-0.75, 1.0, 0), (0.36, 0.5, width)),
        box((-0.75, 1.54, 0), (0.46, 0.06, 1.15 * width), "second"),
        spike((front + 0.05, 0.22, 0), (front + 0.42, 0.14, 0), 0.14, "second", width),
    ]
    solids += both([box((-0.75, 1.2, width), (0.2, 0.16, 0.03), "dark")])
    for i, x in enumerate((-0.78, -0.3, 0.18, 0.66)):
        size = 0.26 if i < 3 else 0.2
        solids += both([rod((x, size, width - 0.06), (x, size, width + 0.09), size, "third" if i % 2 else "second")])
    solids += both([box((-0.3, 0.27, width + 0.11), (0.56, 0.045, 0.03), "dark")])
    return solids


def _coach(x: float, half: float, width: float, top: float, windows: int) -> list[Solid]:
    """One wagon on four wheels."""
    solids = [
        box((x, (0.34 + top) / 2, 0), (half, (top - 0.34) / 2, width)),
        egg((x, top, 0), (0.98 * half, 0.12, 0.95 * width), "second"),
    ]
    solids += _windows(x - 0.92 * half, x + 0.92 * half, windows, top - 0.26, 0.13, width)
    for offset in (-0.55, 0.55):
        solids += both(
            [rod((x + offset * half, 0.19, width - 0.1), (x + offset * half, 0.19, width + 0.03), 0.19, "third")]
        )
    return solids


def train(rng: np.random.Generator) -> Figure:
    """A steam locomotive, alone or with a tender, or a nosed engine that pulls a wagon."""
    if rng.random() < 0.65:
        solids = _steam_engine(rng)
        if rng.random() < 0.4:
            solids += _coach(-1.72, 0.44, 0.42, 1.1, 2) + [box((-1.2, 0.45, 0), (0.3, 0.07, 0.1), "dark")]
        return Figure(tuple(solids))
    half, width, top = vary(rng, 0.7, 0.08), 0.4, vary(rng, 1.16, 0.05)
    solids = _coach(-half - 0.12, half, width, top, 3) + _coach(half + 0.12, half, width, top, 3)
    nose = 2 * half + 0.12
    solids += [
        egg((nose, 0.34 + 0.42 * (top - 0.34), 0), (0.62, 0.42 * (top - 0.34) + 0.1, width)),
        egg((nose + 0.22, 0.34 + 0.72 * (top - 0.34), 0), (0.3, 0.17, 0.7 * width), "dark"),
        box((0, 0.42, 0), (nose, 0.07, 0.5 * width), "dark"),
        tube((half * 0.6, top + 0.1, 0), (half * 1.1, top + 0.36, 0), 0.05, "third"),
        tube((half * 1.1, top + 0.36, 0), (half * 0.6, top + 0.58, 0), 0.05, "third"),
        rod((half * 0.6, top + 0.6, -0.3), (half * 0.6, top + 0.6, 0.3), 0.05, "third"),
    ]
    solids += both([ball((nose + 0.45, 0.5, 0.5 * width), 0.08, "third")])
    return Figure(tuple(solids))
