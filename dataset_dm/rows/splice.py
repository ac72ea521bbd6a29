"""Mosaics: N x M samples laid into one image of the same size, with every kind of label (DatasetDM, "splicing").

    whole = splice(parts, (2, 2))     # parts in reading order, row after row
    whole.image, whole.annotation, whole.prompt, whole.parts, whole.lost

Deterministic. Class maps, masks and depth are resized to the nearest pixel by one rule, so that they still fit each
other; the image is averaged over areas.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from PIL import Image

from dataset_dm.errors import DataError, explain
from dataset_dm.labels.images import resize_nearest
from dataset_dm.labels.instances import Instances
from dataset_dm.labels.records import Annotation
from dataset_dm.labels.vocabulary import VOID
from dataset_dm.prompts.source import SEPARATOR


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One sample of a mosaic: image uint8 [H W 3], labels, prompt, and its index for the provenance."""

    image: np.ndarray
    annotation: Annotation
    prompt: str
    index: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Lost:
    """An object without a pixel left in its tile: the `number`-th (from 0) of the objects of sample `index`."""

    index: int
    number: int
    reason: str = "mask_too_small"


@dataclass(frozen=True, slots=True, kw_only=True)
class Mosaic:
    """A spliced sample; `parts` are the tiles' indices in reading order, `lost` the objects without a pixel left."""

    image: np.ndarray
    annotation: Annotation
    prompt: str
    parts: tuple[int, ...]
    lost: tuple[Lost, ...]


@dataclass(frozen=True, slots=True)
class Tile:
    """The place of a sample: rows top..bottom and columns left..right (the ends not included) of the image."""

    top: int
    bottom: int
    left: int
    right: int

    @property
    def shape(self) -> tuple[int, int]:
        """(h, w) in pixels."""
        return self.bottom - self.top, self.right - self.left

    @property
    def inside(self) -> tuple[slice, slice]:
        """The tile's rows and columns, for indexing."""
        return slice(self.top, self.bottom), slice(self.left, self.right)


def tiles(size: tuple[int, int], grid: tuple[int, int]) -> list[Tile]:
    """The tiles of an image (H, W) cut into N rows and M columns, in reading order; borders are rounded, none overlap.

    Raises:
        ValueError: fewer than one row or column, or more than there are pixels.

    Example:
        >>> [tile.shape for tile in tiles((4, 5), (1, 2))]
        [(4, 3), (4, 2)]
    """
    for name, parts, pixels in zip(("rows", "columns"), grid, size, strict=True):
        if not 1 <= parts <= pixels:
            raise ValueError(f"splice: got {parts} {name} of tiles, expected 1 to {pixels}, the image's pixels")
    rows, columns = (_borders(pixels, parts) for pixels, parts in zip(size, grid, strict=True))
    return [
        Tile(top, bottom, left, right)
        for top, bottom in zip(rows[:-1], rows[1:], strict=True)
        for left, right in zip(columns[:-1], columns[1:], strict=True)
    ]


def grid_of(written: object) -> tuple[int, int]:
    """Rows and columns of "2x3", as provenance has them; DataError for anything else."""
    sides = written.split("x") if isinstance(written, str) else []
    if len(sides) != 2 or not all(side.isascii() and side.isdecimal() and int(side) for side in sides):
        raise DataError(explain("provenance: splice", got=written, expected="rows x columns such as '2x2'"))
    return int(sides[0]), int(sides[1])


def splice(parts: Sequence[Part], grid: tuple[int, int]) -> Mosaic:
    """One image of the samples' size, N rows of M tiles in reading order, with its labels.

    Masks that lose their last pixel are dropped and listed in `lost`; the others are sorted by descending score and
    still share no pixel. Keypoints scale with pixel centres at .5. Depth keeps its metres. Quality: `confidence` is the
    mean weighted by the tiles' area, `uncertain` the share of 255 in the mosaic, `presence` the maximum of a class,
    `agreement` the mean of the tiles that show it. Prompts are joined by " | ".

    Raises:
        ValueError: not N * M samples, samples of unequal size, or with different kinds of labels.
    """
    if len(parts) != grid[0] * grid[1]:
        raise ValueError(f"splice: got {len(parts)} samples, expected {grid[0]} x {grid[1]}")
    size = parts[0].image.shape[:2]
    for part in parts:
        if part.image.shape[:2] != size:
            raise ValueError(f"splice: sample {part.index} is {part.image.shape[:2]}, the first is {size}; sizes agree")
    places = tiles(size, grid)
    image = np.empty((*size, 3), dtype=np.uint8)
    for part, tile in zip(parts, places, strict=True):
        shrunk = Image.fromarray(part.image).resize(tile.shape[::-1], Image.Resampling.BOX)
        image[tile.inside] = np.asarray(shrunk)
    annotation, lost = _merge(parts, places, size)
    prompt = SEPARATOR.join(part.prompt for part in parts)
    return Mosaic(image=image, annotation=annotation, prompt=prompt, parts=tuple(p.index for p in parts), lost=lost)


def _borders(pixels: int, parts: int) -> list[int]:
    """Begin of each part, and the end: i * pixels / parts, halves rounded up."""
    return [(2 * i * pixels + parts) // (2 * parts) for i in range(parts + 1)]


def _merge(parts: Sequence[Part], places: Sequence[Tile], size: tuple[int, int]) -> tuple[Annotation, tuple[Lost, ...]]:
    """(labels of the whole image, objects without a pixel left)."""

    def whole_map(name: str) -> np.ndarray | None:
        maps = _all_or_none(parts, name)
        if maps is None:
            return None
        whole = np.empty(size, dtype=maps[0].dtype)
        for values, tile in zip(maps, places, strict=True):
            whole[tile.inside] = resize_nearest(values, tile.shape)
        return whole

    parts = _with_depth_confidence(parts)
    label = whole_map("label")
    presence = _all_or_none(parts, "presence")
    objects, lost = _merge_objects(parts, places, size)
    area = [tile.shape[0] * tile.shape[1] for tile in places]
    annotation = Annotation(
        confidence=float(np.average([part.annotation.confidence for part in parts], weights=area)),
        presence=None if presence is None else np.max(presence, axis=0),
        label=label,
        full=whole_map("full"),
        uncertain=None if label is None else float((label == VOID).mean()),
        agreement=_mean_agreement(_all_or_none(parts, "agreement")),
        probability=whole_map("probability"),
        objects=objects,
        depth=whole_map("depth"),
        depth_confidence=whole_map("depth_confidence"),
    )
    return annotation, lost


def _mean_agreement(tiles: Sequence[np.ndarray] | None) -> np.ndarray | None:
    """Mean of a class over the tiles that show it, NaN where none does."""
    if tiles is None:
        return None
    known = ~np.isnan(tiles)
    total, count = np.where(known, tiles, 0).sum(axis=0), known.sum(axis=0)
    return np.divide(total, count, out=np.full(total.shape, np.nan, np.float32), where=count > 0)


def _with_depth_confidence(parts: Sequence[Part]) -> Sequence[Part]:
    """The parts, with a confidence of 0 for unknown depth where others have one: stored rows keep only its mean."""
    if all(part.annotation.depth_confidence is None for part in parts):
        return parts

    def filled(part: Part) -> Part:
        found = part.annotation
        if found.depth_confidence is not None or found.depth is None or (found.depth > 0).any():
            return part
        return replace(part, annotation=replace(found, depth_confidence=np.zeros_like(found.depth)))

    return [filled(part) for part in parts]


def _all_or_none(parts: Sequence[Part], name: str) -> list[np.ndarray] | None:
    """The named label of every sample; None if no sample has it, ValueError if only some have it."""
    values = [getattr(part.annotation, name) for part in parts]
    without = [part.index for part, value in zip(parts, values, strict=True) if value is None]
    if without and len(without) < len(parts):
        raise ValueError(f"splice: sample {without[0]} has no {name}, others have one; splice samples read alike")
    return None if without else values


def _merge_objects(
    parts: Sequence[Part], places: Sequence[Tile], size: tuple[int, int]
) -> tuple[Instances | None, tuple[Lost, ...]]:
    """The objects of all tiles by descending score; on a tie the earlier tile's."""
    found = _all_or_none(parts, "objects")
    if found is None:
        return None, ()
    numbers = np.zeros(size, np.int32)
    lost: list[Lost] = []
    kept: list[int] = []
    before = 0  # objects of the tiles so far
    for part, objects, tile in zip(parts, found, places, strict=True):
        small = resize_nearest(objects.map, tile.shape)
        numbers[tile.inside] = np.where(small > 0, small + before, 0)
        shown = np.isin(np.arange(1, len(objects) + 1), small)
        kept += (before + np.flatnonzero(shown)).tolist()
        lost += [Lost(index=part.index, number=number) for number in np.flatnonzero(~shown).tolist()]
        before += len(objects)

    def joined(name: str, arrays: Sequence[np.ndarray | None]) -> np.ndarray | None:
        # a sample without objects may leave out the arrays of poses
        missing = [array is None for array, objects in zip(arrays, found, strict=True) if len(objects)]
        given = [array for array in arrays if array is not None]
        if given and any(missing):
            raise ValueError(f"splice: objects with and without {name}; splice samples read alike")
        return np.concatenate(given) if given else None

    everything = Instances(
        map=numbers,
        classes=np.concatenate([objects.classes for objects in found]),
        scores=np.concatenate([objects.scores for objects in found]),
        keypoints=joined("keypoints", [_moved(one, tile, size) for one, tile in zip(found, places, strict=True)]),
        keypoint_scores=joined("keypoint_scores", [one.keypoint_scores for one in found]),
    )
    order = np.argsort(-everything.scores[kept], kind="stable")
    return everything.select(np.array(kept, np.int64)[order]), tuple(lost)


def _moved(objects: Instances, tile: Tile, size: tuple[int, int]) -> np.ndarray | None:
    """The keypoints in their tile of an image (H, W); a point that is not in the image stays 0, 0, 0."""
    if objects.keypoints is None:
        return None
    points = objects.keypoints.copy()
    known = points[..., 2] > 0
    scale = np.array([tile.shape[1] / size[1], tile.shape[0] / size[0]], dtype=points.dtype)
    shift = np.array([tile.left, tile.top], dtype=points.dtype)
    points[..., :2] = np.where(known[..., None], points[..., :2] * scale + shift, 0)
    return points
