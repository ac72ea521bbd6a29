"""Changes of a labelled image before the generator sees it; each a pure function of (seed, image, variant)."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from dataset_dm.labels.instances import IGNORED, Instances
from dataset_dm.labels.vocabulary import MOST_IDS, VOID
from dataset_dm.readers.labelled import LabelledImage
from dataset_dm.training.crop import View, full_view


@dataclass(frozen=True, kw_only=True)
class AugmentConfig:
    """How far images are changed; all off is a plain resize."""

    flip: bool = True
    whole: float = 0.4  # share of variants that show exactly the complete image
    crop: float = 0.5  # smallest side of a random crop against the whole; 1 for no crop
    zoom_out: float = 0.25  # share of the other variants that are shown smaller, on a border of void
    colour: float = 0.2  # brightness, contrast and saturation by a factor of 1 ± this
    paste: float = 0.5  # share of variants with objects of another image pasted on (Ghiasi et al., "Copy-Paste")
    people: float = 0.5  # share of those whose donor shows people, where few images do: poses need many surroundings
    hue: bool = True  # now and then swap colour channels: colour says nothing about class


def stream(*words: object) -> np.random.Generator:
    """A random generator that depends on these words alone, the same on every machine."""
    digest = hashlib.sha256(" ".join(map(str, words)).encode()).digest()
    return np.random.Generator(np.random.Philox(int.from_bytes(digest[:16], "big")))


def fit(sample: LabelledImage, size: tuple[int, int]) -> LabelledImage:
    """The whole image at (H, W): bilinear for colours, nearest for labels."""
    return full_view(sample.image.shape[:2], size).apply(sample)


def augment(
    sample: LabelledImage,
    size: tuple[int, int],
    config: AugmentConfig,
    rng: np.random.Generator,
    donor: Callable[[int], LabelledImage] | None = None,
    donors: Sequence[int] = (),
) -> LabelledImage:
    """A changed copy at (H, W).

    Args:
        donor: gives an image by its number; the objects of one of ``donors`` may be pasted on. None pastes nothing.
    """
    changed = _change(sample, size, config, rng)
    if donor is None or not len(donors) or rng.random() >= config.paste:
        return changed
    other = _change(donor(donors[int(rng.integers(len(donors)))]), size, config, rng)
    return paste(changed, other, rng)


def _change(
    sample: LabelledImage, size: tuple[int, int], config: AugmentConfig, rng: np.random.Generator
) -> LabelledImage:
    flip = bool(config.flip and rng.random() < 0.5)
    image_size = sample.image.shape[:2]
    if rng.random() < config.whole:
        window = (0, 0, *image_size)
    elif rng.random() < config.zoom_out:
        window = _wider(image_size, rng)
    else:
        window = _crop(image_size, config.crop, rng) if config.crop < 1 else (0, 0, *image_size)
    view = View(tuple(size), window, flip).apply(sample)
    return replace(view, image=_colour(view.image, config, rng))


def _crop(image_size: tuple[int, int], smallest: float, rng: np.random.Generator) -> tuple[int, int, int, int]:
    """A random part: a share of both sides from ``smallest`` to 1, its shape at most 4:3 off the image's own."""
    share = rng.uniform(smallest, 1)
    ratio = np.exp(rng.uniform(-0.14, 0.14))
    height, width = image_size
    tall, wide = (int(round(side * min(1, share * f))) for side, f in ((height, ratio), (width, 1 / ratio)))
    return int(rng.integers(height - tall + 1)), int(rng.integers(width - wide + 1)), tall, wide


def _wider(image_size: tuple[int, int], rng: np.random.Generator) -> tuple[int, int, int, int]:
    """The whole image with some of its surroundings, so that it is shown smaller."""
    share = rng.uniform(0.6, 0.95)
    sides = [int(round(side / share)) for side in image_size]
    top, left = (-int(rng.integers(wide - side + 1)) for wide, side in zip(sides, image_size, strict=True))
    return top, left, *sides


def paste(onto: LabelledImage, other: LabelledImage, rng: np.random.Generator) -> LabelledImage:
    """Some objects of one image laid over another; its caption no longer says what is shown.

    Both have the same size and the same kinds of labels. The depth of what is pasted is not trained on: it belongs to
    another scene.
    """
    if other.label is None and other.instances is None:  # depth alone: what an object is is not known
        return onto
    mask, chosen = _chosen(other, rng)
    if not mask.any():
        return onto
    return replace(
        onto,
        image=np.where(mask[..., None], other.image, onto.image),
        label=None if onto.label is None else np.where(mask, other.label, onto.label),
        instances=None if onto.instances is None else _merge(onto.instances, other.instances, mask, chosen),
        depth=None if onto.depth is None else np.where(mask, np.float32(np.nan), onto.depth),
        caption=None,
    )


def _chosen(other: LabelledImage, rng: np.random.Generator) -> tuple[np.ndarray, list[int]]:
    """Where the objects lie that are pasted, and their numbers: instances where they are known, else whole classes."""
    numbers = other.label if other.instances is None else other.instances.map
    present = [int(each) for each in np.unique(numbers) if each not in (0, VOID, IGNORED)]
    chosen = [each for each in present if rng.random() < 0.7]
    return np.isin(numbers, chosen), chosen


def _merge(onto: Instances, other: Instances, mask: np.ndarray, chosen: list[int]) -> Instances:
    """Instances of `onto`, then those of `other` with these numbers, which have the pixels of the mask."""
    rows = np.array(chosen, np.int64)[: MOST_IDS - len(onto)] - 1
    pasted = other.select(rows, rest=IGNORED)
    numbers = np.where(pasted.map > 0, pasted.map + len(onto), pasted.map)
    points = None
    if onto.keypoints is not None and pasted.keypoints is not None:
        points = np.concatenate([_covered(onto.keypoints, mask), pasted.keypoints])
    classes = np.concatenate([onto.classes, pasted.classes])
    return Instances(map=np.where(mask, numbers, onto.map), classes=classes, keypoints=points)


def _covered(points: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Keypoints [n 17 3] of which those under the mask [H W] are hidden now."""
    if not len(points):
        return points
    rows = np.clip(points[..., 1].astype(int), 0, mask.shape[0] - 1)
    columns = np.clip(points[..., 0].astype(int), 0, mask.shape[1] - 1)
    hidden = mask[rows, columns] & (points[..., 2] == 2)
    changed = points.copy()
    changed[..., 2] = np.where(hidden, np.float32(1), points[..., 2])
    return changed


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
