"""The YAML head of a card: `configs` for files, `dataset_info` for features and sizes, tags for search."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from dataset_dm.hub.columns import tasks_of
from dataset_dm.hub.spelling import in_old_spelling
from dataset_dm.store.output_folder import in_order

if TYPE_CHECKING:
    from datasets import DatasetInfo

TAGS = ("synthetic", "dataset-dm", "diffusers")


def head(
    name: str,
    config: str,
    info: DatasetInfo,
    patterns: Mapping[str, str],
    *,
    license: str | None = None,
    reviewed: bool = False,
) -> dict[str, Any]:
    """The head of a card of one config.

    Args:
        patterns: split → glob pattern of its files, relative to the card.
        license: an SPDX id.
        reviewed: people corrected labels; the Hub has no term for that, it is listed as "other".
    """
    plain: dict[str, Any] = {
        "pretty_name": name,
        "license": license,
        "task_categories": list(tasks_of(config)[0]),
        "tags": list(TAGS),
        "annotations_creators": ["machine-generated", *(["other"] if reviewed else [])],
        "size_categories": [size_category(sum(split.num_examples for split in info.splits.values()))],
        "configs": [
            {
                "config_name": config,
                "data_files": [{"split": split, "path": path} for split, path in patterns.items()],
                "default": True,
            }
        ],
        "dataset_info": [{"config_name": config, **in_old_spelling(info._to_yaml_dict())}],
    }
    return {key: value for key, value in plain.items() if value is not None}


def merge_heads(there: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Any]:
    """The existing head with the configs of the new one; edits are kept, lists are joined.

    Splits of a config that the new head does not have are kept.
    """
    merged = dict(there)
    for key in ("pretty_name", "license"):
        if key in new:
            merged.setdefault(key, new[key])
    for key in ("tags", "task_categories", "annotations_creators"):
        merged[key] = list(dict.fromkeys([*_listed(there.get(key)), *_listed(new.get(key))]))
    configs, infos = _by_name(there.get("configs")), _by_name(there.get("dataset_info"))
    for entry in _listed(new.get("configs")):
        before = configs.get(entry["config_name"])
        configs[entry["config_name"]] = _merged_config(before, entry, first=not configs)
    for entry in _listed(new.get("dataset_info")):
        infos[entry["config_name"]] = _merged_info(infos.get(entry["config_name"]), entry)
    merged["configs"], merged["dataset_info"] = list(configs.values()), list(infos.values())
    rows = sum(sum(splits.values()) for splits in rows_of(merged).values())
    merged["size_categories"] = [size_category(rows)]
    return merged


def rows_of(head: Mapping[str, Any]) -> dict[str, dict[str, int]]:
    """Config → split → rows, from a head."""
    return {
        name: {split["name"]: split.get("num_examples", 0) for split in _listed(entry.get("splits"))}
        for name, entry in _by_name(head.get("dataset_info")).items()
    }


def features_of(head: Mapping[str, Any], config: str) -> Any:
    """The features of a config from a head, or None."""
    from datasets import DatasetInfo

    entry = _by_name(head.get("dataset_info")).get(config, {})
    return DatasetInfo._from_yaml_dict(dict(entry)).features if "features" in entry else None


def default_config(head: Mapping[str, Any]) -> str | None:
    """The config that `load_dataset(id)` takes, or None."""
    configs = _by_name(head.get("configs"))
    return next((name for name, entry in configs.items() if entry.get("default")), next(iter(configs), None))


def without(head: Mapping[str, Any], config: str) -> dict[str, Any]:
    """The head without one config."""
    kept = dict(head)
    for key in ("configs", "dataset_info"):
        kept[key] = [entry for name, entry in _by_name(head.get(key)).items() if name != config]
    return kept


def size_category(rows: int) -> str:
    """The Hub's name for a number of rows ("1K<n<10K")."""
    steps = ("1K", "10K", "100K", "1M", "10M", "100M", "1B", "10B", "100B", "1T")
    if rows < 1_000:
        return f"n<{steps[0]}"
    for place, (least, limit) in enumerate(pairwise(steps), start=4):
        if rows < 10**place:
            return f"{least}<n<{limit}"
    return f"n>{steps[-1]}"


def _merged_config(before: Mapping[str, Any] | None, new: Mapping[str, Any], *, first: bool) -> dict[str, Any]:
    entry = dict(new) if before is None else {**before, "data_files": new["data_files"]}
    if before is None and not first:
        entry.pop("default", None)  # the existing default config stays the default
    if before is not None:
        files = {one["split"]: one for one in _listed(before.get("data_files")) if isinstance(one, Mapping)}
        files |= {one["split"]: one for one in new["data_files"]}
        entry["data_files"] = [files[split] for split in in_order(list(files))]
    return entry


def _merged_info(before: Mapping[str, Any] | None, new: Mapping[str, Any]) -> dict[str, Any]:
    if before is None:
        return dict(new)
    splits = {split["name"]: split for split in _listed(before.get("splits"))}
    ours = {split["name"] for split in new["splits"]}
    kept = sum(split.get("num_bytes", 0) for name, split in splits.items() if name not in ours)
    splits |= {split["name"]: split for split in new["splits"]}
    # files of kept splits are not local: their share of the previous size is taken
    share = kept / before["dataset_size"] if before.get("dataset_size") else 0
    sizes = {
        "download_size": new["download_size"] + round(share * before.get("download_size", 0)),
        "dataset_size": new["dataset_size"] + kept,
    }
    return {**new, "splits": [splits[name] for name in in_order(list(splits))], **sizes}


def _by_name(entries: Any) -> dict[str, dict[str, Any]]:
    """Config name → its entry; an entry without a name is "default", as in `datasets`."""
    found = [entry for entry in _listed(entries) if isinstance(entry, Mapping)]
    return {str(entry.get("config_name", "default")): dict(entry) for entry in found}


def _listed(value: Any) -> Sequence[Any]:
    return [] if value is None else list(value) if isinstance(value, (list, tuple)) else [value]
