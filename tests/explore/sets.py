"""Five images of one grey with labels made by hand, and the same images by a second annotator."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa

from dataset_dm.explore.images import Look, draw_sample
from dataset_dm.explore.index import Wanted
from dataset_dm.explore.view import Explorer, Request
from dataset_dm.labels.images import encode_png
from dataset_dm.labels.instances import Instances
from dataset_dm.labels.provenance import Provenance
from dataset_dm.labels.records import Annotation, all_features, arrow_schema
from dataset_dm.rows.columns import assemble
from dataset_dm.store.label_codec import label_rows
from dataset_dm.store.output_folder import OutFolder
from dataset_dm.store.schema import IMAGE_ROWS

HEIGHT, WIDTH, GREY = 12, 16, 100
CLASSES = ("cat", "dog", "person")
PROMPTS = ("a cat", "a cat by a Dog", "an <b>empty</b> room", "a person", "a dog")
CONFIDENCE = (0.9, 0.5, 0.7, 0.3, 0.6)
# row → (class id, rows, columns, score) of its objects
OBJECTS = {
    0: [(1, slice(2, 8), slice(4, 12), 0.9)],
    1: [(1, slice(2, 8), slice(0, 6), 0.6), (2, slice(2, 8), slice(8, 16), 0.4)],
    2: [],
    3: [(3, slice(0, 12), slice(4, 8), 0.8)],
    4: [(2, slice(6, 10), slice(6, 10), 0.7)],
}
PROVENANCE = Provenance(
    index=0, split="train", seed=0, attempt=0, generator="g", revision=None, generator_hash="0", adapter=None,
    annotator="first", annotator_revision=None, annotator_hash="1", steps=1, guidance=None, scheduler=None,
    width=WIDTH, height=HEIGHT, dtype="float32",
)  # fmt: skip


def annotation(row: int, without: int = 0) -> Annotation:
    """The labels of a row, less the objects of class `without`; depth is 2 m in the left half, 4 m in the right."""
    instances = [one for one in OBJECTS[row] if one[0] != without]
    masks = np.zeros((len(instances), HEIGHT, WIDTH), bool)
    label = np.zeros((HEIGHT, WIDTH), np.uint8)
    for number, (class_id, rows, columns, _) in enumerate(instances):
        masks[number, rows, columns] = True
        label[rows, columns] = class_id
    joints = np.zeros((len(instances), 17, 3), np.float32)
    if row == 3:
        joints[0, 5], joints[0, 6] = (7.5, 3.5, 2), (4.5, 3.5, 2)  # the shoulders
    objects = Instances.from_masks(
        masks,
        np.array([one[0] for one in instances], np.int64),
        np.array([one[3] for one in instances], np.float32),
        joints,
        (joints[..., 2] > 0).astype(np.float32),
    )
    depth = np.where(np.arange(WIDTH) < WIDTH // 2, 2, 4) * np.ones((HEIGHT, 1), np.float32)
    return Annotation(confidence=CONFIDENCE[row], presence=np.array([0.9, 0.01, 0.2], np.float32), label=label,
                      full=label, uncertain=0.0, objects=objects, depth=depth.astype(np.float32),
                      depth_confidence=np.ones_like(label, np.float32))  # fmt: skip


def write(folder: Path, *, rows: tuple[int, ...] = (0, 1, 2, 3, 4), annotator: str = "first", without: int = 0) -> Path:
    """The set as `generate --out` lays it out; row i has index 10 + i."""
    plain, indices = all_features(CLASSES), [10 + row for row in rows]
    images = [
        {
            "index": index,
            "attempt": 0,
            "seed": 7 * index,
            "prompt": PROMPTS[row],
            "image": {"bytes": encode_png(np.full((HEIGHT, WIDTH, 3), GREY, np.uint8)), "path": None},
            "width": WIDTH,
            "height": HEIGHT,
        }
        for row, index in zip(rows, indices, strict=True)
    ]
    schema = pa.schema([IMAGE_ROWS.field(name) for name in images[0]])
    found = label_rows(indices, [annotation(row, without) for row in rows])
    made = replace(PROVENANCE, annotator=annotator)
    table = assemble(plain, CLASSES, pa.Table.from_pylist(images, schema=schema), found, made)
    with OutFolder(folder, {"dataset": "hand", "config": "all", "labels": annotator}) as out:
        out.write_split("train", [table], arrow_schema(plain))
        drops = {"format": 1, "configs": {"all": {"samples": {"low_confidence": 2}, "objects": {}}}}
        (out.partial / "drops.json").write_text(json.dumps(drops), encoding="utf-8")
        out.publish()
    return folder


SIDE = 64  # panels are enlarged fourfold


def drawn(
    explorer: Explorer, place: int, panels: tuple[str, ...], lines: tuple[str, ...] = ()
) -> dict[str, np.ndarray]:
    """Title → image of a row's panels."""
    look = Look(panels=panels, lines=lines, side=SIDE)
    asked = Request(split="train", wanted=Wanted(), look=look)
    labelled = explorer._read(asked, np.array([place]))[0]
    names = dict.fromkeys(("", "A", "B"), explorer.one.class_names)
    rows = {mark: row for mark, (_, row) in labelled.items()}
    return {title: np.asarray(image) for title, image in draw_sample(rows, look, names, None)}
