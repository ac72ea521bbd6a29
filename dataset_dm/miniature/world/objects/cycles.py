"""Bicycle and motorbike: two wheels in the x-y plane, the front one at +x."""

from __future__ import annotations

import numpy as np

from dataset_dm.miniature.world.geometry import Figure
from dataset_dm.miniature.world.objects.parts import ball, both, box, egg, ring, rod, spike, tube, tubes, vary, wheel


def bicycle(rng: np.random.Generator) -> Figure:
    """Two large wheels that one can see through, a diamond (or step-through) frame, handlebar and saddle."""
    radius, base, tyre = vary(rng, 0.36, 0.06), vary(rng, 0.56, 0.06), 0.05
    centre = radius + tyre
    back, front = np.array([-base, centre, 0.0]), np.array([base, centre, 0.0])
    crank = np.array([-0.12, centre - 0.04, 0.0])
    seat = np.array([-0.27, centre + vary(rng, 0.42, 0.1), 0.0])
    head = np.array([base - 0.2, centre + vary(rng, 0.46, 0.1), 0.0])
    neck = head + (front - head) * 0.3
    frame, paint = 0.048, "second"
    solids = ring(back, radius, tyre, 10) + ring(front, radius, tyre, 10)
    solids += [
        tube(a, b, frame, paint) for a, b in ((back, crank), (back, seat), (crank, seat), (crank, neck), (head, front))
    ]
    if rng.random() < 0.7:
        solids.append(tube(seat, head, frame, paint))
    else:
        solids.append(tube((crank + seat) / 2, head, frame, paint))
    post = seat + (seat - crank) * 0.32
    stem = head + np.array([-0.06, 0.14, 0.0])
    solids += [
        tube(seat, post, 0.045, paint),
        egg(post + [0.0, 0.03, 0.0], (0.15, 0.06, 0.1), "dark"),
        tube(head, stem, 0.045, paint),
    ]
    reach, rise = (0.12, -0.02) if rng.random() < 0.5 else (-0.14, 0.08)
    solids += both(tubes([stem, stem + [0, 0.02, 0.2], stem + [reach, 0.02 + rise, 0.3]], 0.045, "third"))
    solids += [rod(crank - [0, 0, 0.07], crank + [0, 0, 0.07], 0.11, "third")]
    solids += [rod(hub - [0, 0, 0.07], hub + [0, 0, 0.07], 0.07, "third") for hub in (back, front)]
    return Figure(tuple(solids))


def motorbike(rng: np.random.Generator) -> Figure:
    """Two fat wheels under mudguards, tank, long seat, engine, slanted fork, wide handlebar, exhaust and headlight."""
    radius, base, fat = vary(rng, 0.33, 0.06), vary(rng, 0.68, 0.06), vary(rng, 0.12, 0.1)
    back, front = np.array([-base, radius, 0.0]), np.array([base, radius, 0.0])
    head = np.array([base - 0.3, radius + vary(rng, 0.55, 0.08), 0.0])
    solids = wheel(back, radius, fat) + wheel(front, radius, fat * 0.9)
    solids += [
        egg(head * [0.45, 0.94, 1], (0.34, 0.19, 0.2)),  # tank
        egg((-0.32, radius + 0.36, 0), (0.34, 0.1, 0.18), "second"),  # seat
        egg((-0.62, radius + 0.45, 0), (0.16, 0.13, 0.15), "second"),
        box((-0.02, radius + 0.02, 0), (0.25, 0.19, 0.17)),  # engine
        egg((0.0, radius + 0.12, 0), (0.16, 0.2, 0.22), "third"),
        egg(back + [-0.02, 0.17, 0], (radius * 1.06, radius * 0.72, fat * 1.4)),  # mudguards
        egg(front + [0.0, 0.19, 0], (radius * 0.95, radius * 0.62, fat * 1.3)),
        ball(head + [0.12, 0.02, 0], 0.13, "third"),  # headlight
    ]
    solids += both(
        [
            tube(front + [0, 0, fat * 1.1], head + [-0.06, 0.08, fat], 0.05, "third"),
            tube(head + [-0.08, 0.12, 0], head + [-0.1, 0.26, 0.22], 0.05),
            tube(head + [-0.1, 0.26, 0.22], head + [-0.24, 0.24, 0.36], 0.055, "dark"),
            tube((0.1, radius - 0.14, 0.18), (-base - 0.12, radius - 0.08, 0.2), 0.065, "second"),  # exhausts
        ]
    )
    if rng.random() < 0.4:  # a sport machine has a fairing and a windscreen
        solids += [
            spike(head * [0.75, 0.86, 1], head + [0.42, -0.1, 0], 0.26, "main", 0.22),
            egg(head + [0.05, 0.16, 0], (0.08, 0.2, 0.15), "second"),
        ]
    return Figure(tuple(solids))
