"""Facts of a card that the parquet files do not hold, and the two files that store them.

`plan.json` says how every config was made, `drops.json` what was left out and why. Both stand beside the card, in a
folder and on the Hub, so that later cards can be made from them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dataset_dm.cards.private import public
from dataset_dm.errors import DataError, explain

PLAN, DROPS = "plan.json", "drops.json"
FORMAT = 1  # of both files; raised when older ones can no longer be read


@dataclass(frozen=True, kw_only=True)
class CardFacts:
    """Facts of a card that the parquet files do not hold.

    Args:
        name: the dataset's name ("voc_synth").
        config: its config, which is also the config's name in the card ("semantic").
        command: the command line (or the Python call) that made it.
        settings: what determines the pixels, shown in this order (generator, revision, sampler, size, seed …).
        classes: class names, background first; an empty tuple where a task has none.
        dropped: reason → number of samples left out.
        dropped_objects: reason → number of objects left out of samples that stay.
        listed: split → reason → indices of the samples left out.
        limits: sentences to add to the card's limits.
        license: an SPDX id, if the terms of the generator allow one.
        plan: `GenerationPlan.to_dict()`, kept in plan.json; None if unknown.
    """

    name: str
    config: str
    command: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    classes: Sequence[str] = ()
    dropped: Mapping[str, int] = field(default_factory=dict)
    dropped_objects: Mapping[str, int] = field(default_factory=dict)
    listed: Mapping[str, Mapping[str, Sequence[int]]] = field(default_factory=dict)
    limits: Sequence[str] = ()
    license: str | None = None
    plan: Mapping[str, Any] | None = None

    def planned(self) -> dict[str, Any]:
        """The part of this config in plan.json, without local folders and tokens."""
        return public(
            {
                "dataset": self.name,
                "command": self.command,
                "settings": dict(self.settings),
                "classes": list(self.classes),
                "limits": list(self.limits),
                "license": self.license,
                "plan": None if self.plan is None else dict(self.plan),
            }
        )

    def drops(self) -> dict[str, dict[str, Any]]:
        """The part of this config in drops.json: count and indices by reason."""
        listed = {split: {why: list(rows) for why, rows in reasons.items()} for split, reasons in self.listed.items()}
        return {
            "samples": dict(self.dropped),
            "objects": dict(self.dropped_objects),
            **({"indices": listed} if listed else {}),
        }


def write_facts(folder: Path, facts: CardFacts) -> None:
    """Writes plan.json and drops.json of a folder of one config."""
    for name, part in ((PLAN, facts.planned()), (DROPS, facts.drops())):
        (folder / name).write_bytes(to_bytes({facts.config: part}))


def to_bytes(configs: Mapping[str, Any]) -> bytes:
    """One of the two files: config → its part."""
    text = json.dumps({"format": FORMAT, "configs": dict(configs)}, indent=2, ensure_ascii=False)
    return (text + "\n").encode()


def parse(content: bytes | None, name: str) -> dict[str, Any]:
    """The inverse of `to_bytes`, {} for None; DataError for any other content."""
    if content is None:
        return {}
    try:
        read = json.loads(content)
        if read["format"] == FORMAT and isinstance(read["configs"], dict):
            return read["configs"]
    except (ValueError, KeyError, TypeError):
        pass
    raise DataError(explain(f"{name} is not one that dataset-dm of this version writes", remedy="remove or rename it"))


def read_facts(folder: Path) -> CardFacts:
    """The facts of a folder that `dataset-dm generate … --out` wrote.

    Raises:
        DataError: another folder, or damaged files.
    """
    if not (folder / PLAN).is_file():
        remedy = "give a folder that `dataset-dm generate … --out DIR` wrote (an older one: run it again with --resume)"
        raise DataError(explain(f"{folder}: no {PLAN} in it", remedy=remedy))
    planned = parse((folder / PLAN).read_bytes(), f"{folder / PLAN}")
    drops = parse((folder / DROPS).read_bytes() if (folder / DROPS).is_file() else None, f"{folder / DROPS}")
    if len(planned) != 1:
        raise DataError(explain(f"{folder / PLAN}", got=list(planned), expected="one config"))
    ((config, part),) = planned.items()
    left_out = drops.get(config, {})
    return CardFacts(
        name=part["dataset"],
        config=config,
        command=part["command"],
        settings=part["settings"],
        classes=tuple(part["classes"]),
        dropped=left_out.get("samples", {}),
        dropped_objects=left_out.get("objects", {}),
        listed=left_out.get("indices", {}),
        limits=tuple(part["limits"]),
        license=part["license"],
        plan=part["plan"],
    )
