"""Bird, cow, horse and sheep: noses at +x. The pets are in `pets`."""

from __future__ import annotations

import numpy as np

from dataset_dm.miniature.world.geometry import Figure, Solid
from dataset_dm.miniature.world.objects.parts import ball, both, box, egg, leaf, rod, spike, tube, tubes, turn, vary


def legs(
    rng: np.random.Generator,
    xs: tuple[float, float],
    z: float,
    top: float,
    radii: tuple[float, float],
    stride: float,
    slots: tuple[str, str] = ("main", "dark"),
) -> list[Solid]:
    """Four legs with hoofs or paws: from (x, top, +-z) down; each is swung by up to `stride` along x.

    `radii` are those of leg and foot; `slots` likewise.
    """
    solids = []
    for x in xs:
        for sign in (1.0, -1.0):
            swing = rng.uniform(-stride, stride)
            foot = np.array([x + swing, radii[1], sign * z])
            solids.append(tube(foot + [0, 0.02, 0], (x, top, sign * z * 0.9), radii[0], slots[0]))
            solids.append(rod(foot * [1, 0, 1], foot * [1, 1.5, 1], radii[1], slots[1]))
    return solids


def _eyes(center: np.ndarray, offset: tuple[float, float, float], radius: float) -> list[Solid]:
    return [ball(center + np.array(offset) * [1, 1, sign], radius, "dark") for sign in (1.0, -1.0)]


def horse(rng: np.random.Generator) -> Figure:
    """Long legs, a slim barrel, a long raised neck with a mane, a long head, a hanging tail."""
    long, top = vary(rng, 0.48, 0.08), vary(rng, 0.95, 0.07)
    y = top + 0.08
    rump, chest = np.array([-long, y, 0.0]), np.array([long, y, 0.0])
    solids = [
        tube(rump, chest, 0.25),
        egg(rump + [-0.02, 0.03, 0], (0.27, 0.28, 0.29)),
        egg(chest, (0.25, 0.29, 0.28)),
    ]
    solids += legs(rng, (-long - 0.03, long + 0.03), 0.165, y - 0.05, (0.09, 0.1), 0.2)
    raise_by = rng.uniform(0.5, 0.72)
    poll = chest + np.array([0.42 - 0.2 * (raise_by - 0.5), raise_by, 0.0])
    muzzle = poll + np.array([0.45, -0.3, 0.0]) * vary(rng, 1.0, 0.1)
    solids += [spike(chest + [-0.1, -0.14, 0], poll + (poll - chest) * 0.5, 0.36, "main", 0.22)]
    solids += [tube(chest + [0.02, 0.02, 0], poll, 0.145)]
    solids += [tube(poll + [0.02, 0, 0], muzzle, 0.12), egg(poll + [0.04, -0.03, 0], (0.19, 0.17, 0.14))]
    solids += [egg(muzzle + [0.03, -0.01, 0], (0.12, 0.13, 0.125), "third")]
    mane = (poll - chest) / np.linalg.norm(poll - chest)
    back = np.array([-mane[1], mane[0], 0.0])
    line = [chest + [-0.1, 0.22, 0], (chest + poll) / 2 + 0.15 * back, poll + 0.12 * back, poll + [0.12, 0.16, 0]]
    solids += tubes(line, 0.085, "second")
    solids += both([spike(poll + [-0.02, 0.08, 0.07], poll + [0.0, 0.28, 0.1], 0.06)])
    solids += _eyes(poll, (0.13, 0.0, 0.11), 0.04)
    hips = rump + np.array([-0.22, 0.1, 0.0])
    swing = rng.uniform(0.05, 0.25)
    solids += tubes([hips, hips + [-0.16, -0.12, 0], hips + [-0.16 - swing, -0.62, 0]], [0.085, 0.105], "second")
    return Figure(tuple(solids))


def cow(rng: np.random.Generator) -> Figure:
    """A heavy box of a body with patches, a low wide head with a big muzzle and horns, short legs, an udder."""
    long, deep, wide = vary(rng, 0.62, 0.07), vary(rng, 0.32, 0.06), vary(rng, 0.29, 0.06)
    y = vary(rng, 0.5, 0.06) + deep
    solids = [
        box((0, y + 0.02, 0), (0.9 * long, 0.9 * deep, 0.9 * wide)),
        egg((0, y, 0), (1.15 * long, 1.02 * deep, 1.1 * wide)),
        egg((-0.85 * long, y + 0.04, 0), (0.26, 0.95 * deep, wide)),
        egg((0.8 * long, y + 0.05, 0), (0.3, 1.05 * deep, wide)),
        ball((-0.5 * long, y - deep - 0.01, 0), 0.15, "third"),  # udder
    ]
    solids += legs(rng, (-0.8 * long, 0.8 * long), 0.2, y - 0.3 * deep, (0.1, 0.115), 0.07)
    for sign in (1.0, -1.0):
        for x in (-0.5 * long, 0.28 * long):
            spot = (x + rng.uniform(-0.1, 0.1), y + rng.uniform(-0.05, 0.16), sign * 0.98 * wide)
            solids.append(
                egg(spot, (vary(rng, 0.24), vary(rng, 0.17), 0.07), "second", turn("z", rng.uniform(-40, 40)))
            )
    head = np.array([1.18 * long + 0.16, y + rng.uniform(-0.12, 0.22), 0.0])
    muzzle = head + np.array([0.24, -0.14, 0.0])
    solids += [tube((0.75 * long, y + 0.06, 0), head, 0.2), tube(head, muzzle, 0.165)]
    solids += [
        egg(muzzle + [0.06, -0.02, 0], (0.13, 0.14, 0.2), "third"),
        egg(head + [0.1, 0.08, 0], (0.13, 0.11, 0.1), "second"),
    ]
    for sign in (1.0, -1.0):
        root = head + np.array([-0.02, 0.13, 0.1 * sign])
        bend = root + np.array([0.0, 0.08, 0.2 * sign])
        solids += [tube(root, bend, 0.055, "third"), spike(bend, bend + [0.08, 0.24, 0.06 * sign], 0.065, "third")]
        solids.append(leaf(head + [-0.06, 0.04, 0.12 * sign], head + [-0.12, -0.04, 0.38 * sign], 0.08, 0.05, "second"))
    solids += _eyes(head, (0.12, 0.06, 0.14), 0.042)
    hips = np.array([-1.1 * long, y + 0.7 * deep, 0.0])
    solids += [tube(hips, hips + [-0.1, -0.5, 0], 0.05), ball(hips + [-0.11, -0.56, 0], 0.09, "dark")]
    return Figure(tuple(solids))


def sheep(rng: np.random.Generator) -> Figure:
    """A cloud of wool on stub legs, with a narrow bare head and drooping ears."""
    long, puff = vary(rng, 0.42, 0.08), vary(rng, 0.24, 0.06)
    y = 0.3 + puff + 0.12
    solids = [egg((0, y, 0), (long + 0.12, 0.34, 0.34))]
    start = rng.uniform(0, 6.28)
    for i in range(14):  # wool: even spread of balls over the body
        height = 1 - 2 * (i + 0.5) / 14
        angle = start + i * 2.4
        flat = np.sqrt(1 - height**2)
        spot = np.array([flat * np.cos(angle) * (long + 0.06), 0.27 * height, flat * np.sin(angle) * 0.27])
        solids.append(ball(np.array([0, y + 0.02, 0]) + spot, vary(rng, 0.2, 0.12)))
    solids += legs(rng, (-0.6 * long, 0.6 * long), 0.17, y - 0.2, (0.08, 0.085), 0.05, ("second", "dark"))
    lowered = rng.uniform(-0.16, 0.16)
    head = np.array([long + 0.34, y + 0.16 + lowered, 0.0])
    nose = head + np.array([0.2, -0.2, 0.0])
    solids += [tube((long, y + 0.08, 0), head, 0.17), tube(head, nose, 0.115, "second")]
    solids += [
        ball(head + [-0.06, 0.13, 0], 0.16),
        ball(head + [-0.02, 0.14, 0.08], 0.1),
        ball(head + [-0.02, 0.14, -0.08], 0.1),
    ]
    solids += both([leaf(head + [-0.02, 0.04, 0.08], head + [-0.08, -0.08, 0.3], 0.075, 0.05, "second")])
    solids += _eyes(head, (0.09, 0.0, 0.1), 0.036)
    solids += [ball(nose + [0.07, -0.03, 0], 0.06, "third"), ball((-long - 0.3, y + 0.08, 0), 0.12)]
    return Figure(tuple(solids))


def _wings(rng: np.random.Generator, y: float, spread: bool) -> list[Solid]:
    """Folded wings lie along the flanks; spread wings rise sideways, with three feathers each."""
    if not spread:
        fold = [egg((-0.16, y + 0.02, 0.26), (0.4, 0.2, 0.07), "second", turn("z", 24))]
        return both(fold + [leaf((-0.35, y - 0.04, 0.24), (-0.74, y - 0.24, 0.14), 0.1, 0.06, "third")])
    lift = rng.uniform(0.15, 0.6)
    shoulder = np.array([0.08, y + 0.14, 0.18])
    tip = shoulder + np.array([-0.06, lift + 0.1, 0.78])
    wing = [leaf(shoulder - 0.1 * (tip - shoulder), tip, 0.2, 0.06, "main", (0, 1, 0))]
    for share in (0.55, 0.78, 0.98):
        root = shoulder + share * (tip - shoulder)
        wing.append(leaf(root + [0.1, 0, 0], root + [-0.36, -0.06, 0.12], 0.1, 0.05, "second", (0, 1, 0)))
    return both(wing)


def bird(rng: np.random.Generator) -> Figure:
    """A drop-shaped body, round head with a big beak, tail fan, wings folded or spread, two legs with toes."""
    y = vary(rng, 0.5, 0.08)
    tilt = turn("z", rng.uniform(12, 32))
    centre = np.array([0.0, y + 0.14, 0.0])

    def at(x: float, up: float) -> np.ndarray:
        return centre + tilt @ np.array([x, up, 0.0])

    solids = [egg(centre, (0.44, 0.28, 0.27), "main", tilt)]
    head = at(0.4, 0.2) + np.array([0.02, vary(rng, 0.1, 0.5), 0.0])
    solids += [tube(at(0.22, 0.05), head, 0.16), ball(head, 0.2)]
    beak = vary(rng, 0.3, 0.2)
    solids += [spike(head + [0.13, -0.01, 0], head + [0.18 + beak, -0.06, 0], 0.1, "third")]
    solids += _eyes(head, (0.1, 0.06, 0.16), 0.05)
    solids += [spike(at(-0.72, 0.02), at(-0.15, 0.0), 0.08, "main", 0.24)]
    solids += [leaf(at(-0.3, 0.02), at(-0.86, 0.06), 0.07, 0.15, "second", (0, 0, 1))]
    solids += _wings(rng, centre[1], bool(rng.random() < 0.45))
    solids += [egg(at(0.18, -0.12), (0.22, 0.18, 0.2), "third", tilt)]  # breast
    for sign in (1.0, -1.0):
        x = 0.04 + rng.uniform(-0.05, 0.05)
        solids += [tube((x, 0.05, 0.13 * sign), (x - 0.02, y - 0.05, 0.11 * sign), 0.05, "third")]
        solids += [egg((x + 0.07, 0.04, 0.14 * sign), (0.14, 0.04, 0.08), "dark")]
    return Figure(tuple(solids))
