"""`dataset_dm/miniature`: renders of the miniature world with exact truth, in the very columns of voc_synth.

It stands in for real labelled data: to train a decoder on, and to measure one against.
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import datasets
import numpy as np
import pyarrow as pa

from dataset_dm.builders._base import ConfiguredBuilder, Key, SynthConfigBase, configs
from dataset_dm.catalogue import Recipe
from dataset_dm.errors import ConfigError, did_you_mean, explain
from dataset_dm.miniature import world
from dataset_dm.png import encode_png
from dataset_dm.records import Provenance, Quality, Sample, arrow_schema, to_row
from dataset_dm.request import whole

GENERATOR, ANNOTATOR = "miniature_world", "truth"
SIZE = (128, 128)
_SCENES = 16  # a table
_MOST = 10**8  # scenes a split of the world has


@dataclass
class MiniatureConfig(SynthConfigBase):
    """What may be asked for: counts, the world's style (day, night, fog, palette), its seed."""

    style: Any = None
    seed: Any = None

    dataset: ClassVar[str] = "miniature"

    def counts(self) -> dict[str, int]:
        """Split → number of scenes; only the world's own splits exist, and no split shows another's scenes."""
        counts = super().counts()
        for split, count in counts.items():
            if split not in world.SPLITS:
                known = ", ".join(world.SPLITS)
                close = did_you_mean(split, world.SPLITS)
                raise ConfigError(f"miniature: unknown split {split!r}; expected one of {known}{close}")
            if count > _MOST:
                raise ConfigError(explain(f"splits[{split!r}]", got=count, expected=f"at most {_MOST} scenes"))
        return counts

    def chosen_style(self) -> str:
        """The checked style."""
        style = "day" if self.style is None else self.style
        if style not in world.STYLES:
            known = ", ".join(world.STYLES)
            raise ConfigError(explain("style", got=style, expected=known) + did_you_mean(str(style), world.STYLES))
        return style

    def chosen_seed(self) -> int:
        """The checked seed of the world."""
        return world.WORLD_SEED if self.seed is None else whole("seed", self.seed, 0)

    def identity(self) -> str:
        """The world's code, its seed and its style."""
        return f"{world_hash()}-{self.chosen_style()}-{self.chosen_seed()}"


class Miniature(ConfiguredBuilder):
    """Rendered scenes with exact class masks; no model is involved, so there is nothing to store."""

    BUILDER_CONFIG_CLASS = MiniatureConfig
    BUILDER_CONFIGS = configs(MiniatureConfig)
    DEFAULT_CONFIG_NAME = BUILDER_CONFIGS[0].name

    def _columns(self, chosen: Recipe) -> dict[str, Any]:
        return chosen.features(world.VOC_CLASSES)

    def _split_generators(self, dl_manager: Any) -> list[datasets.SplitGenerator]:
        return [
            datasets.SplitGenerator(
                split, gen_kwargs={"starts": list(range(0, count, _SCENES)), "split": split, "count": count}
            )
            for split, count in self.config.counts().items()
        ]

    def _generate_shards(self, starts: list[int], split: str, count: int) -> Iterator[dict[str, Any]]:
        for start in starts:
            yield {"split": split, "start": start}

    def _generate_tables(self, starts: list[int], split: str, count: int) -> Iterator[tuple[Any, pa.Table]]:
        schema = arrow_schema(self._columns(self.config.recipe()))
        ids = {name: number for number, name in enumerate(world.VOC_CLASSES, start=1)}
        style, seed = self.config.chosen_style(), self.config.chosen_seed()
        for position, start in enumerate(starts):
            rows = [
                to_row(render_sample(split, index, style, seed), ids)
                for index in range(start, min(start + _SCENES, count))
            ]
            yield Key(position, 0), pa.Table.from_pylist(rows, schema=schema)


def render_sample(split: str, index: int, style: str = "day", seed: int = world.WORLD_SEED) -> Sample:
    """Scene `index` of a split as a finished row: the picture, its exact class map, its first caption."""
    scene, rendering = world.labelled(split, index, style, SIZE, seed)
    label = np.ascontiguousarray(rendering.class_map, dtype=np.uint8)
    shown = set(np.unique(label).tolist()) - {0}
    classes = tuple(name for number, name in enumerate(world.VOC_CLASSES, start=1) if number in shown)
    presence = tuple(float(number in shown) for number in range(1, len(world.VOC_CLASSES) + 1))
    height, width = label.shape
    provenance = Provenance(
        index=index,
        split=split,
        seed=seed,
        attempt=0,
        generator=GENERATOR,
        revision=style,
        generator_hash=world_hash(),
        adapter=None,
        annotator=ANNOTATOR,
        annotator_revision=None,
        annotator_hash=world_hash(),
        steps=0,
        guidance=None,
        scheduler=None,
        width=width,
        height=height,
        dtype="uint8",
    )
    image = encode_png(np.ascontiguousarray(rendering.image))
    quality = Quality(confidence=1.0, uncertain=0.0, presence=presence)
    return Sample(image, encode_png(label), classes, scene.captions[0], quality, provenance)


@functools.cache
def world_hash() -> str:
    """16 hex digits over the world's source: other code may render other scenes."""
    folder = Path(world.__file__).parent
    digest = hashlib.sha256()
    for source in sorted(folder.rglob("*.py")):
        digest.update(source.relative_to(folder).as_posix().encode() + b"\0" + source.read_bytes())
    return digest.hexdigest()[:16]
