"""Corrections of exported files, and checks of the rows that they become."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from dataset_dm.exports import Imported
from dataset_dm.labels import rle
from dataset_dm.labels.images import decode_png
from dataset_dm.visualization.overlay import colour_label

Review = Callable[..., tuple[Imported, list[dict[str, Any]]]]


def changed(done: Imported) -> dict[str, int]:
    return {name: number for name, number in done.counts.items() if number}


def of_json(file: str, edit: Callable[[Any], None]) -> Callable[[Path], None]:
    def correct(folder: Path) -> None:
        content = json.loads((folder / file).read_text())
        edit(content)
        (folder / file).write_text(json.dumps(content))

    return correct


def lines_of(name: str, edit: Callable[[list[str]], list[str]]) -> Callable[[Path], None]:
    def correct(folder: Path) -> None:
        file = folder / "labels" / "train" / f"{name}.txt"
        file.write_text("\n".join(edit(file.read_text().splitlines())))

    return correct


def painted(folder: Path, file: str, edit: Callable[[np.ndarray], None]) -> None:
    pixels = np.array(Image.open(folder / file))
    edit(pixels)
    (colour_label(pixels) if "Segmentation" in file else Image.fromarray(pixels)).save(folder / file)


def consistent(row: dict[str, Any]) -> None:
    """Boxes, areas and the coloured image follow the masks; objects are sorted by score."""
    objects, image = row["objects"], decode_png(row["annotation"]["bytes"])
    assert objects["score"] == sorted(objects["score"], reverse=True)
    assert len(set(objects["id"])) == len(objects["id"])
    for i, form in enumerate(objects["segmentation"]):
        mask = rle.decode(form)
        assert objects["area"][i] == mask.sum()
        np.testing.assert_array_equal(image[..., 1] == i + 1, mask)
        assert set(image[mask][:, 0].tolist()) <= {objects["category"][i] + 1}
