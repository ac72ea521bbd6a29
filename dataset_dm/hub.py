"""The dataset card: a README.md by which plain `load_dataset(folder)` finds splits, features and configs.

>>> write_card(folder, CardFacts(name="voc_synth", config="semantic", command="dataset-dm generate voc_synth …"))
"""

from __future__ import annotations

import html
import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import resources
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dataset_dm.errors import DataError, explain

if TYPE_CHECKING:
    from datasets import DatasetInfo, Features

# What a column means, by its name, whatever the builder.
MEANINGS = {
    "image": "the picture, RGB",
    "label": "class of every pixel, a one-channel PNG: 0 background, 255 void (unsure)",
    "classes": "classes that the label shows, in the order of the class list",
    "image_id": "number of the picture within its split",
    "prompt": "the text it was drawn from",
    "quality": "how sure the labeller was, each 0..1; uncertain is the share of void pixels; null: not read",
    "provenance": "what draws the picture again: index, seed, generator, sampler …",
    "width": "pixels",
    "height": "pixels",
    "objects": "lists, one entry an object: bbox is x, y, width, height in pixels, tight on the mask; segmentation is "
    "COCO's compressed run lengths; category counts from 0; score is 0..1; keypoints are 17 x (x, y, v) in COCO's "
    "order, v 0 not in the picture, 1 hidden, 2 seen",
    "annotation": "RGB PNG: red is the class id (0 background), green the number of the object in objects, from 1",
    "semantic_class_to_id": "class name → id in the red channel of annotation",
    "depth_map": "metres along the optical axis, a float32 TIFF; 0 unknown",
}
# config → the Hub's names for its tasks, and what the card calls its labels
TASK_CATEGORIES: dict[str, tuple[tuple[str, ...], str]] = {
    "semantic": (("image-segmentation",), "class masks"),
    "instance": (("image-segmentation", "object-detection"), "instances and boxes"),
    "keypoints": (("keypoint-detection", "object-detection"), "human keypoints"),
    "depth": (("depth-estimation",), "metric depth"),
    "all": (
        ("image-segmentation", "object-detection", "keypoint-detection", "depth-estimation"),
        "class masks, instances, keypoints and depth",
    ),
}
_OTHER_CONFIG = (("image-segmentation",), "class masks")  # zero_shot, say
# figure of the quality column → its name on the card, and how it is written
_QUALITY = {
    "confidence": ("mean confidence", "{:.3f}"),
    "uncertain": ("void pixels (255)", "{:.1%}"),
    "object_confidence": ("mean score of objects", "{:.3f}"),
    "keypoint_confidence": ("mean score of keypoints", "{:.3f}"),
    "depth_confidence": ("mean confidence of depth", "{:.3f}"),
}
EXAMPLES = 8  # prompts shown on a card
MARKDOWN = re.compile(r"([\\`*_{}\[\]|~$#])")


@dataclass(frozen=True, kw_only=True)
class CardFacts:
    """What the card says beyond what the folder's parquet files say themselves.

    Args:
        name: the dataset's name ("voc_synth").
        config: its config, which is also the config's name in the card ("semantic").
        command: the command line (or the Python call) that made it.
        settings: what decided the pixels, shown in this order (generator, revision, sampler, size, seed …).
        classes: class names, background first; an empty tuple where a task has none.
        dropped: reason → number of samples left out.
        dropped_objects: reason → number of objects left out of samples that stay.
        limits: sentences to add to the card's limits.
        license: an SPDX id when the generator's terms allow to name one.
    """

    name: str
    config: str
    command: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    classes: Sequence[str] = ()
    dropped: Mapping[str, int] = field(default_factory=dict)
    dropped_objects: Mapping[str, int] = field(default_factory=dict)
    limits: Sequence[str] = ()
    license: str | None = None


def write_card(folder: Path | str, facts: CardFacts) -> Path:
    """Write README.md (and id2label.json where there are classes) beside the split folders of parquet files.

    Args:
        folder: holds one sub-folder of parquet files a split; a `preview.png` beside them is shown on the card.

    Returns:
        The README's path.

    Raises:
        DataError: no split folder with parquet files.
    """
    from huggingface_hub import DatasetCard

    folder = Path(folder)
    splits = find_splits(folder)
    if not splits:
        raise DataError(explain(f"card: no split in {folder}", expected="folders like train/ with .parquet files"))
    info = describe(splits)
    card = DatasetCard.from_template(
        card_data(facts, info, splits),
        template_str=resources.files("dataset_dm.cards").joinpath("dataset.md.jinja").read_text(encoding="utf-8"),
        **_body(facts, info, splits, folder),
    )
    path = folder / "README.md"
    path.write_text(str(card), encoding="utf-8")
    if facts.classes:
        names = json.dumps({str(i): name for i, name in enumerate(facts.classes)}, indent=2, ensure_ascii=False)
        (folder / "id2label.json").write_text(names + "\n", encoding="utf-8")
    return path


def find_splits(folder: Path) -> dict[str, list[Path]]:
    """Split name → its parquet files; train, validation, test first, others by name."""
    found = {d.name: sorted(d.glob("*.parquet")) for d in sorted(folder.iterdir()) if d.is_dir()}
    order = ["train", "validation", "test"]
    names = [n for n in order if found.get(n)] + [n for n in found if n not in order and found[n]]
    return {name: found[name] for name in names}


def describe(splits: Mapping[str, Sequence[Path]]) -> DatasetInfo:
    """Features and split sizes, read from the parquet files' footers alone."""
    import pyarrow.parquet as pq
    from datasets import DatasetInfo, Features, SplitDict, SplitInfo

    sizes = SplitDict()
    features: Features | None = None
    for name, files in splits.items():
        footers = [pq.read_metadata(file) for file in files]
        rows = sum(footer.num_rows for footer in footers)
        # Decoded size, as `datasets` counts it; the files themselves are smaller.
        weight = sum(footer.row_group(i).total_byte_size for footer in footers for i in range(footer.num_row_groups))
        sizes.add(SplitInfo(name, num_bytes=weight, num_examples=rows))
        features = features or Features.from_arrow_schema(pq.read_schema(files[0]))
    stored = sum(file.stat().st_size for files in splits.values() for file in files)
    whole = sum(split.num_bytes for split in sizes.values())
    return DatasetInfo(features=features, splits=sizes, download_size=stored, dataset_size=whole)


def card_data(facts: CardFacts, info: DatasetInfo, splits: Mapping[str, Sequence[Path]]) -> Any:
    """The YAML head: `configs` for the files, `dataset_info` for features and sizes, and what the Hub searches by."""
    from huggingface_hub import DatasetCardData

    rows = sum(split.num_examples for split in info.splits.values())
    described = {"config_name": facts.config, **info._to_yaml_dict()}
    files = [{"split": name, "path": f"{name}/*.parquet"} for name in splits]
    categories, _ = TASK_CATEGORIES.get(facts.config, _OTHER_CONFIG)
    return DatasetCardData(
        pretty_name=facts.name,
        license=facts.license,
        task_categories=list(categories),
        tags=["synthetic", "dataset-dm", "diffusers"],
        annotations_creators="machine-generated",
        size_categories=size_category(rows),
        configs=[{"config_name": facts.config, "data_files": files, "default": True}],
        dataset_info=described,
    )


def size_category(rows: int) -> str:
    """The Hub's name for a number of rows ("1K<n<10K")."""
    steps = ("1K", "10K", "100K", "1M", "10M", "100M", "1B", "10B", "100B", "1T")
    if rows < 1_000:
        return f"n<{steps[0]}"
    for place, (least, limit) in enumerate(pairwise(steps), start=4):
        if rows < 10**place:
            return f"{least}<n<{limit}"
    return f"n>{steps[-1]}"


def _body(facts: CardFacts, info: DatasetInfo, splits: Mapping[str, Sequence[Path]], folder: Path) -> dict[str, Any]:
    """Everything the template prints, already escaped."""
    counted = statistics(splits, _id_names(info, facts.classes))
    sizes = {name: sum(file.stat().st_size for file in files) for name, files in splits.items()}
    rows = {name: split.num_examples for name, split in info.splits.items()}
    return {
        "title": f"{facts.name} ({facts.config})",
        "total": f"{sum(rows.values()):,}",
        "task_title": TASK_CATEGORIES.get(facts.config, _OTHER_CONFIG)[1],
        "has_preview": (folder / "preview.png").is_file(),
        "first_split": next(iter(splits)),
        "splits": [{"name": n, "rows": f"{rows[n]:,}", "size": _megabytes(sizes[n])} for n in splits],
        "columns": [
            {"name": name, "type": escape(_column_type(name, kind)), "meaning": MEANINGS.get(name, "")}
            for name, kind in info.features.items()
        ],
        "command": facts.command.replace("```", "` ` `").strip(),
        "settings": [(escape(key), escape(_plain(value))) for key, value in facts.settings.items()],
        "statistics": list(counted["figures"].items()),
        "classes": [
            {"name": escape(name), "id": i, "images": f"{counted['classes'].get(name, 0):,}"}
            for i, name in enumerate(facts.classes)
            if i > 0
        ],
        "prompts": [escape(prompt) for prompt in counted["prompts"]],
        "dropped": [(escape(reason), f"{count:,}") for reason, count in facts.dropped.items()],
        "dropped_objects": [(escape(reason), f"{count:,}") for reason, count in facts.dropped_objects.items()],
        "has": set(info.features),
        "limits": [escape(line) for line in facts.limits],
    }


def _id_names(info: DatasetInfo, classes: Sequence[str]) -> Sequence[str]:
    """What the ids in column `classes` stand for: the column's own ClassLabel knows best."""
    return getattr(getattr(info.features.get("classes"), "feature", None), "names", classes)


def statistics(splits: Mapping[str, Sequence[Path]], classes: Sequence[str]) -> dict[str, Any]:
    """Counts from the cheap columns only (no image is decoded): rows a class, quality, the first different prompts."""
    import pyarrow.parquet as pq

    from dataset_dm.rows import shown_classes

    shown: Counter[str] = Counter()
    quality: dict[str, list[float]] = {name: [] for name in _QUALITY}
    prompts: dict[str, None] = {}
    for file in (file for files in splits.values() for file in files):
        reader = pq.ParquetFile(file)
        columns = {"classes": "classes", "objects": "objects.category", "quality": "quality", "prompt": "prompt"}
        wanted = [path for name, path in columns.items() if name in reader.schema_arrow.names]
        if not wanted:
            continue
        table = reader.read(columns=wanted)
        for ids in shown_classes(table):
            shown.update({_class_name(one, classes) for one in ids})
        for row in table.select([name for name in ("quality", "prompt") if name in table.column_names]).to_pylist():
            for name, values in quality.items():
                value = (row.get("quality") or {}).get(name)
                values.extend([] if value is None else [value])
            if len(prompts) < EXAMPLES and row.get("prompt"):
                prompts.setdefault(row["prompt"])
    figures = {
        _QUALITY[name][0]: _QUALITY[name][1].format(sum(values) / len(values))
        for name, values in quality.items()
        if values
    }
    return {"classes": shown, "figures": figures, "prompts": list(prompts)}


def _class_name(value: int | str, classes: Sequence[str]) -> str:
    return value if isinstance(value, str) else classes[value] if 0 <= value < len(classes) else str(value)


def escape(text: object) -> str:
    """Any text as one line of markdown that shows it literally: no tag, link, table cell or template survives."""
    line = MARKDOWN.sub(r"\\\1", " ".join(str(text).split()))
    opens_list = re.match(r"([-+]|\d+[.)]) ", line)
    if opens_list:
        end = opens_list.end() - 2
        line = f"{line[:end]}\\{line[end:]}"
    return html.escape(line, quote=False)


def _plain(value: object) -> str:
    """A setting as people write it: `a=1, b=2` for mappings, a comma list for sequences, a dash for None."""
    if value is None:
        return "–"
    if isinstance(value, Mapping):
        return ", ".join(f"{key}={item}" for key, item in value.items()) or "–"
    if isinstance(value, Iterable) and not isinstance(value, str):
        return ", ".join(str(item) for item in value) or "–"
    return str(value)


def _megabytes(size: int) -> str:
    return f"{size / 1e6:.1f} MB" if size >= 1e5 else f"{size / 1e3:.1f} kB"


def _column_type(name: str, kind: Any) -> str:
    """As `_type_name`; the struct with a field a class would be too long."""
    return "struct of int64" if name == "semantic_class_to_id" else _type_name(kind)


def _type_name(kind: Any) -> str:
    """A feature in short: image, string, list of class labels, a struct's fields."""
    if isinstance(kind, dict):
        return "struct of " + ", ".join(kind)
    inner = getattr(kind, "feature", None)
    if inner is not None:
        return f"list of {_type_name(inner)}"
    return getattr(kind, "dtype", None) if type(kind).__name__ == "Value" else type(kind).__name__
