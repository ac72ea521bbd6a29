"""Scenes to images with exact truth: 2 x 2 rays a pixel against the solids, each only inside its projected bounds."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Int, UInt8

from dataset_dm.miniature.world import surfaces
from dataset_dm.miniature.world.geometry import Rendering, Scene
from dataset_dm.miniature.world.intersect import Rays, hit
from dataset_dm.miniature.world.placing import Placed, place
from dataset_dm.miniature.world.project import NEAR, View, all_keypoints, solid_bounds, view
from dataset_dm.miniature.world.shading import ground_shade, lit_ground, shade_solids
from dataset_dm.miniature.world.styles import apply_style
from dataset_dm.miniature.world.surfaces import Grid, Painter

SUB = 2  # rays a pixel along each side
NOISE = 0.008  # standard deviation of the sensor noise, of the sRGB range 0..1
_FOG_LENGTH = np.float32(8.0)  # metres


def render(scene: Scene, size: tuple[int, int] = (128, 128)) -> Rendering:
    """Draw `scene` at `size` = (height, width); a pure function of its arguments.

    A pixel belongs to the body (or background) that covers most of its four rays, on a tie to the nearest of them; its
    depth is the mean over that one's rays. ValueError for an unknown style.

    >>> image = render(scene)
    >>> image.image.shape, image.instance_map.max() <= len(scene.bodies)
    ((128, 128, 3), True)
    """
    eye = view(scene.camera, size)
    rays = surfaces.grid(eye, SUB)
    solids = place(scene.bodies)
    depth, surface = surfaces.backdrop(scene.setting, rays)
    which = cast(solids, eye, rays, depth)
    owner = np.concatenate([solids.body + 1, [0]]).astype(np.uint8)  # which = -1: background
    instance_sub = owner[which]
    instance, mean_depth = resolve(instance_sub, depth)
    classes = np.array([0] + [body.class_id for body in scene.bodies], np.uint8)

    linear = _colours(scene, eye, rays, solids, depth, surface, which)
    if scene.style == "fog":
        clearness = _mean(_quarters(np.exp(-depth / _FOG_LENGTH)))
    else:
        clearness = np.ones(size, np.float32)
    linear = apply_style(scene.style, linear, clearness)
    clean, image = _develop(linear, scene.noise_seed)
    keypoints = all_keypoints(scene.bodies, scene.camera, depth, instance_sub, size)
    metres = mean_depth * np.float32(scene.metre)
    return Rendering(image, clean, classes[instance], instance, metres, keypoints)


def cast(solids: Placed, eye: View, rays: Grid, depth: Float[np.ndarray, "H W"]) -> Int[np.ndarray, "H W"]:
    """Index of the solid that each ray meets first, -1 for none; lowers `depth` in place."""
    which = np.full(depth.shape, -1, np.int16)
    height, width = depth.shape
    scale = height / eye.size[0]
    bounds = solid_bounds(solids, eye) * scale
    # ray i passes through i + 0.5
    first = np.ceil(np.clip(bounds[:, :2] - 0.5, 0, (width, height))).astype(int)
    last = np.floor(np.clip(bounds[:, 2:] - 0.5, -1, (width - 1, height - 1))).astype(int) + 1
    origin = np.einsum("nij,nj->ni", solids.inverse, rays.origin - solids.center).astype(np.float32)
    turn = np.swapaxes(solids.inverse, 1, 2).astype(np.float32)
    by_row, by_column = rays.by_row.astype(np.float32) @ turn, rays.by_column.astype(np.float32) @ turn
    crossing = ~np.isfinite(bounds).all(1)
    with np.errstate(all="ignore"):
        for k in range(len(solids)):
            (left, top), (right, bottom) = first[k], last[k]
            if left >= right or top >= bottom:
                continue
            part = Rays(origin[k], by_row[k, top:bottom], by_column[k, left:right])
            t = hit(solids.shape[k], part, solids.reach[k])
            nearest = depth[top:bottom, left:right]
            nearer = t < nearest
            if crossing[k]:
                nearer &= t > NEAR
            np.copyto(nearest, t, where=nearer)
            which[top:bottom, left:right][nearer] = k
    return which


def _quarters(values: np.ndarray) -> np.ndarray:
    """(2 h, 2 w) values as (4, h, w): the four rays of each pixel."""
    return np.stack([values[i::SUB, j::SUB] for i in range(SUB) for j in range(SUB)])


def _mean(quarters: np.ndarray) -> np.ndarray:
    """Mean (h, w) of the four rays; faster than numpy's over so short an axis."""
    return (quarters[0] + quarters[1] + quarters[2] + quarters[3]) * np.float32(0.25)


def resolve(
    instance: UInt8[np.ndarray, "H W"], depth: Float[np.ndarray, "H W"]
) -> tuple[UInt8[np.ndarray, "h w"], Float[np.ndarray, "h w"]]:
    """Instance and depth of pixels from those of their four rays; H = 2 h, W = 2 w.

    Most rays win, on a tie the nearest; depth is the mean over the winner's rays. Depth inf (sky) turns to 0: a
    background pixel is sky when more of its background rays meet sky than ground.
    """
    names, depths = _quarters(instance), _quarters(depth)
    winner = names[0].copy()
    mean = _mean(depths)
    mixed = (names[1] != winner) | (names[2] != winner) | (names[3] != winner)
    sky = np.isinf(mean)
    mean[sky] = 0
    mixed |= sky & np.isfinite(depths).any(0)
    label, away = names[:, mixed], depths[:, mixed]
    votes = (label[:, None] == label[None]).sum(1)
    nearest = np.where(votes == votes.max(0), away, np.inf)
    # all rays with most votes may be sky: then any of them
    best = np.where(np.isinf(nearest).all(0), votes.argmax(0), nearest.argmin(0))
    chosen = np.take_along_axis(label, best[None], 0)[0]
    same = label == chosen
    solid = same & np.isfinite(away)
    count = solid.sum(0)
    total = np.where(solid, away, 0).sum(0)
    winner[mixed] = chosen
    mean[mixed] = np.where(2 * count >= same.sum(0), total / np.maximum(count, 1), 0)
    return winner, mean.astype(np.float32)


def _colours(
    scene: Scene, eye: View, rays: Grid, solids: Placed, depth: np.ndarray, surface: np.ndarray, which: np.ndarray
) -> np.ndarray:
    """Linear RGB (h, w, 3) of the scene in day style."""
    painter = Painter(scene.setting, scene.light, surfaces.grid(eye), eye.focal, scene.noise_seed)
    empty = which < 0
    image = np.zeros((*eye.size, 3), np.float32)
    for name in np.flatnonzero(np.bincount(surface[empty])):
        share = _mean(_quarters((empty & (surface == name)).astype(np.float32)))
        image += share[..., None] * _surface(name, scene, painter, eye, solids)
    where = np.flatnonzero(~empty)
    if len(where):
        colour = shade_solids(solids, scene.light, rays, where, which.ravel()[where], depth.ravel()[where])
        row, column = np.divmod(where, rays.shape[1])
        pixel = row // SUB * eye.size[1] + column // SUB
        for channel in range(3):
            summed = np.bincount(pixel, colour[channel], minlength=image[..., 0].size)
            image[..., channel] += summed.reshape(eye.size) / SUB**2
    return image


def _surface(name: int, scene: Scene, painter: Painter, eye: View, solids: Placed) -> np.ndarray:
    """Linear RGB (h, w, 3) of one surface over the whole image."""
    if name == surfaces.SKY:
        return painter.sky()
    if name != surfaces.GROUND:
        return painter.wall(name)
    colour, x, z = painter.ground()
    if scene.setting.kind == "water":
        colour = painter.water(x, z)
    shadow, contact = ground_shade(solids, scene.light, eye, x, z)
    if scene.setting.kind == "water":
        shadow, contact = shadow * 0.5, contact * 0.7
    lit = lit_ground(colour, scene.light, shadow, contact)
    return lit if scene.setting.kind == "room" else painter.haze(lit)


def _develop(linear: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Linear RGB to sRGB uint8 (IEC 61966-2-1): without and with sensor noise."""
    light = np.clip(linear, 0, 1)
    encoded = np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)
    noise = np.random.default_rng((seed, 0)).standard_normal(encoded.shape, np.float32) * np.float32(NOISE)
    clean = np.round(encoded * 255).astype(np.uint8)
    return clean, np.round(np.clip(encoded + noise, 0, 1) * 255).astype(np.uint8)
