"""One page of a set, or of two sets with the same images and other labels."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import numpy as np
from jaxtyping import Int64
from PIL import Image

from dataset_dm.errors import DataError, explain
from dataset_dm.explore.images import DIFFERENCES, IMAGE, KINDS, LINES, SKELETONS, Look, differing, draw_sample
from dataset_dm.explore.index import KEPT, Index, Wanted, count_reasons, read_index
from dataset_dm.explore.page import Card, page_html, plain_details
from dataset_dm.exports.open_dataset import Source
from dataset_dm.exports.tables import Record
from dataset_dm.visualization.depth import draw_bar, scale_of
from dataset_dm.visualization.legend import draw_joints_key, facts_of
from dataset_dm.visualization.row import COLUMNS, Row, read_row

_COMMON = ("image", "prompt", "quality", "provenance")  # columns that are read of every shown row
MARKS = ("A", "B")


@dataclass(frozen=True, kw_only=True)
class Request:
    """The request of one page: rows, page number, drawing.

    Args:
        split: of the set.
        wanted: which rows.
        rules: filters by name, as in `generate`: the page marks the rows that they would drop.
        look: how a sample is drawn.
        page: from 1; a number above the last page stands for the last.
        per_page: samples on a page.
    """

    split: str
    wanted: Wanted
    look: Look
    rules: Mapping[str, float] = field(default_factory=dict)
    page: int = 1
    per_page: int = 12


@dataclass(frozen=True, kw_only=True)
class Page:
    """HTML of a page, its number and the number of pages, found rows, and reason → rows of the whole split."""

    html: str
    page: int
    pages: int
    found: int
    total: int
    reasons: Mapping[str, int]


class Explorer:
    """One set, or two with the same images.

    Args:
        one: the set.
        other: the same images with other labels, or None.

    Raises:
        DataError: the two have no row in common.
    """

    def __init__(self, one: Source, other: Source | None = None) -> None:
        self.one, self.other = one, other
        self._index = lru_cache(maxsize=8)(lambda mark, split: read_index(self._set(mark), split))
        if other is not None and not any(self._partners(split) for split in one.splits):
            expected = "the same images, labelled twice"
            raise DataError(explain(f"{one.name} and {other.name}: no row in common", expected=expected))

    def index(self, split: str) -> Index:
        """The facts of the set's rows."""
        return self._index(MARKS[0], split)

    def panels(self, split: str) -> list[str]:
        """The panels that the labels of the split allow."""
        tasks = self._tasks(split)
        both = self.other is not None and "semantic" in tasks
        return [IMAGE, *(title for kind, title in KINDS.items() if kind in tasks), *([DIFFERENCES] if both else [])]

    def lines(self, split: str) -> list[str]:
        """The lines that the labels of the split allow."""
        tasks = self._tasks(split)
        return [name for name, kind in zip(LINES, ("instance", "pose"), strict=True) if kind in tasks]

    def annotators(self, split: str) -> dict[str, str]:
        """Mark → the set's title and annotator, for two sets; {} for one."""
        if self.other is None:
            return {}
        titles = {MARKS[0]: self.one.title, MARKS[1]: self.other.title}
        names = {MARKS[0]: self.index(split).annotator}
        names[MARKS[1]] = self._index(MARKS[1], split).annotator if split in self.other.splits else ""
        return {mark: f"{titles[mark]} ({name})" if name else titles[mark] for mark, name in names.items()}

    def page(self, asked: Request) -> Page:
        """The rows of one page, drawn.

        Raises:
            ConfigError: a filter that these labels have no facts for.
            DataError: a row that cannot be read.
        """
        index = self.index(asked.split)
        reasons = index.reasons(asked.rules)
        found = index.find(asked.wanted, reasons)
        pages = max(1, -(-len(found) // asked.per_page))
        number = min(max(asked.page, 1), pages)
        places = found[(number - 1) * asked.per_page : number * asked.per_page]
        return Page(
            html=self._html(asked, places, reasons),
            page=number,
            pages=pages,
            found=len(found),
            total=len(index),
            reasons=count_reasons(reasons),
        )

    def _html(self, asked: Request, places: Int64[np.ndarray, " n"], reasons: Sequence[str]) -> str:
        rows = self._read(asked, places)
        depths = [row.depth for labelled in rows for _, row in labelled.values() if row.depth is not None]
        scale = scale_of(depths)
        keys = [] if scale is None else [("colours of depth", draw_bar(scale))]
        keys += [("sides of skeletons", draw_joints_key())] if SKELETONS in asked.look.lines else []
        names = {mark: self._set(mark).class_names for mark in ("", *MARKS)}
        cards = []
        for place, labelled in zip(places.tolist(), rows, strict=True):
            drawn = draw_sample({mark: row for mark, (_, row) in labelled.items()}, asked.look, names, scale)
            reason = "" if reasons[place] == KEPT else f"dropped: {reasons[place]}"
            cards.append(self._card(int(self.index(asked.split).numbers[place]), labelled, drawn, reason, names))
        return page_html(cards, keys if cards else ())

    def _card(
        self,
        number: int,
        labelled: Mapping[str, tuple[Record, Row]],
        drawn: Sequence[Any],
        reason: str,
        names: Mapping[str, Sequence[str]],
    ) -> Card:
        rows = [row for _, row in labelled.values()]
        facts, alerts = [], [reason] if reason else []
        for mark, (record, _) in labelled.items():
            confidence = (record.get("quality") or {}).get("confidence")
            facts += [] if confidence is None else [f"{mark} confidence {confidence:.2f}".strip()]
        if self.other is not None and len(rows) == 1:
            alerts.append(f"not in {MARKS[1]}")
        if len(rows) == 2:
            same = rows[0].image.shape == rows[1].image.shape and np.array_equal(rows[0].image, rows[1].image)
            alerts += [] if same else [f"another image in {MARKS[1]}"]
            apart = differing(rows)
            facts += [] if apart is None else [f"same class on {100 * (1 - apart.mean()):.1f} % of pixels"]
        details = {}
        for mark, (record, _) in labelled.items():
            named = {**record, "quality": _named(record.get("quality"), names[mark])}
            for part in ("quality", "provenance"):
                details[f"{mark} {part}".strip()] = plain_details(named.get(part))
        return Card(
            number=number,
            panels=drawn,
            prompt=rows[0].prompt,
            facts=facts,
            alert=", ".join(alerts),
            legends={mark: _legend(row, names[mark]) for mark, (_, row) in labelled.items()},
            details=details,
        )

    def _read(self, asked: Request, places: Int64[np.ndarray, " n"]) -> list[dict[str, tuple[Record, Row]]]:
        """For every position: mark → record and row; two entries where the other set has the row too."""
        first = "" if self.other is None else MARKS[0]
        numbers = self.index(asked.split).numbers[places].tolist()
        found = [{first: entry} for entry in self._rows(self.one, asked, places.tolist(), numbers)]
        if self.other is None:
            return found
        partners = self._partners(asked.split)
        there = [i for i, number in enumerate(numbers) if number in partners]
        others = self._rows(self.other, asked, [partners[numbers[i]] for i in there], [numbers[i] for i in there])
        for i, other in zip(there, others, strict=True):
            found[i][MARKS[1]] = other
        return found

    def _rows(
        self, opened: Source, asked: Request, places: Sequence[int], numbers: Sequence[int]
    ) -> list[tuple[Record, Row]]:
        if not places:
            return []
        mark = MARKS[0] if opened is self.one else MARKS[1]
        labels = asked.look.columns(self._index(mark, asked.split).tasks)
        columns = [name for name in (*_COMMON, *labels) if name in opened.features]
        records = opened.splits[asked.split].rows(places, columns)
        return [(record, _row(record, opened, number)) for record, number in zip(records, numbers, strict=True)]

    def _partners(self, split: str) -> dict[int, int]:
        """Number of a row → its position in the other set."""
        if self.other is None or split not in self.other.splits:
            return {}
        theirs = {int(number): place for place, number in enumerate(self._index(MARKS[1], split).numbers)}
        return {int(number): theirs[int(number)] for number in self.index(split).numbers if int(number) in theirs}

    def _tasks(self, split: str) -> set[str]:
        tasks = set(self.index(split).tasks)
        if self.other is not None and split in self.other.splits:
            tasks |= set(self._index(MARKS[1], split).tasks)
        return tasks

    def _set(self, mark: str) -> Source:
        return self.other if mark == MARKS[1] and self.other is not None else self.one


def _row(record: Record, opened: Source, number: int) -> Row:
    try:
        if any(record.get(name) is not None for name in COLUMNS):
            return read_row(record, number)
        image = Image.open(io.BytesIO(record["image"]["bytes"])).convert("RGB")
        return Row(image=np.asarray(image), prompt=record.get("prompt") or "", index=number)
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise DataError(explain(f"{opened.name}, sample {number}: cannot be shown ({error})")) from error


def _legend(row: Row, names: Sequence[str]) -> list[tuple[int | None, str]]:
    """Meaning of the colours; instances are left out beside a class map, and poses without a visible point."""
    there = row.labels()
    if "pose" in there and not (there["pose"].keypoints[..., 2] > 0).any():
        del there["pose"]
    kinds = [kind for kind in there if not (kind == "instance" and "semantic" in there)]
    return [entry for kind in kinds for entry in facts_of(kind, there[kind], names)]


def _named(quality: Mapping[str, Any] | None, names: Sequence[str]) -> dict[str, Any]:
    """Quality with its values per class as name → value; negligible values are left out."""
    found = dict(quality or {})
    for part, least in (("presence", 0.05), ("agreement", 0.0)):
        values = found.get(part)
        if values is not None and len(values) == len(names) - 1:
            shown = {name: value for name, value in zip(names[1:], values, strict=True) if value and value >= least}
            found[part] = shown or None
    return found
