"""The shards to make, and what the store lacks of a plan."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from dataset_dm.plan.generation_plan import GenerationPlan
from dataset_dm.store.plans import stores

# of a shard: made now, in the store already, or another worker is making it
Outcome = Literal["made", "there", "busy"]


@dataclass(frozen=True, slots=True)
class Work:
    """One shard to make; `draw` is False where its images were stored when it was listed and only labels were missing.

    Workers check the store again before they make a shard, since several runs may fill it. With `redo` it is made even
    if it is stored: images and labels, or without `draw` the labels alone.
    """

    split: str
    shard: int
    draw: bool
    redo: bool = False

    def __str__(self) -> str:
        return f"shard {self.shard} of {self.split}"


def pending(plan: GenerationPlan, counts: Mapping[str, int], overwrite: bool = False) -> list[Work]:
    """What is missing for the first `counts[split]` rows of every split; everything when overwriting.

    Lists the folder of each split once in either store.
    """
    images, labels = stores(plan)
    work = []
    for split, count in counts.items():
        shards = plan.shards(count)
        undrawn = set(shards if overwrite else images.missing(split, shards))
        unread = set(shards if overwrite else labels.missing(split, shards))
        needed = [shard for shard in shards if shard in undrawn | unread]
        work += [Work(split, shard, draw=shard in undrawn, redo=overwrite) for shard in needed]
    return work
