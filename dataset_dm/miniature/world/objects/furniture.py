"""Chair, dining table and sofa: the seat side faces +x."""

from __future__ import annotations

import numpy as np

from dataset_dm.miniature.world.geometry import Figure, Solid
from dataset_dm.miniature.world.objects.parts import both, box, drum, egg, rod, spike, turn, vary


def _four_legs(x: float, z: float, top: float, thick: float, splay: float, foot: str = "dark") -> list[Solid]:
    """Four legs from (+-x, top, +-z) down to feet that stand `splay` further out."""
    legs = []
    for sign in (1.0, -1.0):
        low = np.array([sign * (x + splay), 0.0, z + splay])
        high = np.array([sign * x, top, z])
        ankle = low + 0.22 * (high - low)
        legs += [rod(ankle, high, thick), rod(low, ankle, thick * 1.05, foot)]
    return both(legs)


def chair(rng: np.random.Generator) -> Figure:
    """Seat, four legs and a tall back: solid, of bars, or of ladder rungs."""
    half, seat, back = vary(rng, 0.36, 0.08), vary(rng, 0.62, 0.08), vary(rng, 0.85, 0.1)
    thick = 0.065
    solids = _four_legs(half - 0.08, half - 0.08, seat, thick, rng.uniform(0.0, 0.08))
    solids += [
        box((0, seat, 0), (half, 0.06, half)),
        box((0.02, seat + 0.08, 0), (0.88 * half, 0.045, 0.86 * half), "second"),
    ]
    lean = turn("z", rng.uniform(4, 12))
    foot = np.array([-half + 0.05, seat, 0.0])

    def on_back(height: float, z: float, half_size: tuple[float, float, float], slot: str = "main") -> Solid:
        return box(foot + lean @ np.array([0.0, height, z]), half_size, slot, lean)

    solids += [on_back(back / 2, s * (half - 0.07), (0.065, back / 2, 0.07)) for s in (1, -1)]
    solids += [on_back(back - 0.08, 0, (0.07, 0.11, half), "main")]
    kind = rng.integers(3)
    if kind == 0:
        solids += [on_back(back * 0.52, 0, (0.05, back * 0.3, half * 0.85), "second")]
    elif kind == 1:
        solids += [on_back(back * 0.45, s * 0.34 * half, (0.045, back * 0.45, 0.055), "third") for s in (1, -1)]
    else:
        solids += [on_back(back * h, 0, (0.045, 0.07, half), "third") for h in (0.3, 0.6)]
    return Figure(tuple(solids))


def diningtable(rng: np.random.Generator) -> Figure:
    """A wide slab, often laid with plates, on four legs or a pedestal, sometimes under a cloth."""
    x, z, height = vary(rng, 0.65, 0.1), vary(rng, 1.05, 0.1), vary(rng, 0.85, 0.08)
    slab = 0.07
    if rng.random() < 0.3:
        radius = vary(rng, 0.85, 0.06)
        solids = [
            drum((0, height, 0), radius, slab),
            drum((0, height - 0.1, 0), 0.8 * radius, 0.06, "second"),
            drum((0, height / 2, 0), 0.13, height / 2),
            drum((0, 0.05, 0), 0.45, 0.05, "dark"),
            drum((0, 0.62 * height, 0), 0.19, 0.06, "third"),
            spike((0, 0.08, 0), (0, 0.5, 0), 0.4, "main"),
        ]
        seats = [(0.55 * radius * np.cos(a), 0.55 * radius * np.sin(a)) for a in np.arange(4) * np.pi / 2]
    else:
        solids = _four_legs(x - 0.12, z - 0.12, height, 0.085, 0.0)
        solids += [box((0, height, 0), (x, slab, z)), box((0, height - 0.13, 0), (x - 0.1, 0.08, z - 0.1), "second")]
        if rng.random() < 0.35:  # a cloth that hangs over the middle
            drop = vary(rng, 0.16)
            solids += [
                box((0, height + 0.04 - drop / 2, 0), (x + 0.03, slab / 2 + drop / 2 + 0.02, 0.55 * z), "second")
            ]
        seats = [(sx * 0.5 * x, sz * 0.55 * z) for sx in (1, -1) for sz in (1, -1)]
    top = height + slab + 0.01
    if rng.random() < 0.75:
        solids += [drum((px, top + 0.02, pz), 0.19, 0.025, "third") for px, pz in seats]
    if rng.random() < 0.6:
        solids += [drum((0, top + 0.1, 0), 0.09, 0.1, "second"), egg((0, top + 0.26, 0), (0.14, 0.12, 0.14), "third")]
    return Figure(tuple(solids))


def sofa(rng: np.random.Generator) -> Figure:
    """Wide and low: a thick back, rounded armrests, two or three seat cushions, stub feet."""
    depth, width, seat, back = vary(rng, 0.45, 0.08), vary(rng, 1.05, 0.12), vary(rng, 0.42, 0.08), vary(rng, 0.5, 0.1)
    arm = vary(rng, 0.15, 0.1)
    solids = [
        box((0, seat / 2 + 0.08, 0), (depth, seat / 2 - 0.04, width)),
        box((-depth + 0.1, seat + back / 2, 0), (0.14, back / 2 + 0.05, width), "main", turn("z", 6)),
        rod((-depth + 0.06, seat + back, -width), (-depth + 0.06, seat + back, width), 0.14),
    ]
    count = int(rng.integers(2, 4)) if width > 0.98 else 2
    pitch = 2 * (width - arm) / count
    for i in range(count):
        z = -width + arm + (i + 0.5) * pitch
        solids.append(box((0.12, seat + 0.08, z), (depth - 0.08, 0.085, 0.46 * pitch), "second"))
        solids.append(box((-depth + 0.3, seat + 0.36, z), (0.1, 0.2, 0.44 * pitch), "second", turn("z", 12)))
    high = seat + vary(rng, 0.2, 0.1)
    solids += both([box((0.03, high / 2 + 0.05, width + 0.02), (depth + 0.04, high / 2, arm))])
    solids += both([rod((-depth, high + 0.03, width + 0.04), (depth + 0.08, high + 0.03, width + 0.04), arm * 1.15)])
    solids += both([drum((sx * (depth - 0.1), 0.06, width - 0.02), 0.1, 0.06, "dark") for sx in (1, -1)])
    if rng.random() < 0.5:
        side = rng.choice([-1.0, 1.0])
        solids.append(box((-0.02, seat + 0.33, side * (width - arm - 0.24)), (0.09, 0.2, 0.2), "third", turn("z", 20)))
    return Figure(tuple(solids))
