"""Ground textures: tone factors about 1, low in contrast and frequency, faded out where they would alias."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from dataset_dm.miniature.world.geometry import Setting


def _fade(footprint: np.ndarray, period: float) -> np.ndarray:
    """1 where a pixel sees a small share of a period, 0 from half a period on."""
    return np.clip(2.0 - 4.0 * footprint / period, 0.0, 1.0)


def _square(position: np.ndarray, footprint: np.ndarray, period: float) -> np.ndarray:
    """Square wave in -1..1 with edges as soft as a pixel is wide; fades to 0 far away."""
    triangle = np.abs(position / period % 1.0 * 4.0 - 2.0) - 1.0
    return np.clip(triangle * (period / 4.0) / np.maximum(footprint, 0.02), -1.0, 1.0) * _fade(footprint, period)


def _line(position: np.ndarray, footprint: np.ndarray, width: float) -> np.ndarray:
    """Share 0..1 of a pixel covered by a line of `width` about position 0."""
    soft = np.maximum(footprint, 0.01)
    edge = np.clip((width / 2 - np.abs(position)) / soft + 0.5, 0.0, 1.0)
    return edge * np.minimum(1.0, width / soft)


def soft_noise(
    x: Float[np.ndarray, "*#shape"], y: Float[np.ndarray, "*#shape"], size: float, rng: np.random.Generator
) -> Float[np.ndarray, "*#shape"]:
    """Smooth noise in about -1..1 with features of `size`: a sum of four bent waves; broadcasts x and y."""
    total = np.float32(0)
    for octave, weight in enumerate((0.42, 0.3, 0.22, 0.16)):
        angle, phase = rng.uniform(0, 2 * np.pi, 2)
        frequency = np.pi / size * 1.45**octave
        along = (np.cos(angle) * x + np.sin(angle) * y).astype(np.float32) * np.float32(frequency)
        total = total + np.float32(weight) * np.sin(along + np.float32(phase) + 1.7 * total)
    return total


def water_slopes(
    x: Float[np.ndarray, "h w"], z: Float[np.ndarray, "h 1"], along: Float[np.ndarray, "h 1"], rng: np.random.Generator
) -> Float[np.ndarray, "h w"]:
    """Slopes in about -1..1 of gentle waves that run towards the camera."""
    total = np.float32(0)
    for length, weight in ((2.4, 0.4), (1.3, 0.3), (0.7, 0.3)):
        angle, phase = rng.uniform(-0.5, 0.5), rng.uniform(0, 2 * np.pi)
        wave = (np.sin(angle) * x + np.cos(angle) * z) * (2 * np.pi / length) + phase
        bend = 0.8 * np.sin(x * (1.3 / length) + 3 * phase)
        total = total + (weight * _fade(along, length * 1.2) * np.sin(wave + bend)).astype(np.float32)
    return total


def _street(
    x: np.ndarray, z: np.ndarray, across: np.ndarray, along: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """Lane markings, kerb and pavement of a road that runs away from the camera or across the image."""
    if rng.random() < 0.5:
        side, run, side_foot, run_foot = x + rng.uniform(-1.5, 1.5), z, across, along
    else:
        side, run, side_foot, run_foot = z - rng.uniform(4.0, 7.0), x, along, across
    half = rng.uniform(3.0, 4.5)
    beyond = np.clip((np.abs(side) - half) / np.maximum(side_foot, 0.02) + 0.5, 0.0, 1.0)
    tone = 1.0 + 0.22 * beyond
    tone = tone + beyond * 0.08 * _square(run, run_foot, 1.5)
    tone = tone - 0.25 * _line(np.abs(side) - half, side_foot, 0.16)
    dashes = np.clip(0.5 + 0.5 * _square(run + rng.uniform(0, 4), run_foot, 4.0), 0.0, 1.0)
    return tone + (0.55 * _line(side, side_foot, 0.16) * dashes)


def ground_tone(
    setting: Setting,
    x: Float[np.ndarray, "h w"],
    z: Float[np.ndarray, "h 1"],
    across: Float[np.ndarray, "h 1"],
    along: Float[np.ndarray, "h 1"],
    rng: np.random.Generator,
) -> Float[np.ndarray, "h w"]:
    """Tone factor of the ground at world x, z; across, along: a pixel's extent in metres
    there, to the side and away from the camera."""
    size = max(setting.texture_scale, 0.2)
    x, z = x + rng.uniform(0, 10), z + rng.uniform(0, 10)
    tone = np.ones(np.broadcast_shapes(x.shape, z.shape))
    if setting.kind == "street":
        tone = _street(x - 5, z - 5, across, along, rng)
    if setting.texture == "tiles":
        tone = tone * (1.0 + 0.13 * _square(x, across, 2 * size) * _square(z, along, 2 * size))
    elif setting.texture == "planks":
        width = 0.45 * size
        board = np.sin(np.floor(x / width) * 12.9898) * 437.585 % 1.0 - 0.5
        joint = _line((x / width + 0.5) % 1.0 * width - width / 2, across, 0.035)
        tone = tone * (1.0 + 0.24 * board * _fade(across, width) - 0.3 * joint * _fade(across, width))
    elif setting.texture == "stripes":
        angle = rng.uniform(-0.6, 0.6)
        wave = np.sin((np.cos(angle) * x + np.sin(angle) * z) * (np.pi / size))
        tone = tone * (1.0 + 0.12 * wave * _fade(across + abs(np.sin(angle)) * along, 2 * size))
    if setting.texture == "blotches" or setting.kind == "field":
        strength = 0.16 if setting.texture == "blotches" else 0.08
        tone = tone * (1.0 + strength * soft_noise(x, z, size, rng) * _fade(along, 2.4 * size))
    return tone.astype(np.float32)
