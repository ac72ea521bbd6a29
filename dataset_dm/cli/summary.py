"""The summary that a verb prints when a set is made."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dataset_dm.builders.generate import Made, Request

# field of the quality column, its name in the summary, its format
_FIGURES = (
    ("confidence", "confidence", "{:.3f} on average"),
    ("uncertain", "void pixels", "{:.1%}"),
    ("object_confidence", "objects", "mean score {:.3f}"),
    ("keypoint_confidence", "keypoints", "mean score {:.3f}"),
    ("depth_confidence", "depth", "mean confidence {:.3f}"),
)


def summary(request: Request, made: Made, out: Path | None) -> str:
    """Rows, what was left out, what was made now, mean figures, time, places, classes: a line each."""
    from dataset_dm.store.plans import stores

    facts, rows = made.facts, made.rows
    asked = ", ".join(f"{split} {count:,}" for split, count in request.counts.items())
    lines = [("images", f"{facts.rows:,} ({asked})")]
    if rows.dropped:
        lines.append(("left out", ", ".join(f"{reason} {number:,}" for reason, number in rows.dropped.items())))
    lines.append(("made now", f"{made.images:,}" if made.images else "none, all were in the store"))
    if rows.dropped_objects:
        lines.append(("objects out", ", ".join(f"{why} {number:,}" for why, number in rows.dropped_objects.items())))
    lines += [(title, shape.format(facts.mean(name))) for name, title, shape in _FIGURES if facts.quality[name]]
    stages = [f"{stage} {spent:.1f} s" for stage, spent in made.seconds.items() if stage != "total"]
    lines.append(("time", f"{made.seconds['total']:.1f} s" + (f" ({', '.join(stages)})" if stages else "")))
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
