"""A report: figures, tables and notes of one measurement, as text, markdown, JSON and plots."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

Cell = str | int | float | None


@dataclass(frozen=True)
class Table:
    """Rows under column names; None and NaN print as a dash, floats in 0..1 stay as they are given."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[Cell]]

    def text(self) -> str:
        """Aligned plain text: first column to the left, figures to the right."""
        cells = [list(self.columns), *([show(cell) for cell in row] for row in self.rows)]
        width = [max(len(row[i]) for row in cells) for i in range(len(self.columns))]
        lines = ["  ".join(c.rjust(w) if i else c.ljust(w) for i, (c, w) in enumerate(zip(r, width, strict=True)))
                 for r in cells]  # fmt: skip
        return "\n".join([self.title, lines[0], "─" * len(lines[0]), *(line.rstrip() for line in lines[1:])])

    def markdown(self) -> str:
        """A markdown table under a heading."""
        rows = [list(self.columns), ["---"] + ["---:"] * (len(self.columns) - 1)]
        rows += [[show(cell).replace("|", "\\|") for cell in row] for row in self.rows]
        return f"### {self.title}\n\n" + "\n".join("| " + " | ".join(row) + " |" for row in rows)


@dataclass
class Report:
    """What was measured, how, and what came out.

    Args:
        name: the measurement ("labels").
        command: the command line that repeats it.
        settings: what decides the figures (counts, seed, generator, device).
        figures: name → number; a share or a mIoU is in 0..1, a PSNR in dB, a time in seconds: the name says which.
        tables: details.
        notes: sentences a reader must know to judge the figures.
    """

    name: str
    command: str
    settings: dict[str, Any] = field(default_factory=dict)
    figures: dict[str, float] = field(default_factory=dict)
    tables: list[Table] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def summary(self) -> Table:
        """The figures as a table of two columns."""
        return Table(f"{self.name}: figures", ["figure", "value"], [[k, v] for k, v in self.figures.items()])

    def text(self) -> str:
        """The report as plain text."""
        return "\n\n".join([*(t.text() for t in self.tables), self.summary().text(), *self.notes])

    def markdown(self) -> str:
        """The content of `report.md`."""
        settings = "\n".join(f"- {key}: {value}" for key, value in self.settings.items())
        head = f"# {self.name}\n\n```\n{self.command}\n```\n\n{settings}"
        notes = "\n".join(f"- {note}" for note in self.notes)
        parts = [head, self.summary().markdown(), *(t.markdown() for t in self.tables), notes]
        return "\n\n".join(part for part in parts if part) + "\n"

    def json(self) -> str:
        """The content of `report.json`; NaN becomes null, as JSON has no NaN."""
        tables = [
            {"title": t.title, "columns": list(t.columns), "rows": [list(r) for r in t.rows]} for t in self.tables
        ]
        whole = {"name": self.name, "command": self.command, "settings": self.settings, "figures": self.figures,
                 "tables": tables, "notes": self.notes}  # fmt: skip
        return json.dumps(finite(whole), indent=2, ensure_ascii=False) + "\n"

    def save(self, folder: Path) -> None:
        """Write report.json and report.md into `folder`, which is made if missing."""
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "report.json").write_text(self.json(), encoding="utf-8")
        (folder / "report.md").write_text(self.markdown(), encoding="utf-8")


def show(cell: Cell) -> str:
    """A cell as text: three decimals, thousands separators, a dash for None and NaN."""
    if cell is None or (isinstance(cell, float) and not math.isfinite(cell)):
        return "–"
    if isinstance(cell, bool) or isinstance(cell, str):
        return str(cell)
    return f"{cell:.3f}" if isinstance(cell, float) else f"{cell:,}"


def finite(value: Any) -> Any:
    """The same tree with NaN and infinities as None and numpy numbers as Python's."""
    if isinstance(value, Mapping):
        return {str(key): finite(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [finite(item) for item in value]
    if hasattr(value, "item") and not isinstance(value, str):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value if isinstance(value, (str, int, float, bool, type(None))) else str(value)


def percent(share: float) -> str:
    """0.1234 as "12.3 %", a dash for NaN."""
    return f"{100 * share:.1f} %" if math.isfinite(share) else "–"
