"""Upload of a generated set: the files of its configs, merged with the present state of the repository."""

from __future__ import annotations

import functools
import tempfile
from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Any

from dataset_dm.errors import DataError, explain
from dataset_dm.hub import card_facts as carried
from dataset_dm.hub import layout
from dataset_dm.hub.card import PREVIEW, SetPart, id2label, read_part, render
from dataset_dm.hub.card_yaml import default_config, features_of, merge_heads, without
from dataset_dm.hub.readme import read_card, renewed
from dataset_dm.hub.remote import Remote
from dataset_dm.hub.repack import repack
from dataset_dm.hub.transfer import Content, Item
from dataset_dm.store.output_folder import find_splits

CARD, LABELS = "README.md", "id2label.json"
_DATA = (".parquet", ".csv", ".json", ".jsonl", ".arrow", ".txt", ".zip", ".tar", ".gz", ".zst", ".xml")


class DatasetUpload:
    """Folders of `dataset-dm generate … --out`, one for each config; a context manager, it may write temporary files.

    Args:
        folders: the configs; the first one becomes the default of a new repository.
        license: an SPDX id for the whole set.
        renew_card: replace parts of the card that were edited by hand.
        replace: allow a config of other columns to be replaced.

    Raises:
        DataError: not such a folder, a damaged one, or two folders with the same config.
    """

    kind = "dataset"
    texts = (CARD, carried.PLAN, carried.DROPS)

    def __init__(
        self,
        folders: Sequence[Path],
        *,
        license: str | None = None,
        renew_card: bool = False,
        replace: bool = False,
    ) -> None:
        self.renew_card, self.replace, self.license = renew_card, replace, license
        self._scratch = tempfile.TemporaryDirectory(prefix="dataset_dm_push_")
        # files are hashed while statistics are read and the Hub is queried
        self._hashing, self._hashed = ThreadPoolExecutor(1), []
        self.parts: list[SetPart] = []
        self.data: dict[str, Item] = {}
        self.previews: dict[str, Item] = {}
        try:
            for folder in folders:
                self._read(folder)
        except BaseException:
            self._close()
            raise
        names = ", ".join(part.facts.config for part in self.parts)
        self.title = f"Push {self.parts[0].facts.name} ({names})"

    def __enter__(self) -> DatasetUpload:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close()

    def _close(self) -> None:
        self._hashing.shutdown(cancel_futures=True)
        self._scratch.cleanup()

    def content(self, remote: Remote) -> Content:
        """Card, texts and data, merged with the present repository."""
        there, body = read_card(remote.texts.get(CARD, b""), remote.id)
        self._check_listed(remote, there)
        replaced = {part.facts.config for part in self.parts if self._differs(remote, there, part)}
        head = functools.reduce(without, replaced, there)
        for part in self.parts:
            head = merge_heads(head, part.head())
        if self.license:
            head["license"] = self.license
        card, notes = renewed(body, render(self.parts, head, remote.id), renew=self.renew_card)
        notes += [f"config {config} with other columns is replaced" for config in sorted(replaced)]
        items = {CARD: Item(card.encode())} | self._texts(remote, head) | self.previews | self.data
        for hashed in self._hashed:
            hashed.result()
        return Content(items, self._obsolete(remote, replaced), tuple(notes))

    def _read(self, folder: Path) -> None:
        """Add the config of a folder: its files, and the facts of its card."""
        known = carried.read_facts(folder)
        config = layout.check_name("config", known.config)
        if config in {part.facts.config for part in self.parts}:
            raise DataError(f"push: {folder} holds config {config!r}, and so does an earlier folder; give one")
        splits = find_splits(folder)
        if not splits:
            raise DataError(explain(f"{folder}: no split in it", expected="folders like train/ of parquet files"))
        layout.describe(splits)  # refuses damaged files before any work
        preview = f"preview/{config}.png" if (folder / PREVIEW).is_file() else None
        if preview is not None:
            self.previews[preview] = Item(folder / PREVIEW)
        for split, files in splits.items():
            packed = repack(files, Path(self._scratch.name) / config / layout.check_name("split", split))
            for number, file in enumerate(packed):
                item = self.data[layout.data_file(config, split, number, len(packed))] = Item(file)
                self._hashed.append(self._hashing.submit(getattr, item, "names"))
        self.parts.append(read_part(known, splits, {split: layout.pattern(config, split) for split in splits}, preview))

    def _texts(self, remote: Remote, head: Mapping[str, Any]) -> dict[str, Item]:
        """id2label, plan and drops; entries of other configs are kept."""
        default = default_config(head)
        items = {}
        for part in self.parts:
            if part.facts.classes:
                name = LABELS if part.facts.config == default else f"id2label-{part.facts.config}.json"
                items[name] = Item(id2label(part.facts.classes))
        ours = {
            carried.PLAN: {part.facts.config: part.facts.planned() for part in self.parts},
            carried.DROPS: {part.facts.config: part.facts.drops() for part in self.parts},
        }
        for name, configs in ours.items():
            before = carried.parse(remote.texts.get(name), f"{remote.id}: {name}")
            items[name] = Item(carried.to_bytes(before | configs))
        return items

    def _obsolete(self, remote: Remote, replaced: Collection[str]) -> tuple[str, ...]:
        """Files of our splits with numbers that are no longer used, and all files of replaced configs."""
        return tuple(
            path
            for path in remote.files
            for part in self.parts
            for split in ([None] if part.facts.config in replaced else part.splits)
            if layout.is_data_file(path, part.facts.config, split) and path not in self.data
        )

    def _check_listed(self, remote: Remote, head: Mapping[str, Any]) -> None:
        """DataError for data that no card lists: `load_dataset` would no longer find it beside our card."""
        if head.get("configs"):
            return
        ours = {carried.PLAN, carried.DROPS, LABELS, *self.data}
        foreign = next((path for path in remote.files if path.endswith(_DATA) and path not in ours), None)
        if foreign is not None:
            what = f"push to {remote.id}: it holds data that dataset-dm did not upload ({foreign}, no card lists it)"
            raise DataError(explain(what, remedy="take another repository"))

    def _differs(self, remote: Remote, head: Mapping[str, Any], part: SetPart) -> bool:
        """Whether the config has other columns in the repository; DataError unless `replace`."""
        there = features_of(head, part.facts.config)
        if there is None or there == part.info.features:
            return False
        if not self.replace:
            differing = _difference(there, part.info.features)
            what = f"push to {remote.id}: config {part.facts.config!r} there has {differing}"
            raise DataError(explain(what, remedy="take another repository, or --replace to replace the config"))
        return True


def _difference(there: Mapping[str, Any], here: Mapping[str, Any]) -> str:
    only = [f"column {name!r}, which this set does not have" for name in there if name not in here]
    only += [f"no column {name!r}" for name in here if name not in there]
    only += [f"another type of column {name!r}" for name in here if name in there and here[name] != there[name]]
    return " and ".join(only[:2]) + (" and more" if len(only) > 2 else "")
