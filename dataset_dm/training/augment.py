"""Changes of a labelled image before the generator sees it; each a pure function of (seed, image, variant)."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from PIL import Image

from dataset_dm.training.data import LabelledImage

VOID = 255


@dataclass(frozen=True, kw_only=True)
class AugmentConfig:
    """How far images are changed; all off is a plain resize."""

    flip: bool = True
    crop: float = 0.5  # smallest side of a random crop against the whole; 1 for no crop
    zoom_out: float = 0.25  # share of variants shown smaller, on a border of void
    colour: float = 0.2  # brightness, contrast and saturation by a factor of 1 ± this
    paste: float = 0.5  # share of variants with objects of another image pasted on (Ghiasi et al., "Copy-Paste")
    hue: bool = True  # now and then swap colour channels: colour says nothing about class


def stream(*words: object) -> np.random.Generator:
    """A random generator that depends on these words alone, the same on every machine."""
    digest = hashlib.sha256(" ".join(map(str, words)).encode()).digest()
    return np.random.Generator(np.random.Philox(int.from_bytes(digest[:16], "big")))


def fit(sample: LabelledImage, size: tuple[int, int]) -> LabelledImage:
    """The whole image at (H, W): bilinear for colours, nearest for labels."""
    if sample.image.shape[:2] == tuple(size):
        return sample
    return replace(sample, image=_resize(sample.image, size), label=_resize(sample.label, size))


def augment(
    sample: LabelledImage,
    size: tuple[int, int],
    config: AugmentConfig,
    rng: np.random.Generator,
    donor: Callable[[int], LabelledImage] | None = None,
    donors: int = 0,
) -> LabelledImage:
    """A changed copy at (H, W).

    Args:
        donor: gives the i-th of ``donors`` images whose objects may be pasted on; None pastes nothing.
    """
    changed = _change(sample, size, config, rng)
    if donor is None or donors < 1 or rng.random() >= config.paste:
        return changed
    other = _change(donor(int(rng.integers(donors))), size, config, rng)
    return _paste(changed, other, rng)


def _change(
    sample: LabelledImage, size: tuple[int, int], config: AugmentConfig, rng: np.random.Generator
) -> LabelledImage:
    image, label = sample.image, sample.label
    if config.flip and rng.random() < 0.5:
        image, label = image[:, ::-1], label[:, ::-1]
    if rng.random() < config.zoom_out:
        image, label = _shrink(image, label, size, rng)
    elif config.crop < 1:
        image, label = _crop(image, label, config.crop, rng)
    image, label = _resize(image, size), _resize(label, size)
    return replace(sample, image=_colour(image, config, rng), label=np.ascontiguousarray(label))


def _paste(onto: LabelledImage, other: LabelledImage, rng: np.random.Generator) -> LabelledImage:
    """The objects of some classes of one image laid over another; its caption no longer says what is shown."""
    present = [int(each) for each in np.unique(other.label) if each not in (0, VOID)]
    chosen = [each for each in present if rng.random() < 0.7]
    if not chosen:
        return onto
    mask = np.isin(other.label, chosen)
    image = np.where(mask[..., None], other.image, onto.image)
    return replace(onto, image=image, label=np.where(mask, other.label, onto.label), caption=None)


def _crop(
    image: np.ndarray, label: np.ndarray, smallest: float, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """A random part, its sides independently between ``smallest`` and 1, at most 4:3 off the image's own shape."""
    share = rng.uniform(smallest, 1)
    ratio = np.exp(rng.uniform(-0.14, 0.14))
    height, width = image.shape[:2]
    tall, wide = (int(round(side * min(1, share * f))) for side, f in ((height, ratio), (width, 1 / ratio)))
    top, left = rng.integers(height - tall + 1), rng.integers(width - wide + 1)
    part = (slice(top, top + tall), slice(left, left + wide))
    return image[part], label[part]


def _shrink(
    image: np.ndarray, label: np.ndarray, size: tuple[int, int], rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """The whole image smaller, its surroundings mirrored (a plain border is nothing a generator draws) and void."""
    share = rng.uniform(0.6, 0.95)
    inner = tuple(max(8, int(round(side * share))) for side in size)
    small, ids = _resize(image, inner), _resize(label, inner)
    room = [side - part for side, part in zip(size, inner, strict=True)]
    top, left = (int(rng.integers(free + 1)) for free in room)
    pad = ((top, room[0] - top), (left, room[1] - left))
    return np.pad(small, (*pad, (0, 0)), mode="symmetric"), np.pad(ids, pad, constant_values=VOID)


def _colour(image: np.ndarray, config: AugmentConfig, rng: np.random.Generator) -> np.ndarray:
    pixels = image.astype(np.float32)
    if config.hue and rng.random() < 0.3:
        pixels = pixels[..., rng.permutation(3)]
    if config.colour:
        light, contrast, saturation = rng.uniform(1 - config.colour, 1 + config.colour, 3)
        grey = pixels.mean(-1, keepdims=True)
        pixels = grey + (pixels - grey) * saturation
        pixels = (pixels - pixels.mean()) * contrast + pixels.mean() * light
    return np.clip(pixels + 0.5, 0, 255).astype(np.uint8)


def _resize(picture: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    if picture.shape[:2] == tuple(size):
        return np.ascontiguousarray(picture)
    how = Image.Resampling.NEAREST if picture.ndim == 2 else Image.Resampling.BILINEAR
    return np.asarray(Image.fromarray(np.ascontiguousarray(picture)).resize((size[1], size[0]), how))
