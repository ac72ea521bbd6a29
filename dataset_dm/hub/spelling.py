"""Lists in the features of a card, spelled so that every version of `datasets` reads the same columns.

Version 4 renamed `sequence` to `list`. It reads both words, but earlier versions read `list` as a plain Python list: no
`feature` in which scripts look for class names, and no dict of lists. So cards always say `sequence`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_LISTS = ("list", "sequence")
_KINDS = (*_LISTS, "large_list", "struct", "dtype")


def in_old_spelling(info: Mapping[str, Any]) -> dict[str, Any]:
    """The entry of a config in `dataset_info` with its features in that spelling; the rest is unchanged."""
    if "features" not in info:
        return dict(info)
    return {**info, "features": [_spelled(feature) for feature in info["features"]]}


def _spelled(feature: Mapping[str, Any]) -> dict[str, Any]:
    """A field (with its name) or the element of a list; keys keep their order, the first after the name is the kind."""
    spelled = {}
    for key, inner in feature.items():
        if key == "struct" and all(_is_list(field) for field in inner):
            spelled["sequence"] = [_spelled(_one_of(field)) for field in inner]
        elif key == "struct" or (key in _LISTS and isinstance(inner, list)):
            # a `list` of structs is a list of dicts, a `sequence` of them a dict of lists
            spelled[key] = [_spelled(field) for field in inner]
        elif key in _LISTS:
            spelled["sequence"] = _spelled(inner) if isinstance(inner, Mapping) else inner
        else:
            spelled[key] = inner
    return spelled


def _is_list(field: Mapping[str, Any]) -> bool:
    return "list" in field or ("sequence" in field and not isinstance(field["sequence"], list))


def _one_of(field: Mapping[str, Any]) -> dict[str, Any]:
    """The field for one element of a field that is a list."""
    kind = "list" if "list" in field else "sequence"
    inner, rest = field[kind], {key: value for key, value in field.items() if key != kind}
    if isinstance(inner, list):
        return {**rest, "struct": inner}
    return {**rest, **inner} if isinstance(inner, Mapping) and next(iter(inner)) in _KINDS else {**rest, "dtype": inner}
