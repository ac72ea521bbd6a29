"""mIoU of groups of classes: seen and unseen, head and tail."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from dataset_dm.metrics.semantic import Confusion


def grouped_miou(confusion: Confusion, groups: Mapping[int, str]) -> dict[str, float]:
    """Mean IoU of each group over those of its classes that occur; NaN where none does.

    Args:
        confusion: over ids 0 … k, 0 background.
        groups: class id → group name; ids left out (background, as a rule) count in no group.

    Raises:
        ValueError: an id that the confusion does not have.

    Example:
        >>> grouped_miou(confusion, {1: "head", 2: "tail", 3: "tail"})
        {'head': 0.8, 'tail': 0.45}
    """
    wrong = [k for k in groups if not 0 <= k < confusion.classes]
    if wrong:
        raise ValueError(f"groups: got class {wrong[0]}, expected 0..{confusion.classes - 1}")
    iou = confusion.iou()
    members: dict[str, list[float]] = {name: [] for name in groups.values()}
    for k, name in groups.items():
        if np.isfinite(iou[k]):
            members[name].append(float(iou[k]))
    return {name: float(np.mean(values)) if values else float("nan") for name, values in members.items()}


@dataclass(frozen=True)
class Split:
    """Which classes are measured apart; positions in the class list without background, empty for none.

    Args:
        unseen: classes that no training label showed; adds seen, unseen and harmonic mIoU.
        tail: classes with few labelled images; adds head and tail mIoU.
    """

    unseen: tuple[int, ...] = ()
    tail: tuple[int, ...] = ()

    def figures(self, confusion: Confusion) -> dict[str, float]:
        """`seen_miou`, `unseen_miou`, `harmonic_miou`, `head_miou`, `tail_miou`: those that were asked for."""
        found = seen_unseen(confusion, self.unseen) if self.unseen else {}
        if self.tail:
            found |= grouped_miou(
                confusion, {k: "tail" if k - 1 in self.tail else "head" for k in range(1, confusion.classes)}
            )
        return {f"{group}_miou": value for group, value in found.items()}

    def notes(self, names: Sequence[str]) -> list[str]:
        """What a report says of the groups; `names` without background."""
        groups = (("unseen", self.unseen), ("tail", self.tail))
        return [
            f"{group} classes: {', '.join(names[i] for i in of_group)}; background counts on neither side."
            for group, of_group in groups
            if of_group
        ]


def seen_unseen(confusion: Confusion, unseen: Sequence[int]) -> dict[str, float]:
    """seen, unseen and harmonic mIoU.

    Background, which every training shows and which is easy, counts on neither side.

    Args:
        unseen: positions in the class list without background (id - 1) of the classes that no training label showed.

    Raises:
        ValueError: no unseen class, none but unseen ones, or a position outside the list.
    """
    groups = {k: "unseen" if k - 1 in set(unseen) else "seen" for k in range(1, confusion.classes)}
    wrong = [i for i in unseen if not 0 <= i < confusion.classes - 1]
    if wrong:
        raise ValueError(f"seen_unseen: got position {wrong[0]}, expected 0..{confusion.classes - 2}")
    if set(groups.values()) != {"seen", "unseen"}:
        raise ValueError(f"seen_unseen: got {len(set(unseen))} unseen of {len(groups)} classes, expected some of each")
    found = grouped_miou(confusion, groups)
    return {"seen": found["seen"], "unseen": found["unseen"], "harmonic": harmonic(found["seen"], found["unseen"])}


def harmonic(first: float, second: float) -> float:
    """Harmonic mean of two shares; 0 when both are."""
    return 2 * first * second / (first + second) if first + second else 0.0
