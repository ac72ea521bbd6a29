"""Stored samples → mosaics: image rows and label rows of N x M consecutive samples become one row each."""

from __future__ import annotations

from typing import Any

import pyarrow as pa

from dataset_dm.labels.images import decode_png, encode_png
from dataset_dm.rows.splice import Mosaic, Part, splice
from dataset_dm.store.label_codec import MOST_OBJECTS, from_row, label_rows
from dataset_dm.store.schema import IMAGE_ROWS, PROMPTS, unusable

_KEPT = ("index", "attempt", "seed", "prompt", "image", "width", "height", "unsafe")
# beyond a sample's row it has the seeds and prompts of its tiles, in reading order
_MOSAIC_ROWS = pa.schema(
    [*(IMAGE_ROWS.field(name) for name in (*_KEPT, "unusable")), ("seeds", pa.list_(pa.int64())), ("prompts", PROMPTS)]
)


def mosaics(images: pa.Table, labels: pa.Table, grid: tuple[int, int]) -> tuple[pa.Table, pa.Table, list[list[str]]]:
    """(image rows, label rows, reasons of lost objects) of mosaics.

    Args:
        images, labels: samples in index order, as many as fill whole mosaics; mosaic i is made of the samples
            i * N * M and following.
        grid: N rows and M columns of tiles.

    One unusable tile makes the mosaic unusable. Seed and attempt are those of the first tile, `seeds` has all.
    """
    tiles = grid[0] * grid[1]
    assert images.num_rows % tiles == 0, f"{images.num_rows} samples do not fill mosaics of {tiles}"
    reasons = unusable(images)
    samples = [
        {**row, "unusable": why}
        for row, why in zip(images.select([*_KEPT, "requested"]).to_pylist(), reasons, strict=True)
    ]
    found = labels.to_pylist()
    drawn, numbers, whole, lost = [], [], [], []
    for start in range(0, len(samples), tiles):
        group = samples[start : start + tiles]
        mosaic = splice([_part(*pair) for pair in zip(group, found[start : start + tiles], strict=True)], grid)
        numbers.append(group[0]["index"] // tiles)
        drawn.append(_image_row(numbers[-1], mosaic, group))
        whole.append(mosaic.annotation)
        lost.append([*(one.reason for one in mosaic.lost), *["too_many_objects"] * _beyond_most(mosaic)])
    return pa.Table.from_pylist(drawn, schema=_MOSAIC_ROWS), label_rows(numbers, whole), lost


def _beyond_most(mosaic: Mosaic) -> int:
    """Number of objects beyond the most that a row can store; those of the lowest scores are dropped."""
    objects = mosaic.annotation.objects
    return 0 if objects is None else max(0, len(objects) - MOST_OBJECTS)


def _part(sample: dict[str, Any], found: dict[str, Any]) -> Part:
    image = decode_png(sample["image"]["bytes"])
    return Part(image=image, annotation=from_row(found), prompt=sample["prompt"], index=sample["index"])


def _image_row(number: int, mosaic: Mosaic, group: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        **group[0],
        "index": number,
        "prompt": mosaic.prompt,
        "image": {"bytes": encode_png(mosaic.image), "path": None},
        "unsafe": any(sample["unsafe"] for sample in group),
        "unusable": next((sample["unusable"] for sample in group if sample["unusable"]), None),
        "seeds": [sample["seed"] for sample in group],
        "prompts": [{"text": sample["prompt"], "classes": sample["requested"]} for sample in group],
    }
