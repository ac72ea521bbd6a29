"""XML as VOC and CVAT have it: written with indents, read with one clear line for what is wrong."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

from dataset_dm.errors import DataError, explain


def text_of(root: ElementTree.Element) -> str:
    """The document, indented, with its declaration unless it is a part of one."""
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
    """A finite number; DataError with the place when it is none."""
    try:
        found = float(value) if value is not None else float("nan")
    except ValueError:
        found = float("nan")
    if found != found or found in (float("inf"), float("-inf")):
        raise DataError(explain(place, got=value, expected="a number"))
    return found


def plain(value: float) -> str:
    """A number without needless zeros.

    >>> plain(3.0), plain(2.25)
    ('3', '2.25')
    """
    return f"{value:.4f}".rstrip("0").rstrip(".")
