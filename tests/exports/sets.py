"""A small set made by hand, as `generate` writes it: holes, loose parts, void, an empty image, people cut off."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from dataset_dm.exports.open_dataset import open_source
from dataset_dm.exports.sample import Sample
from dataset_dm.labels.images import encode_png
from dataset_dm.labels.instances import Instances
from dataset_dm.labels.provenance import Provenance
from dataset_dm.labels.records import Annotation, all_features, arrow_schema, semantic_features
from dataset_dm.labels.vocabulary import VOID
from dataset_dm.rows.columns import assemble
from dataset_dm.store.label_codec import label_rows
from dataset_dm.store.output_folder import OutFolder
from dataset_dm.store.schema import IMAGE_ROWS

HEIGHT, WIDTH = 20, 24
CLASSES = ("cat", "dog", "person")
INDICES = {"train": (16, 18, 19), "validation": (0,)}  # a filter left 17 out
FIRST, EMPTY, LAST = "train_000000_000016", "train_000000_000018", "train_000000_000019"
PROVENANCE = Provenance(
    index=0, split="train", seed=0, attempt=0, generator="g", revision=None, generator_hash="0", adapter=None,
    annotator="tester", annotator_revision=None, annotator_hash="1", steps=1, guidance=None, scheduler=None,
    width=WIDTH, height=HEIGHT, dtype="float32",
)  # fmt: skip


def full() -> Annotation:
    """A dog in two parts with a hole, a person whose left wrist is hidden and whose feet are cut off, a cat of one
    pixel's width that touches the dog's corner; void around the person, and void on the dog."""
    masks = np.zeros((3, HEIGHT, WIDTH), bool)
    masks[0, 1:8, 2:10] = True
    masks[0, 3:6, 4:7] = False  # the hole
    masks[0, 4, 5] = True  # an island in the hole
    masks[0, 12:14, 1:3] = True  # the other part
    masks[1, 6:20, 14:20] = True
    masks[1, 8, 14] = False
    masks[2, 8:11, 10] = True
    joints = np.zeros((3, 17, 3), np.float32)
    joints[1, :11, 0] = np.linspace(14.5, 19.25, 11)
    joints[1, :11, 1] = np.linspace(6.125, 17.7, 11)
    joints[1, :11, 2] = 2
    joints[1, 9, 2] = 1
    scores_of_points = np.zeros((3, 17), np.float32)
    scores_of_points[1, :11] = np.linspace(0.3, 0.9, 11)
    objects = Instances.from_masks(
        masks, np.array([2, 3, 1]), np.array([0.875, 0.5, 0.3], np.float32), joints, scores_of_points
    )
    return _annotation(objects, [(slice(6, 20), 13), (slice(1, 3), slice(2, 4))])


def empty() -> Annotation:
    """No object and no void pixel."""
    return _annotation(_objects([], [], []), [])


def two_people() -> Annotation:
    """Two people side by side, the left one without any joint in the image; the whole upper row is void."""
    masks = np.zeros((2, HEIGHT, WIDTH), bool)
    masks[0, 2:18, 0:5] = True
    masks[1, 2:18, 5:11] = True
    joints = np.zeros((2, 17, 3), np.float32)
    joints[1, 5:9] = (8.5, 9.5, 2)
    return _annotation(_objects(masks, [3, 3], [0.9, 0.8], joints), [(0, slice(0, WIDTH))])


def _objects(masks: Any, classes: list[int], scores: list[float], joints: Any = None) -> Instances:
    count = len(classes)
    joints = np.zeros((count, 17, 3), np.float32) if joints is None else joints
    scores_of_points = np.where(joints[..., 2] > 0, np.float32(0.75), np.float32(0))
    masks = np.asarray(masks, bool).reshape(count, HEIGHT, WIDTH)
    return Instances.from_masks(
        masks, np.array(classes, np.int64), np.array(scores, np.float32), joints, scores_of_points
    )


def _annotation(objects: Instances, void: list[Any]) -> Annotation:
    label = np.zeros((HEIGHT, WIDTH), np.uint8)
    for mask, class_id in zip(objects.masks, objects.classes, strict=True):
        label[mask] = class_id
    whole = label.copy()
    for place in void:
        label[place] = VOID
    depth = np.full((HEIGHT, WIDTH), 2.5, np.float32)
    presence = np.array([1, 1, 1], np.float32)
    uncertain = float((label == VOID).mean())
    return Annotation(confidence=0.75, presence=presence, label=label, full=whole, uncertain=uncertain,
                      objects=objects, depth=depth, depth_confidence=np.ones_like(depth))  # fmt: skip


FOUND = {"train": (full(), empty(), two_people()), "validation": (full(),)}


def write_set(folder: Path, *, features: Any = all_features, without: tuple[str, ...] = ()) -> Path:
    """The set in a folder, as `generate --out` lays it out; `without` columns are left out."""
    plain = {name: feature for name, feature in features(CLASSES).items() if name not in without}
    with OutFolder(folder, {"dataset": "hand", "config": "all", "labels": "0"}) as out:
        for split, indices in INDICES.items():
            table = assemble(
                features(CLASSES), CLASSES, _images(indices), label_rows(indices, FOUND[split]), PROVENANCE
            )
            out.write_split(split, [table.select(list(plain)).cast(arrow_schema(plain))], arrow_schema(plain))
        out.publish()
    return folder


def write_semantic(folder: Path) -> Path:
    """Class maps alone."""
    return write_set(folder, features=semantic_features)


def _images(indices: tuple[int, ...]) -> pa.Table:
    noise = np.random.default_rng(0).integers(0, 255, (HEIGHT, WIDTH, 3)).astype(np.uint8)
    names = ("index", "attempt", "seed", "prompt", "image", "width", "height", "unsafe")
    rows = [
        dict(zip(names, (i, 0, i, f"prompt {i}", {"bytes": encode_png(noise + i), "path": None}, WIDTH, HEIGHT, False),
                 strict=True))
        for i in indices
    ]  # fmt: skip
    return pa.Table.from_pylist(rows, schema=pa.schema([IMAGE_ROWS.field(name) for name in names]))


def rows_of(folder: Path) -> dict[str, list[dict[str, Any]]]:
    """Split → the rows of a folder, images as bytes."""
    return {
        each.name: [row for file in sorted(each.glob("*.parquet")) for row in pq.read_table(file).to_pylist()]
        for each in sorted(folder.iterdir())
        if each.is_dir()
    }


def submitted(folder: Path, format: str) -> Path:
    """The folder after a person opened every task and submitted what was there, where the format asks for that."""
    if format == "label-studio":
        file = folder / "tasks.json"
        tasks = json.loads(file.read_text(encoding="utf-8"))
        for task in tasks:
            task["annotations"] = [{"result": one["result"]} for one in task.pop("predictions")]
        file.write_text(json.dumps(tasks), encoding="utf-8")
    return folder


def unreviewed(rows: dict[str, list[dict[str, Any]]]) -> dict[str, list[dict[str, Any]]]:
    """The rows with the annotator that they had before their last review."""
    for row in (row for split in rows.values() for row in split):
        row["provenance"]["annotator"] = row["provenance"]["annotator"].split(":", 2)[-1]
    return rows


def samples(folder: Path) -> list[Sample]:
    source = open_source(str(folder))
    return [sample for split in source.splits for _, sample in source.rows(split)]
