"""What decides the pixels, frozen: two fingerprints, and for every index its seed and its prompt.

Counts, devices, engines and worker numbers are absent on purpose: they never change a row.
"""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from dataset_dm.arguments.declare import Part, entries, with_arguments
from dataset_dm.arguments.table import SetArguments
from dataset_dm.labels.records import Prompt
from dataset_dm.prompts import source_from_dict
from dataset_dm.prompts.source import PromptSource

# Raised by hand when the same plan draws other pixels, or reads other labels, than before.
IMAGE_VERSION = 1
LABEL_VERSION = 3

# An image that cannot be used is resampled with the next seed, so many times in all: the attempts of one round.
ATTEMPTS = 3

# Arguments that a plan holds as they were checked, whichever are declared: name → default.
PLAIN = {name: entry.default for name, entry in entries(SetArguments).items() if not entry.argument.resolved}
# Fingerprints and stored plans have always had these. Any other is in them where it differs from its default, so that
# a new argument leaves all sets of earlier versions what they were.
_ALWAYS = frozenset(("seed", "dtype"))

# A seed stays below 2**53, so that JSON and JavaScript viewers keep it exact.
_SEED_BITS = 53


@dataclass(frozen=True, kw_only=True)
@with_arguments(*PLAIN, of=(SetArguments,))
class GenerationPlan:
    """A resolved request: every default is filled in, every model is found and hashed.

    Args:
        tasks: names of the TaskSpecs whose labels are read, in the order of `tasks.TASKS`.
        seed, dtype and whatever else `PLAIN` names: as they were checked.
        prompts: gives index → prompt.
        generator: what opens the generator again (known name, absolute path or Hub id).
        generator_revision: commit of a Hub id, else None.
        generator_hash: 16 hex digits over the generator's weights and configs.
        adapter: LoRA file, folder or id; None without.
        adapter_hash: 16 hex digits over the adapter; None without.
        steps, guidance, scheduler: the sampler; guidance None is without; the scheduler's class name.
        size: (H, W) in pixels.
        batch_size: samples drawn together; part of the fingerprint, since it moves the last bits.
        shard_size: indices a shard, a multiple of the batch.
        annotator, annotator_revision, annotator_hash: as for the generator. The name may stand for several that are
            joined, and may carry settings, see `find_annotator`; only a single Hub id has a revision here.
        classes: the names that are labelled, in label order, without background.
        splice: rows and columns of the mosaic that one row of the set is, None for one sample a row. It is laid out of
            stored samples when rows are read, so neither fingerprint covers it.
    """

    tasks: tuple[str, ...]
    prompts: PromptSource
    generator: str
    generator_revision: str | None
    generator_hash: str
    adapter: str | None
    adapter_hash: str | None
    steps: int
    guidance: float | None
    scheduler: str | None
    size: tuple[int, int]
    batch_size: int
    shard_size: int
    annotator: str
    annotator_revision: str | None
    annotator_hash: str
    classes: tuple[str, ...]
    splice: tuple[int, int] | None = None

    @property
    def samples_per_row(self) -> int:
        """How many samples make one row of the set: 1, or the tiles of a mosaic."""
        return 1 if self.splice is None else self.splice[0] * self.splice[1]

    @property
    def batches_per_shard(self) -> int:
        """How many batches fill a shard."""
        return self.shard_size // self.batch_size

    @property
    def generator_reference(self) -> str:
        """`generator` or `generator@revision`."""
        return _reference(self.generator, self.generator_revision)

    @property
    def annotator_reference(self) -> str:
        """`annotator` or `annotator@revision`."""
        return _reference(self.annotator, self.annotator_revision)

    @functools.cached_property
    def image_fingerprint(self) -> str:
        """16 hex digits over all that decides the images. Kept: a source may be a file of 80 000 lines."""
        return _digest(
            {
                "version": IMAGE_VERSION,
                "generator": self.generator_hash,
                "adapter": self.adapter_hash,
                "sampler": [self.steps, self.guidance, self.scheduler],
                "size": self.size,
                "batch": [self.batch_size, self.shard_size],
                "prompts": self.prompts.to_dict(),
                **self.plain("images"),
            }
        )

    @functools.cached_property
    def label_fingerprint(self) -> str:
        """16 hex digits over all that decides the labels, the images included."""
        return _digest(
            {
                "version": LABEL_VERSION,
                "images": self.image_fingerprint,
                "annotator": self.annotator_hash,
                "classes": self.classes,
                "tasks": self.tasks,
                **self.plain("labels"),
            }
        )

    def plain(self, part: Part) -> dict[str, Any]:
        """The arguments of `PLAIN` that decide this part of a set, without those that have their default."""
        declared = entries(SetArguments)
        return {name: getattr(self, name) for name in PLAIN if declared[name].argument.part == part and self._has(name)}

    def row_settings(self) -> dict[str, Any]:
        """What decides how rows are put together of samples; neither fingerprint covers it."""
        return {**({} if self.splice is None else {"splice": list(self.splice)}), **self.plain("rows")}

    def sample_seed(self, split: str, index: int, attempt: int = 0) -> int:
        """The seed of one sample, 0 ≤ seed < 2**53; another attempt resamples the same prompt.

        Of a later round (`in_round`) it is that of the split itself: attempts are numbered through all rounds.
        """
        digest = hashlib.sha256(f"{self.seed}/{round_of(split)[0]}/{index}/{attempt}".encode()).digest()
        return int.from_bytes(digest[:8], "big") >> (64 - _SEED_BITS)

    def prompt(self, split: str, index: int) -> Prompt:
        """The prompt of one sample, in every round the same."""
        return self.prompts.prompt(self.seed, round_of(split)[0], index)

    def shard_indices(self, shard: int) -> range:
        """The indices of one shard, always the full range."""
        return range(shard * self.shard_size, (shard + 1) * self.shard_size)

    def shards(self, count: int) -> range:
        """The shards that hold the samples of the first `count` rows."""
        return range(-(-count * self.samples_per_row // self.shard_size))

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready, for workers and manifests."""
        plain = {one.name: getattr(self, one.name) for one in fields(self) if self._has(one.name)}
        plain.update(prompts=self.prompts.to_dict(), size=list(self.size))
        plain.update(tasks=list(self.tasks), classes=list(self.classes))
        plain.update(splice=None if self.splice is None else list(self.splice))
        return plain

    def _has(self, name: str) -> bool:
        """False for an argument of `PLAIN` that versions before it do not know and that has its default."""
        return name not in PLAIN or name in _ALWAYS or getattr(self, name) != PLAIN[name]


def in_round(split: str, number: int) -> str:
    """Under which name a later round of a split is stored, such as "train.1"; round 0 is the split itself.

    A round is all samples of the split with their next ATTEMPTS attempts, in whole shards like the split: what is in it
    depends on the plan alone, and never on what a filter made of the rounds before.
    """
    return f"{split}.{number}" if number else split


def round_of(name: str) -> tuple[str, int]:
    """The inverse of `in_round`; no split has a dot in its name.

    >>> round_of("train.2")
    ('train', 2)
    """
    split, _, number = name.partition(".")
    return split, int(number or 0)


def _reference(name: str, revision: str | None) -> str:
    return name if revision is None else f"{name}@{revision}"


def _digest(parts: dict[str, Any]) -> str:
    text = json.dumps(parts, sort_keys=True, ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def plan_from_dict(plain: Mapping[str, Any]) -> GenerationPlan:
    """The inverse of `GenerationPlan.to_dict`; nothing is looked up again."""
    height, width = plain["size"]
    rows_columns = plain["splice"]
    read = {
        "prompts": source_from_dict(plain["prompts"]),
        "size": (height, width),
        "tasks": tuple(plain["tasks"]),
        "classes": tuple(plain["classes"]),
        "splice": None if rows_columns is None else (rows_columns[0], rows_columns[1]),
    }
    return GenerationPlan(**{**plain, **read})
