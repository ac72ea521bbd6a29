"""XML of VOC and CVAT: written with indents; errors of reading are one line."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from pathlib import Path
from xml.etree import ElementTree

from dataset_dm.errors import DataError, explain


def text_of(root: ElementTree.Element) -> str:
    """The indented document, without an XML declaration."""
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding="unicode") + "\n"


def parse(file: Path, root: str) -> ElementTree.Element:
    """The root element of a file; DataError when it is damaged or of another kind."""
    try:
        found = ElementTree.parse(file).getroot()
    except (OSError, ElementTree.ParseError) as error:
        raise DataError(explain(f"{file}: cannot be read as XML ({error})")) from error
    if found.tag != root:
        raise DataError(explain(f"{file}: root element", got=found.tag, expected=root))
    return found


def number(value: str | None, place: str) -> float:
    """The finite number that a text spells; DataError naming the place for anything else."""
    try:
        found = float(value or "nan")
    except ValueError:
        found = math.nan
    if not math.isfinite(found):
        raise DataError(explain(place, got=value, expected="a number"))
    return found


def numbers(find: Callable[[str], str | None], names: Sequence[str], place: str) -> list[float]:
    """The finite numbers of several attributes or elements that `find` returns the texts of."""
    return [number(find(name), f"{place}: {name}") for name in names]


def plain(value: float) -> str:
    """A number with at most four decimals and without trailing zeros.

    >>> plain(3.0), plain(2.25)
    ('3', '2.25')
    """
    return f"{value:.4f}".rstrip("0").rstrip(".")
