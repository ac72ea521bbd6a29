"""Cat and dog, standing, sitting or lying; noses at +x. They share paws, and little else."""

from __future__ import annotations

import numpy as np

from dataset_dm.miniature.world.geometry import Figure, Solid
from dataset_dm.miniature.world.objects.animals import legs
from dataset_dm.miniature.world.objects.parts import ball, both, egg, leaf, spike, tube, tubes, turn, vary


def _cat_head(rng: np.random.Generator, head: np.ndarray, size: float) -> list[Solid]:
    """Big, round and short-nosed, with two tall pointed ears."""

    def at(x: float, y: float, z: float) -> np.ndarray:
        return head + size * np.array([x, y, z])

    ear = vary(rng, 1.05, 0.08)
    return [
        egg(head, (0.92 * size, 0.88 * size, 1.05 * size)),
        *both([egg(at(0.72, -0.28, 0.22), (0.34 * size, 0.26 * size, 0.3 * size), "third")]),
        ball(at(1.02, -0.12, 0), 0.15 * size, "dark"),
        *both([ball(at(0.78, 0.2, 0.42), 0.17 * size, "dark")]),
        *both([spike(at(-0.02, 0.5, 0.52), at(0.0, 0.62 + ear, 0.72), 0.36 * size, "main", 0.5 * size)]),
    ]


def cat(rng: np.random.Generator) -> Figure:
    """A big round head with pointed ears, short legs, and a long upright tail that curls over at its end."""
    size = vary(rng, 0.25, 0.06)
    if rng.random() < 0.4:
        return Figure(tuple(_sitting_cat(rng, size)))
    long, y = vary(rng, 0.36, 0.08), vary(rng, 0.4, 0.06)
    solids = [
        tube((-long, y, 0), (long, y - 0.02, 0), 0.17),
        egg((-0.02, y + 0.09, 0), (0.36, 0.19, 0.17)),  # arched back
        egg((-long - 0.02, y + 0.02, 0), (0.22, 0.21, 0.2)),
    ]
    for x in (-0.22, 0.02, 0.26):  # stripes
        solids.append(egg((x, y + 0.1, 0), (0.05, 0.185 - 0.25 * (x - 0.02) ** 2, 0.185), "second"))
    solids += legs(rng, (-long, long), 0.11, y, (0.078, 0.085), 0.07, ("main", "second"))
    head = np.array([long + 0.2, y + rng.uniform(0.16, 0.3), 0.0])
    solids += [tube((long - 0.03, y + 0.03, 0), head, 0.15)] + _cat_head(rng, head, size)
    root = np.array([-long - 0.14, y + 0.08, 0.0])
    rise, curl = vary(rng, 0.62, 0.1), rng.choice([-1.0, 1.0]) * 0.14
    line = [root, root + [-0.16, 0.16, 0], root + [-0.14, rise, 0], root + [-0.14 + curl, rise + 0.15, 0]]
    solids += tubes(line[:3], 0.07) + tubes(line[2:], 0.072, "second")
    return Figure(tuple(solids))


def _sitting_cat(rng: np.random.Generator, size: float) -> list[Solid]:
    """Upright on its haunches, forepaws together, the tail raised behind or laid around."""
    height = vary(rng, 0.52, 0.07)
    solids = [
        egg((-0.12, 0.24, 0), (0.29, 0.25, 0.27)),
        egg((0.0, height * 0.68, 0), (0.2, height * 0.56, 0.2), "main", turn("z", -10)),
        egg((0.13, height * 0.75, 0), (0.1, 0.2, 0.13), "third"),
    ]
    solids += both(
        [egg((-0.04, 0.16, 0.22), (0.24, 0.17, 0.1)), egg((0.18, 0.06, 0.22), (0.13, 0.06, 0.075), "second")]
    )
    solids += both(
        [
            tube((0.2, 0.08, 0.09), (0.12, height * 0.75, 0.1), 0.075),
            egg((0.25, 0.06, 0.09), (0.11, 0.06, 0.08), "second"),
        ]
    )
    for y in (0.42, 0.62):
        solids.append(
            egg((-0.1 + 0.12 * (y - 0.4), height * y / 0.55, 0), (0.15, 0.045, 0.19), "second", turn("z", -20))
        )
    head = np.array([0.1, height + 0.3, 0.0])
    solids += _cat_head(rng, head, size * 1.04)
    if rng.random() < 0.6:
        lean = rng.uniform(0.05, 0.2)
        line = [
            np.array(p)
            for p in ((-0.3, 0.1, 0.0), (-0.52, 0.14, 0.0), (-0.56 - lean, 0.5, 0.0), (-0.44 - lean, 0.72, 0.0))
        ]
        return solids + tubes(line[:3], 0.07) + tubes(line[2:], 0.072, "second")
    side = rng.choice([-1.0, 1.0])
    line = [
        np.array(p) * [1, 1, side]
        for p in ((-0.34, 0.09, 0.05), (-0.3, 0.08, 0.36), (0.02, 0.08, 0.46), (0.3, 0.08, 0.36))
    ]
    return solids + tubes(line[:3], 0.075) + tubes(line[2:], 0.077, "second")


def _dog_head(rng: np.random.Generator, head: np.ndarray, nod: float) -> list[Solid]:
    """A long snout with a dark nose and ears that hang down the cheeks; `nod` in degrees, positive looks up."""
    tilt = turn("z", nod)

    def at(x: float, y: float, z: float) -> np.ndarray:
        return head + tilt @ np.array([x, y, z])

    snout, ear = vary(rng, 0.36, 0.1), vary(rng, 0.36, 0.1)
    return [
        egg(head, (0.2, 0.175, 0.17), "main", tilt),
        tube(at(0.08, -0.045, 0), at(0.08 + snout, -0.075, 0), 0.1),
        egg(at(0.12 + snout, -0.1, 0), (0.11, 0.085, 0.105), "third", tilt),
        ball(at(0.2 + snout, -0.015, 0), 0.06, "dark"),
        *[ball(at(0.14, 0.08, 0.11 * s), 0.04, "dark") for s in (1, -1)],
        *[
            leaf(at(-0.05, 0.14, 0.15 * s), head + [-0.12, 0.12 - ear, 0.24 * s], 0.125, 0.055, "second")
            for s in (1, -1)
        ],
    ]


def dog(rng: np.random.Generator) -> Figure:
    """A deep chest and slim waist, long snout, hanging ears, a collar, a tail that curves up."""
    kind = rng.choice(["standing", "sitting", "lying"], p=[0.6, 0.25, 0.15])
    if kind == "sitting":
        return Figure(tuple(_sitting_dog(rng)))
    long = vary(rng, 0.44, 0.08)
    y = vary(rng, 0.6, 0.06) if kind == "standing" else 0.22
    solids = [
        egg((0.6 * long, y, 0), (0.33, 0.225, 0.19)),
        tube((-long, y + 0.03, 0), (0.5 * long, y + 0.02, 0), 0.155),
        egg((-long, y + 0.01, 0), (0.2, 0.2, 0.18)),
        egg((-0.25 * long, y + 0.09, 0), (0.26, 0.11, 0.155), "second"),  # a saddle patch
    ]
    if kind == "standing":
        solids += legs(rng, (-long - 0.02, long), 0.13, y, (0.08, 0.088), 0.12, ("main", "third"))
    else:
        solids += both(
            [
                tube((long + 0.05, 0.08, 0.15), (long + 0.45, 0.08, 0.15), 0.08),
                ball((long + 0.5, 0.085, 0.15), 0.085, "third"),
            ]
        )
        solids += both(
            [
                egg((-long + 0.06, 0.17, 0.18), (0.25, 0.17, 0.09)),
                tube((-long, 0.08, 0.22), (-long + 0.34, 0.08, 0.24), 0.075),
            ]
        )
    neck = np.array([long + 0.02, y + 0.1, 0.0])
    head = neck + np.array([rng.uniform(0.16, 0.28), rng.uniform(0.3, 0.42), 0.0])
    middle = neck + 0.5 * (head - neck)
    solids += [tube(neck, head, 0.13), tube(middle, middle + 0.12 * (head - neck), 0.15, "third")]
    solids += _dog_head(rng, head, rng.uniform(-15, 15))
    root = np.array([-long - 0.14, y + 0.1, 0.0])
    lift = rng.uniform(0.25, 0.45)
    solids += tubes([root, root + [-0.2, 0.5 * lift, 0], root + [-0.22, lift + 0.16, 0]], [0.065, 0.06])
    return Figure(tuple(solids))


def _sitting_dog(rng: np.random.Generator) -> list[Solid]:
    """A sloping back over folded hind legs, straight forelegs, the tail on the ground."""
    height = vary(rng, 0.66, 0.06)
    chest = np.array([0.24, height, 0.0])
    solids = [
        egg((-0.26, 0.23, 0), (0.25, 0.23, 0.22)),
        tube((-0.22, 0.26, 0), chest - [0.04, 0.06, 0], 0.175),
        egg(chest - [0.02, 0.06, 0], (0.21, 0.25, 0.19)),
        leaf((-0.32, 0.3, 0), (0.1, height + 0.08, 0), 0.11, 0.15, "second"),
    ]
    solids += both([egg((-0.16, 0.17, 0.2), (0.23, 0.17, 0.1)), egg((0.08, 0.07, 0.22), (0.17, 0.07, 0.08), "third")])
    solids += both(
        [
            tube((0.34, 0.08, 0.12), chest + [0.03, -0.1, 0.1], 0.08),
            egg((0.39, 0.07, 0.12), (0.13, 0.07, 0.085), "third"),
        ]
    )
    head = chest + np.array([0.12, 0.4, 0.0])
    solids += [tube(chest, head, 0.13), tube(chest + [0.05, 0.17, 0], chest + [0.065, 0.22, 0], 0.155, "third")]
    solids += _dog_head(rng, head, rng.uniform(-10, 20))
    lift = rng.uniform(0.1, 0.4)
    return solids + tubes([(-0.46, 0.12, 0), (-0.66, 0.14, 0), (-0.84, 0.16 + lift, 0)], [0.065, 0.06])
