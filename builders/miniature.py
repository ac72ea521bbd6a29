"""`dataset_dm/miniature`: renders of the miniature world with exact truth, in the very columns of the generated sets.

It stands in for real labelled data: to train a decoder on, and to measure one against.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar

import datasets
import numpy as np
import pyarrow as pa

from dataset_dm.arguments.declare import argument, checked, with_arguments
from dataset_dm.builders._base import ConfiguredBuilder, Key, SynthConfigBase, configs
from dataset_dm.builders._stream import LANES
from dataset_dm.checks import check_choice, check_int
from dataset_dm.errors import ConfigError, did_you_mean, explain
from dataset_dm.labels.coco import JOINTS
from dataset_dm.labels.images import encode_png
from dataset_dm.labels.instances import Instances
from dataset_dm.labels.provenance import Provenance
from dataset_dm.labels.records import Annotation
from dataset_dm.labels.tasks import DEPTH, INSTANCE, POSE, SEMANTIC, TASKS, TaskSpec
from dataset_dm.labels.vocabulary import VOC_CLASSES
from dataset_dm.miniature import world
from dataset_dm.plan.configs import Recipe
from dataset_dm.plan.resolve import ENDLESS
from dataset_dm.rows.columns import assemble
from dataset_dm.store.label_codec import label_rows
from dataset_dm.store.schema import IMAGE_ROWS

GENERATOR, ANNOTATOR = "miniature_world", "truth"
SIZE = (128, 128)
_SCENES = 16  # a table
_DRAWN = ("index", "seed", "attempt", "prompt", "image", "width", "height")
_MOST = 10**8  # scenes a split of the world has


@dataclass(frozen=True, kw_only=True)
class WorldArguments:
    """Which world is rendered."""

    style: str = argument("day", check=partial(check_choice, options=world.STYLES), part="images")
    # at most what a column of int64 holds
    seed: int = argument(world.WORLD_SEED, check=partial(check_int, minimum=0, maximum=2**63 - 1), part="images")


@dataclass
@with_arguments(of=(WorldArguments,), default=None)
class MiniatureConfig(SynthConfigBase):
    """The arguments of the set: counts, the world's style (day, night, fog, palette), its seed."""

    dataset: ClassVar[str] = "miniature"

    def counts(self) -> dict[str, int | float]:
        """Split → number of scenes; only the world's own splits exist, and no split shows another's scenes."""
        counts = super().counts()
        for split, count in counts.items():
            if split not in world.SPLITS:
                known = ", ".join(world.SPLITS)
                close = did_you_mean(split, world.SPLITS)
                raise ConfigError(f"miniature: unknown split {split!r}; expected one of {known}{close}")
            if count != ENDLESS and count > _MOST:
                raise ConfigError(explain(f"splits[{split!r}]", got=count, expected=f"at most {_MOST} scenes"))
        return counts

    def chosen(self) -> tuple[str, int]:
        """The style and the seed of the world, checked."""
        given = checked(WorldArguments, self.asked(WorldArguments))
        return given["style"], given["seed"]

    def identity(self) -> str:
        """The world's version, its seed and its style."""
        style, seed = self.chosen()
        return f"{world.world_hash()}-{style}-{seed}"


class Miniature(ConfiguredBuilder):
    """Rendered scenes with exact labels; no model is involved, so there is nothing to store."""

    BUILDER_CONFIG_CLASS = MiniatureConfig
    BUILDER_CONFIGS = configs(MiniatureConfig)
    DEFAULT_CONFIG_NAME = BUILDER_CONFIGS[0].name

    def _columns(self, chosen: Recipe) -> dict[str, Any]:
        return chosen.features(VOC_CLASSES)

    def _rows_per_shard(self) -> int:
        return _SCENES

    def _split_generators(self, dl_manager: Any) -> list[datasets.SplitGenerator]:
        counts = self.config.counts()
        shards = {split: LANES if count == ENDLESS else -(-count // _SCENES) for split, count in counts.items()}
        return [
            datasets.SplitGenerator(
                split, gen_kwargs={"shards": list(range(shards[split])), "split": split, "count": count}
            )
            for split, count in counts.items()
        ]

    def _generate_shards(self, shards: list[int], split: str, count: float) -> Iterator[dict[str, Any]]:
        for shard in shards:
            yield {"split": split, "shard": shard}

    def _generate_tables(self, shards: list[int], split: str, count: float) -> Iterator[tuple[Any, pa.Table]]:
        style, seed = self.config.chosen()
        chosen = self.config.recipe()
        plain = self._columns(chosen)
        for position, shard in enumerate(shards):
            start = shard * _SCENES
            indices = range(start, min(start + _SCENES, count))
            scenes = [world.labelled(split, index, style, SIZE, seed) for index in indices]
            found = [truth(rendering, chosen.tasks) for _, rendering in scenes]
            table = assemble(
                plain,
                VOC_CLASSES,
                _image_rows(indices, seed, scenes),
                label_rows(indices, found),
                _provenance(split, style),
            )
            yield Key(position, 0), table


def truth(rendering: world.Rendering, tasks: Sequence[TaskSpec] = tuple(TASKS.values())) -> Annotation:
    """What a render knows of itself, with full confidence: the labels of the tasks, the others None.

    Bodies of which no pixel is seen are left out. The arrays are copies.
    """
    label = np.array(rendering.class_map, dtype=np.uint8)
    depth = np.array(rendering.depth, dtype=np.float32)
    present = np.isin(np.arange(1, len(VOC_CLASSES) + 1), label).astype(np.float32)
    return Annotation(
        confidence=1.0,
        presence=present if SEMANTIC in tasks or INSTANCE in tasks else None,
        label=label if SEMANTIC in tasks else None,
        full=label if SEMANTIC in tasks else None,
        uncertain=0.0 if SEMANTIC in tasks else None,
        objects=_objects(rendering, label, POSE in tasks) if INSTANCE in tasks else None,
        depth=depth if DEPTH in tasks else None,
        depth_confidence=(depth > 0).astype(np.float32) if DEPTH in tasks else None,
    )


def _objects(rendering: world.Rendering, label: np.ndarray, posed: bool) -> Instances:
    bodies = [number for number in np.unique(rendering.instance_map).tolist() if number]
    ids = np.zeros(256, np.int32)
    ids[bodies] = np.arange(1, len(bodies) + 1)
    points = np.zeros((len(bodies), JOINTS, 3), dtype=np.float32)
    for row, number in enumerate(bodies):
        joints = rendering.keypoints[number - 1]
        if joints is not None:
            points[row] = joints
    return Instances(
        map=ids[rendering.instance_map],
        # a pixel's class is that of the body it belongs to
        classes=np.array([label[rendering.instance_map == number][0] for number in bodies], dtype=np.int64),
        scores=np.ones(len(bodies), dtype=np.float32),
        keypoints=points if posed else None,
        keypoint_scores=(points[..., 2] > 0).astype(np.float32) if posed else None,
    )


def _image_rows(indices: range, seed: int, scenes: list[tuple[world.Scene, world.Rendering]]) -> pa.Table:
    """Images, their first captions and their origin, in the columns of a shard of drawn images."""
    height, width = SIZE
    return pa.table(
        {
            "index": list(indices),
            "seed": [seed] * len(indices),
            "attempt": [0] * len(indices),
            "prompt": [scene.captions[0] for scene, _ in scenes],
            "image": [
                {"bytes": encode_png(np.ascontiguousarray(rendering.image)), "path": None} for _, rendering in scenes
            ],
            "width": [width] * len(indices),
            "height": [height] * len(indices),
        },
        schema=pa.schema([IMAGE_ROWS.field(name) for name in _DRAWN]),
    )


def _provenance(split: str, style: str) -> Provenance:
    return Provenance(
        index=0,
        split=split,
        seed=0,
        attempt=0,
        generator=GENERATOR,
        revision=style,
        generator_hash=world.world_hash(),
        adapter=None,
        annotator=ANNOTATOR,
        annotator_revision=None,
        annotator_hash=world.world_hash(),
        steps=0,
        guidance=None,
        scheduler=None,
        width=0,
        height=0,
        dtype="uint8",
    )
