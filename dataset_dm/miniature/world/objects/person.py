"""A person: joints from joint angles by forward kinematics, limbs around the joints, and the 17 COCO keypoints.

The person faces +x with y up; in our left-handed world (x right, y up, z away) the own left hand is then at +z.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dataset_dm.labels.coco import KEYPOINTS
from dataset_dm.miniature.world.geometry import Figure, Solid
from dataset_dm.miniature.world.objects.parts import ball, both, egg, spike, tube, tubes, turn, vary

POSES = ("standing", "walking", "sitting", "arms raised")
SIDES = {"left": 1.0, "right": -1.0}


@dataclass(frozen=True, slots=True, kw_only=True)
class Build:
    """Lengths of the bones and half width of the shoulders and hips, in metres."""

    thigh: float = 0.4
    shin: float = 0.4
    torso: float = 0.5
    upper_arm: float = 0.31
    forearm: float = 0.29
    shoulder: float = 0.23
    hip: float = 0.11
    head: float = 0.175


@dataclass(frozen=True, slots=True, kw_only=True)
class Limb:
    """Angles of an arm or a leg in degrees: `swing` forward of straight down, `spread` outward, `bend` of the elbow
    (forward) or of the knee (backward)."""

    swing: float
    spread: float
    bend: float


def _draw_build(rng: np.random.Generator) -> Build:
    plain = Build()
    size = {name: vary(rng, getattr(plain, name), 0.07) for name in Build.__dataclass_fields__}
    size["shin"] = size["thigh"] * float(rng.uniform(0.97, 1.05))
    return Build(**size)


def _draw_limbs(rng: np.random.Generator, pose: str) -> dict[str, Limb]:
    """Angles of 'left arm', 'right arm', 'left leg', 'right leg' for a pose, with noise."""
    first = rng.choice(["left", "right"])
    limbs = {}
    for side in SIDES:
        ahead = 1.0 if side == first else -1.0  # which leg is in front when walking
        arm, leg = (
            (rng.uniform(-8, 8), rng.uniform(14, 30), rng.uniform(8, 30)),
            (rng.uniform(-4, 4), rng.uniform(3, 9), 4.0),
        )
        if pose == "walking":
            arm = (-ahead * rng.uniform(28, 45), rng.uniform(8, 16), rng.uniform(25, 60))
            leg = (
                ahead * rng.uniform(24, 36),
                rng.uniform(2, 5),
                rng.uniform(5, 12) if ahead > 0 else rng.uniform(15, 30),
            )
        elif pose == "sitting":
            arm = (rng.uniform(15, 40), rng.uniform(10, 20), rng.uniform(30, 60))
            leg = (rng.uniform(82, 92), rng.uniform(6, 16), rng.uniform(78, 95))
        elif pose == "arms raised":
            arm = (rng.uniform(165, 195), rng.uniform(18, 38), rng.uniform(-10, 15))
        limbs[f"{side} arm"] = Limb(swing=arm[0], spread=arm[1], bend=arm[2])
        limbs[f"{side} leg"] = Limb(swing=leg[0], spread=leg[1], bend=-leg[2])
    return limbs


def _directions(limb: Limb, sign: float) -> tuple[np.ndarray, np.ndarray]:
    """Unit directions (3,), (3,) of the upper and the lower bone; `sign` is +1 for the left side."""
    down = np.array([0.0, -1.0, 0.0])
    upper = turn("z", limb.swing) @ turn("x", -sign * limb.spread) @ down
    lower = turn("z", limb.swing + limb.bend) @ turn("x", -sign * 0.6 * limb.spread) @ down
    return upper, lower


def _joints(build: Build, limbs: dict[str, Limb], lean: float) -> dict[str, np.ndarray]:
    """Joint positions (3,) by name; the pelvis is the origin, `lean` bends the torso forward in degrees."""
    up = turn("z", -lean) @ np.array([0.0, 1.0, 0.0])
    joints = {"pelvis": np.zeros(3), "neck": up * (build.torso + 0.06), "chest": up * (build.torso - 0.06)}
    joints["head"] = joints["neck"] + up * (build.head * 1.1) + np.array([0.02, 0, 0])
    for side, sign in SIDES.items():
        across = np.array([0.0, 0.0, sign])
        chain = (
            (
                "arm",
                "shoulder",
                up * build.torso + build.shoulder * across,
                "elbow",
                build.upper_arm,
                "wrist",
                build.forearm,
            ),
            ("leg", "hip", build.hip * across, "knee", build.thigh, "ankle", build.shin),
        )
        for limb, root, start, middle, upper_length, end, lower_length in chain:
            upper, lower = _directions(limbs[f"{side} {limb}"], sign)
            joints[f"{side}_{root}"] = start
            joints[f"{side}_{middle}"] = start + upper * upper_length
            joints[f"{side}_{end}"] = joints[f"{side}_{middle}"] + lower * lower_length
    return joints


def _face(head: np.ndarray, size: float) -> dict[str, np.ndarray]:
    """Keypoints of the face (3,) by name, on the surface of the head."""
    face = {"nose": head + np.array([1.08, -0.12, 0.0]) * size}
    for side, sign in SIDES.items():
        face[f"{side}_eye"] = head + np.array([0.84, 0.12, 0.36 * sign]) * size
        face[f"{side}_ear"] = head + np.array([0.0, -0.05, 0.94 * sign]) * size
    return face


def _head(rng: np.random.Generator, head: np.ndarray, size: float, hair: str) -> list[Solid]:
    """Skin, eyes, nose, ears and a cap of hair that leaves the face free; some have long hair, some a hat."""
    solids = [egg(head, (0.9 * size, 1.08 * size, 0.88 * size), "third")]
    solids += both([ball(head + np.array([0.8, 0.12, 0.36]) * size, 0.17 * size, "dark")])
    solids += [
        spike(head + np.array([0.8, 0.02, 0]) * size, head + np.array([1.1, -0.14, 0]) * size, 0.2 * size, "third")
    ]
    solids += both([ball(head + np.array([0.0, -0.05, 0.88]) * size, 0.2 * size, "third")])
    solids += [egg(head + np.array([-0.16, 0.42, 0]) * size, (0.95 * size, 0.85 * size, 0.98 * size), hair)]
    style = rng.integers(3)
    if style == 1:
        solids += [egg(head + np.array([-0.5, -0.35, 0]) * size, (0.55 * size, 1.05 * size, 0.92 * size), hair)]
    elif style == 2:
        solids += [egg(head + np.array([0.5, 0.52, 0]) * size, (0.95 * size, 0.14 * size, 0.8 * size), hair)]
    return solids


def _body(rng: np.random.Generator, joints: dict[str, np.ndarray], build: Build) -> list[Solid]:
    """Torso and sleeves in main, trousers in second, hands in third, shoes dark."""
    up = joints["chest"] / np.linalg.norm(joints["chest"])
    chest, depth = joints["chest"], 0.135
    middle = 0.52 * (joints["pelvis"] + chest)
    long_sleeves, shorts = rng.random() < 0.75, rng.random() < 0.25
    solids = [
        egg(chest - 0.04 * up, (depth, 0.2, build.shoulder * 1.02)),
        egg(middle, (depth, build.torso * 0.42, build.shoulder * 0.86)),
        egg(joints["pelvis"] + 0.02 * up, (depth, 0.15, build.hip + 0.085), "second"),
        tube(chest, joints["head"], 0.075, "third"),
    ]
    for side in SIDES:
        shoulder, elbow, wrist, hip, knee, ankle = (
            joints[f"{side}_{n}"] for n in ("shoulder", "elbow", "wrist", "hip", "knee", "ankle")
        )
        forearm = (wrist - elbow) / np.linalg.norm(wrist - elbow)
        solids += tubes([shoulder, elbow], 0.08) + tubes([elbow, wrist], 0.07, "main" if long_sleeves else "third")
        solids += [ball(wrist + 0.06 * forearm, 0.085, "third")]
        solids += [tube(hip, knee, 0.105, "second"), tube(knee, ankle, 0.085, "third" if shorts else "second")]
        solids += [tube(ankle + [-0.01, -0.02, 0], ankle + [0.14, -0.03, 0], 0.075, "dark")]
    return solids


def _skirt(joints: dict[str, np.ndarray]) -> list[Solid]:
    """A flared skirt over upright legs."""
    hem = 0.45 * (joints["left_knee"] + joints["right_knee"]) + [0, -0.02, 0]
    return [spike(hem, joints["chest"] + [0, 0.25, 0], 0.25, "main", 0.29)]


def person(rng: np.random.Generator) -> Figure:
    """A person in one of POSES, with 17 keypoints (17, 3) in COCO order."""
    pose = POSES[rng.integers(len(POSES))]
    build = _draw_build(rng)
    lean = {"walking": rng.uniform(2, 8), "sitting": rng.uniform(-10, 4)}.get(pose, rng.uniform(-2, 2))
    joints = _joints(build, _draw_limbs(rng, pose), lean)
    solids = _head(rng, joints["head"], build.head, str(rng.choice(["dark", "second"])))
    solids += _body(rng, joints, build)
    if pose != "sitting" and rng.random() < 0.25:
        solids += _skirt(joints)
    points = joints | _face(joints["head"], build.head)
    return Figure(tuple(solids), np.stack([points[name] for name in KEYPOINTS]), pose)
