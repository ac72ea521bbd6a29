"""A row again, image and labels, from its provenance alone: no plan, no store and no neighbour is needed.

    again = remake(row["provenance"])       # a row with every column
    print(*row_differences(row, again), sep="\n")

A sample is made in a batch as large as the one that it was made in, in the same place, between copies of itself: what
a model makes of a sample does not hang on the others in the batch, but its last bits hang on how many they are. So on
the same device, with the same number of threads and versions, the bytes are the same. They agree within the tolerance
of other conditions (see `row_differences`) where the batch was another one: a later
attempt at an unusable image, a batch that was halved for lack of memory, and labels of which more is
asked the more neighbours have a property: contrast of prompts that name no class, presence by attention.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from dataset_dm.errors import DataError, ModelError, explain
from dataset_dm.generation.session import Session
from dataset_dm.labels.provenance import KEPT
from dataset_dm.labels.records import Prompt, all_features
from dataset_dm.models.adapters import find_adapter
from dataset_dm.models.annotators import find_annotator, names_of
from dataset_dm.models.generators import find_generator
from dataset_dm.plan.generation_plan import ATTEMPTS, IMAGE_VERSION, LABEL_VERSION, PLAIN, GenerationPlan, in_round
from dataset_dm.prompts import Lines
from dataset_dm.rows.filters import MinScore
from dataset_dm.rows.reader import Rows
from dataset_dm.rows.splice import grid_of
from dataset_dm.training.on_demand import ensure_trained

NEEDED = ("index", "seed", "generator_hash", "annotator", "annotator_hash", "steps", "width", "height", "dtype",
          "prompts", "batch_size", "tasks", "classes", "image_version", "label_version")  # fmt: skip
_REVIEWED, _TRUTH = "reviewed:", "truth"


@dataclass(frozen=True, slots=True, kw_only=True)
class _SamplePlan(GenerationPlan):
    """A plan all of whose samples are the same one."""

    only_seed: int

    def sample_seed(self, split: str, index: int, attempt: int = 0) -> int:
        """The one seed."""
        return self.only_seed

    def prompt(self, split: str, index: int) -> Prompt:
        """The one prompt."""
        return self.prompts.prompt(0, split, 0)


def remake(
    provenance: Mapping[str, Any],
    *,
    generator: str | None = None,
    adapter: str | None = None,
    annotator: str | None = None,
    device: str = "cpu",
) -> dict[str, Any]:
    """The row that a provenance describes, with every column of `records.all_features`; null where nothing was read.

    Args:
        provenance: of the row, as the column has it.
        generator, adapter, annotator: where they are now; None: where the provenance says.
        device: "cpu", "cuda", …

    Raises:
        DataError: something is lacking, as in sets of earlier versions; labels that a person corrected, renders.
        ModelError: the models there are others, or the package draws or reads otherwise than the one that made the row.
    """
    _check(provenance)
    grid = None if provenance.get("splice") is None else grid_of(provenance["splice"])
    tiles = grid[0] * grid[1] if grid else 1
    seeds = provenance["seeds"] if grid else [provenance["seed"]]
    if not len(seeds) == len(provenance["prompts"]) == tiles:
        got = f"{len(seeds)} seeds and {len(provenance['prompts'])} prompts"
        raise DataError(explain("provenance", got=got, expected=f"one of each for the {tiles} samples"))
    models = _models(provenance, generator, adapter, annotator, device)
    first, split = provenance["index"] * tiles, provenance.get("split") or "train"
    images, labels = [], []
    name = in_round(split, provenance.get("attempt", 0) // ATTEMPTS)
    for index, (seed, prompt) in enumerate(zip(seeds, provenance["prompts"], strict=True), start=first):
        plan = _plan(provenance, models, grid, seed, prompt)
        image, label = _sample(plan, name, index, device)
        images.append(image)
        labels.append(label)
    least = provenance.get("min_score")
    rows = Rows(plan, all_features, () if least is None else (MinScore(least),))
    made = rows.table(split, provenance["index"] + 1, pa.concat_tables(images), pa.concat_tables(labels))
    return made.to_pylist()[0]


def _check(provenance: Mapping[str, Any]) -> None:
    if provenance.get("annotator") == _TRUTH:
        raise DataError(explain("row: a render of the miniature world, not drawn by a generator"))
    if str(provenance.get("annotator")).startswith(_REVIEWED):
        what = f"row: its labels were corrected by people ({provenance['annotator']})"
        raise DataError(explain(what, remedy="only its image can be drawn again: leave --labels out"))
    lacking = [name for name in NEEDED if provenance.get(name) is None]
    if lacking:
        remedy = (
            "rows of earlier versions lack it: only their images can be drawn again, generate the set again for more"
        )
        raise DataError(explain(f"provenance: no {', '.join(lacking)}", remedy=remedy))
    here = {"image_version": IMAGE_VERSION, "label_version": LABEL_VERSION}
    for name, version in here.items():
        if provenance[name] != version:
            remedy = "take the release of dataset-dm that made the row, see CHANGELOG.md"
            raise ModelError(explain(f"provenance: {name}", got=provenance[name], expected=str(version), remedy=remedy))


def _plan(
    provenance: Mapping[str, Any],
    models: Mapping[str, Any],
    grid: tuple[int, int] | None,
    seed: int,
    prompt: Mapping[str, Any],
) -> _SamplePlan:
    classes = prompt.get("classes")
    batch = provenance["batch_size"]
    plain = {name: provenance[name] for name in PLAIN if name in KEPT and provenance.get(name) is not None}
    return _SamplePlan(
        **models,
        **{**plain, "seed": 0},
        tasks=tuple(provenance["tasks"]),
        only_seed=seed,
        prompts=Lines((Prompt(prompt["text"], None if classes is None else tuple(classes)),)),
        steps=provenance["steps"],
        guidance=provenance.get("guidance"),
        scheduler=provenance.get("scheduler"),
        size=(provenance["height"], provenance["width"]),
        batch_size=batch,
        shard_size=batch,
        classes=tuple(provenance["classes"]),
        splice=grid,
    )


def _sample(plan: _SamplePlan, name: str, index: int, device: str) -> tuple[pa.Table, pa.Table]:
    """Image row and label row of one sample: the shard of its batch is made, whose samples are all the same."""
    shard, place = divmod(index, plan.batch_size)
    (batch,) = Session(plan, device).batches(name, shard)
    return batch.images.slice(place, 1), batch.labels.slice(place, 1)


def _models(
    provenance: Mapping[str, Any], generator: str | None, adapter: str | None, annotator: str | None, device: str
) -> dict[str, Any]:
    """The fields of a plan that name the models; ModelError where other weights lie."""
    drawn_by = find_generator(generator or _reference(provenance, "generator", "revision"))
    _same(f"generator {drawn_by.name!r}", drawn_by.fingerprint(), provenance["generator_hash"], "--generator")
    adapted_by, named = None, adapter or provenance.get("adapter")
    if provenance.get("adapter_hash") is not None:
        adapted_by = find_adapter(named)
        _same(f"adapter {named!r}", adapted_by.fingerprint(), provenance["adapter_hash"], "--adapter")
    read_by = annotator or _reference(provenance, "annotator", "annotator_revision")
    for name in names_of(read_by):
        ensure_trained(name, device=device)
    found = find_annotator(read_by, drawn_by)
    wanted = provenance["annotator_hash"]
    if not _is_lazy_decoder(found.name, wanted):
        _same(f"annotator {found.name!r}", found.hash, wanted, "--annotator")
    return {
        "generator": drawn_by.name,
        "generator_revision": drawn_by.revision,
        "generator_hash": provenance["generator_hash"],
        "adapter": None if adapted_by is None else adapted_by.reference,
        "adapter_hash": provenance.get("adapter_hash"),
        "annotator": found.name,
        "annotator_revision": found.revision,
        "annotator_hash": wanted,
    }


def _reference(provenance: Mapping[str, Any], name: str, revision: str) -> str:
    return f"{provenance[name]}@{provenance[revision]}" if provenance.get(revision) else provenance[name]


def _is_lazy_decoder(annotator: str, wanted: str) -> bool:
    """Whether it is a decoder trained on demand: its folder is named by the hash, which is that of its recipe."""
    folder = Path(annotator)
    return folder.name == wanted and folder.with_name(f"{wanted}.json").is_file()


def _same(what: str, got: str, wanted: str, option: str) -> None:
    if got != wanted:
        remedy = f"give the place of the right one with {option}"
        raise ModelError(explain(f"{what}: its hash is {got}, the row was made by {wanted}", remedy=remedy))
