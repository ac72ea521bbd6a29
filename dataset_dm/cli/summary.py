"""What a verb that made a set says in the end."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dataset_dm.rows.reader import Rows

_PREVIEW_ROWS = 12
# figures of the quality column that the summary shows: their names here, and how they are written
_FIGURES = (
    ("confidence", "confidence", "{:.3f} on average"),
    ("uncertain", "void pixels", "{:.1%}"),
    ("object_confidence", "objects", "mean score {:.3f}"),
    ("keypoint_confidence", "keypoints", "mean score {:.3f}"),
    ("depth_confidence", "depth", "mean confidence {:.3f}"),
)


class Facts:
    """What the summary and the preview need, gathered while rows pass by."""

    def __init__(self, rows: Rows) -> None:
        # a set without classes in its columns has none on its card
        speaks = bool({"classes", "objects"} & set(rows.schema.names))
        self.names = ("background", *rows.plan.classes) if speaks else ()
        self.rows = 0
        self.classes: Counter[int] = Counter()
        self.quality: dict[str, list[float]] = defaultdict(list)
        self.shown: list[dict[str, Any]] = []

    def watch(self, tables: Iterator[Any]) -> Iterator[Any]:
        from dataset_dm.rows.columns import shown_classes

        for table in tables:
            self.rows += table.num_rows
            for ids in shown_classes(table):
                self.classes.update(ids)
            for quality in table.column("quality").to_pylist():
                for name, value in quality.items():
                    if isinstance(value, float):
                        self.quality[name].append(value)
            if len(self.shown) < _PREVIEW_ROWS:
                self.shown += table.slice(0, _PREVIEW_ROWS - len(self.shown)).to_pylist()
            yield table

    def mean(self, name: str) -> float:
        """Mean of one figure of the quality column, over the rows that have it."""
        return sum(self.quality[name]) / len(self.quality[name])


def summary(
    facts: Facts, rows: Rows, counts: dict[str, int], made: int, seconds: dict[str, float], out: Path | None
) -> str:
    """Rows, what was left out, what was made now, mean figures, time, places, classes: a line each."""
    from dataset_dm.store.plans import stores

    asked = ", ".join(f"{split} {count:,}" for split, count in counts.items())
    lines = [("images", f"{facts.rows:,} ({asked})")]
    if rows.dropped:
        lines.append(("left out", ", ".join(f"{reason} {number:,}" for reason, number in rows.dropped.items())))
    lines.append(("made now", f"{made:,}" if made else "none, all were in the store"))
    if rows.dropped_objects:
        lines.append(("objects out", ", ".join(f"{why} {number:,}" for why, number in rows.dropped_objects.items())))
    lines += [(title, shape.format(facts.mean(name))) for name, title, shape in _FIGURES if facts.quality[name]]
    stages = [f"{stage} {spent:.1f} s" for stage, spent in seconds.items() if stage != "total"]
    lines.append(("time", f"{seconds['total']:.1f} s" + (f" ({', '.join(stages)})" if stages else "")))
    lines += [("store", str(store.folder)) for store in stores(rows.plan)]
    if out is not None:
        lines.append(("folder", str(out)))
    body = "\n".join(f"  {name:<12} {text}" for name, text in lines)
    if not facts.names:
        return body
    shown = [f"{facts.names[i]} {number:,}" for i, number in facts.classes.most_common()]
    return f"{body}\n  {'classes':<12} {_wrapped(shown)}"


def _wrapped(words: list[str], width: int = 100) -> str:
    """Comma-separated words on as many lines as they need, indented below the summary's second column."""
    import textwrap

    return "\n".join(textwrap.wrap(", ".join(words) or "none", width, subsequent_indent=" " * 15))
