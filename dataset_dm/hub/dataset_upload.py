"""A generated set on its way: the files of its configs, merged with what the repository holds."""

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
from dataset_dm.hub.transfer import Item, Load
from dataset_dm.store.output_folder import find_splits

CARD, LABELS = "README.md", "id2label.json"
_DATA = (".parquet", ".csv", ".json", ".jsonl", ".arrow", ".txt", ".zip", ".tar", ".gz", ".zst", ".xml")


class SetCargo:
    """Folders of `dataset-dm generate … --out`, one a config; a context, since it may write files of its own.

    Args:
        folders: the configs, the first one becomes the default of a new repository.
        license: an SPDX id for the whole set.
        renew_card: draw parts of the card again though people edited them.
        replace: let a config of other columns be replaced.

    Raises:
        DataError: a folder is not such a folder, is damaged, or two hold the same config.
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
        # files are hashed beside the reading of statistics and the first questions to the Hub
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

    def __enter__(self) -> SetCargo:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close()

    def _close(self) -> None:
        self._hashing.shutdown(cancel_futures=True)
        self._scratch.cleanup()

    def load(self, remote: Remote) -> Load:
        """Card, texts and data, given what is there."""
        there, body = read_card(remote.texts.get(CARD, b""), remote.id)
        self._refuse_strangers(remote, there)
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
        return Load(items, self._obsolete(remote, replaced), tuple(notes))

    def _read(self, folder: Path) -> None:
        """Adds a folder's config: its files, and what its card says."""
        known = carried.read_facts(folder)
        config = layout.check_name("config", known.config)
        if config in {part.facts.config for part in self.parts}:
            raise DataError(f"push: {folder} holds config {config!r}, and so does a folder before it; give one")
        splits = find_splits(folder)
        if not splits:
            raise DataError(explain(f"{folder}: no split in it", expected="folders like train/ of parquet files"))
        layout.describe(splits)  # damaged files are refused before anything is done with them
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
        """id2label, plan and drops: those of other configs stay in them."""
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
        """Files of our splits under numbers that are no longer used, and all old files of configs that are replaced."""
        return tuple(
            path
            for path in remote.files
            for part in self.parts
            for split in ([None] if part.facts.config in replaced else part.splits)
            if layout.is_data_file(path, part.facts.config, split) and path not in self.data
        )

    def _refuse_strangers(self, remote: Remote, head: Mapping[str, Any]) -> None:
        """Data that no card lists would no longer be found once our card lists ours: refuse, do not hide it."""
        if head.get("configs"):
            return
        ours = {carried.PLAN, carried.DROPS, LABELS, *self.data}
        strange = next((path for path in remote.files if path.endswith(_DATA) and path not in ours), None)
        if strange is not None:
            what = f"push to {remote.id}: it holds data that dataset-dm did not put there ({strange}, no card lists it)"
            raise DataError(explain(what, remedy="take another repository"))

    def _differs(self, remote: Remote, head: Mapping[str, Any], part: SetPart) -> bool:
        """Whether the config has other columns there, and may be replaced; DataError when it may not."""
        there = features_of(head, part.facts.config)
        if there is None or there == part.info.features:
            return False
        if not self.replace:
            differing = _difference(there, part.info.features)
            what = f"push to {remote.id}: config {part.facts.config!r} there has {differing}"
            raise DataError(explain(what, remedy="take another repository, or --replace to replace the config"))
        return True


def _difference(there: Mapping[str, Any], here: Mapping[str, Any]) -> str:
    only = [f"column {name!r}, which this set has not" for name in there if name not in here]
    only += [f"no column {name!r}" for name in here if name not in there]
    only += [f"another type of column {name!r}" for name in here if name in there and here[name] != there[name]]
    return " and ".join(only[:2]) + (" and more" if len(only) > 2 else "")
