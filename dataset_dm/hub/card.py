"""The dataset card: a README.md from which plain `load_dataset(folder)` reads splits, features and configs.

>>> write_card(folder, CardFacts(name="voc_synth", config="semantic", command="dataset-dm generate voc_synth …"))
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dataset_dm.cards.licences import conditions
from dataset_dm.cards.markdown import code, escape, plain
from dataset_dm.cards.private import public
from dataset_dm.cards.sections import seal
from dataset_dm.errors import DataError, explain
from dataset_dm.hub import layout
from dataset_dm.hub.card_facts import CardFacts, write_facts
from dataset_dm.hub.card_yaml import default_config, head, rows_of, size_category
from dataset_dm.hub.columns import MEANINGS, column_type, tasks_of
from dataset_dm.hub.measured import quality_of
from dataset_dm.hub.statistics import id_names, statistics
from dataset_dm.store.output_folder import find_splits

if TYPE_CHECKING:
    from datasets import DatasetInfo

__all__ = ["SetPart", "id2label", "read_part", "render", "size_category", "write_card"]

PREVIEW = "preview.png"


@dataclass(frozen=True, kw_only=True)
class SetPart:
    """One config of a card.

    Args:
        facts: how it was made.
        info: its features and split sizes.
        splits: split → its local parquet files.
        patterns: split → glob pattern of its files, relative to the card.
        counted: see :func:`dataset_dm.hub.statistics.statistics`.
        preview: path of the sample sheet, relative to the card, or None.
    """

    facts: CardFacts
    info: DatasetInfo
    splits: Mapping[str, Sequence[Path]]
    patterns: Mapping[str, str]
    counted: Mapping[str, Any]
    preview: str | None

    def head(self) -> dict[str, Any]:
        """The YAML head of a card with this config alone."""
        facts, reviewed = self.facts, bool(self.counted["reviewed"])
        return head(facts.name, facts.config, self.info, self.patterns, license=facts.license, reviewed=reviewed)


def write_card(folder: Path | str, facts: CardFacts) -> Path:
    """Write README.md, plan.json, drops.json (and id2label.json where there are classes) beside the split folders.

    Args:
        folder: has one sub-folder of parquet files for each split; a `preview.png` beside them is shown on the card.

    Returns:
        The README's path.

    Raises:
        DataError: no split folder with parquet files.
    """
    folder = Path(folder)
    splits = find_splits(folder)
    if not splits:
        raise DataError(explain(f"card: no split in {folder}", expected="folders like train/ with .parquet files"))
    preview = PREVIEW if (folder / PREVIEW).is_file() else None
    part = read_part(facts, splits, {name: f"{name}/*.parquet" for name in splits}, preview)
    path = folder / "README.md"
    path.write_text(render([part], part.head()), encoding="utf-8")
    write_facts(folder, facts)
    if facts.classes:
        (folder / "id2label.json").write_bytes(id2label(facts.classes))
    return path


def id2label(classes: Sequence[str]) -> bytes:
    """The JSON file that example scripts of transformers download from a dataset repository."""
    return (json.dumps({str(i): name for i, name in enumerate(classes)}, indent=2, ensure_ascii=False) + "\n").encode()


def read_part(
    facts: CardFacts, splits: Mapping[str, Sequence[Path]], patterns: Mapping[str, str], preview: str | None
) -> SetPart:
    """Read features, sizes and statistics from the parquet files."""
    info = layout.describe(splits)
    counted = statistics(splits, id_names(info, facts.classes))
    return SetPart(facts=facts, info=info, splits=splits, patterns=patterns, counted=counted, preview=preview)


def render(parts: Sequence[SetPart], yaml_head: Mapping[str, Any], repo: str | None = None) -> str:
    """A card: YAML head and sealed parts.

    Args:
        parts: the configs that are described.
        yaml_head: the head; it may list further configs.
        repo: the set's id on the Hub; None for a folder.
    """
    from huggingface_hub import DatasetCard, DatasetCardData

    rows = rows_of(yaml_head)
    first = parts[0].facts
    columns = {name for part in parts for name in part.info.features}
    default = default_config(yaml_head)
    generators = dict.fromkeys(conditions(part.facts.settings.get("generator")) for part in parts)
    template = resources.files("dataset_dm.cards").joinpath("dataset.md.jinja").read_text(encoding="utf-8")
    card = DatasetCard.from_template(
        DatasetCardData(**yaml_head),
        template_str=template,
        title=escape(f"{first.name} ({first.config})" if len(rows) == 1 else first.name),
        total=f"{sum(sum(splits.values()) for splits in rows.values()):,}",
        repo=repo,
        loads=[(name, name != default, next(iter(splits), None)) for name, splits in rows.items()],
        license=yaml_head.get("license"),
        conditions=list(generators),
        has=columns,
        reviewed=any(part.counted["reviewed"] for part in parts),
        has_classes=any(part.facts.classes for part in parts),
        limits=[escape(line) for part in parts for line in part.facts.limits],
        parts=[_body(part) for part in parts],
    )
    return seal(str(card))


def _body(part: SetPart) -> dict[str, Any]:
    """The values of one config for the template, escaped."""
    facts, info, counted = part.facts, part.info, part.counted
    sizes = {name: sum(file.stat().st_size for file in files) for name, files in part.splits.items()}
    rows = {name: split.num_examples for name, split in info.splits.items()}
    return {
        "config": facts.config,
        "rows": f"{sum(rows.values()):,}",
        "task_title": tasks_of(facts.config)[1],
        "preview": part.preview,
        "splits": [{"name": n, "rows": f"{rows[n]:,}", "size": _megabytes(sizes[n])} for n in part.splits],
        "columns": [
            {"name": name, "type": escape(column_type(name, kind)), "meaning": MEANINGS.get(name, "")}
            for name, kind in info.features.items()
        ],
        "command": code(facts.command),
        "settings": [(escape(key), escape(plain(public(value)))) for key, value in facts.settings.items()],
        "statistics": list(counted["figures"].items()),
        "reviewed": f"{counted['reviewed']:,}" if counted["reviewed"] else "",
        "measured": _measured(quality_of(counted["annotator"], set(info.features))),
        "classes": [
            {"name": escape(name), "id": i, "images": f"{counted['classes'].get(name, 0):,}"}
            for i, name in enumerate(facts.classes)
            if i > 0
        ],
        "prompts": [escape(prompt) for prompt in counted["prompts"]],
        "dropped": [(escape(reason), f"{count:,}") for reason, count in facts.dropped.items()],
        "dropped_objects": [(escape(reason), f"{count:,}") for reason, count in facts.dropped_objects.items()],
    }


def _measured(quality: dict[str, Any] | None) -> dict[str, Any] | None:
    if quality is None:
        return None
    return {**quality, "data": escape(quality["data"] or "held-out images"), "images": quality["images"] or "some"}


def _megabytes(size: int) -> str:
    return f"{size / 1e6:.1f} MB" if size >= 1e5 else f"{size / 1e3:.1f} kB"
