"""What every engine has in common: the work, and the one interface by which those who do it differ."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from dataset_dm.plan.generation_plan import GenerationPlan
from dataset_dm.store.plans import stores

if TYPE_CHECKING:
    pass

# what became of a shard: made now, there already, or somebody else is making it
Outcome = Literal["made", "there", "busy"]


@dataclass(frozen=True, slots=True)
class Work:
    """One shard to make; `draw` is False where the images existed when it was looked for and only labels were missing.

    It says what is to be expected; whoever makes the shard looks again, for others fill the same store. With `anew`
    it is made although it is there: images and labels, or without `draw` the labels alone.
    """

    split: str
    shard: int
    draw: bool
    anew: bool = False

    def __str__(self) -> str:
        return f"shard {self.shard} of {self.split}"


def pending(plan: GenerationPlan, counts: Mapping[str, int], overwrite: bool = False) -> list[Work]:
    """What is missing for the first `counts[split]` rows of every split; everything when overwriting."""
    images, labels = stores(plan)
    work = []
    for split, count in counts.items():
        shards = plan.shards(count)
        undrawn = set(shards if overwrite else images.missing(split, shards))
        unread = set(shards if overwrite else labels.missing(split, shards))
        needed = [shard for shard in shards if shard in undrawn | unread]
        work += [Work(split, shard, draw=shard in undrawn, anew=overwrite) for shard in needed]
    return work
