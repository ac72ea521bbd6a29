"""Log records of a run, by the logger `dataset_dm.engine`: when it begins and ends, and for every shard.

The message is for people; `record.event` and `record.facts` hold the same for programs. Any handler of Python's logging
receives them; `log_file.JsonLines` and `trackers.Trackers` are such handlers.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any

from dataset_dm.engine.options import EngineChoice
from dataset_dm.engine.work import Outcome, Work
from dataset_dm.plan.generation_plan import GenerationPlan
from dataset_dm.store.shards import ShardRecord, ShardStore

LOG = logging.getLogger("dataset_dm.engine")
LOG.addHandler(logging.NullHandler())  # without a handler nothing is printed


def tell(event: str, line: str, *, level: int = logging.INFO, **facts: Any) -> None:
    """One record; a fact that is None is left out."""
    known = {name: value for name, value in facts.items() if value is not None}
    LOG.log(level, line, extra={"event": event, "facts": known})


class Journal:
    """The records of one engine.

    Args:
        plan: what is made.
        images, labels: their stores; facts of a shard are read from its records there.
    """

    def __init__(self, plan: GenerationPlan, images: ShardStore, labels: ShardStore) -> None:
        self.plan, self.images, self.labels = plan, images, labels

    def begun(self, work: Sequence[Work], choice: EngineChoice, device: str) -> None:
        """Logs what is to be made."""
        tell(
            "begun",
            f"{len(work)} shards are missing, engine {choice.name}",
            shards=len(work),
            samples=len(work) * self.plan.shard_size,
            engine=choice.name,
            workers=choice.workers,
            device=device,
            images=self.plan.image_fingerprint,
            labels=self.plan.label_fingerprint,
            generator=self.plan.generator,
            annotator=self.plan.annotator,
        )

    def settled(self, work: Work, outcome: Outcome) -> None:
        """Logs a shard that was made here or elsewhere; one that is busy is not logged yet."""
        if outcome == "busy" or not LOG.isEnabledFor(logging.INFO):
            return
        read, drawn = (store.record(work.split, work.shard) for store in (self.labels, self.images))
        made = outcome == "made"
        halved = next((one.made["halved_batch"] for one in (drawn, read) if one and "halved_batch" in one.made), None)
        tell(
            "shard",
            f"{work} {'made' if made else 'was made elsewhere'}",
            split=work.split,
            shard=work.shard,
            outcome=outcome,
            samples=self.plan.shard_size,
            seconds=_seconds(read) if made else None,
            dropped=dict(drawn.dropped) if drawn and drawn.dropped else None,
            halved_batch=halved,
            host=read.host if read else None,
        )

    def lost(self, work: Work, why: str, *, again: bool) -> None:
        """Logs that the worker of a shard was lost."""
        line = f"{work}: {why}; {'it is tried again' if again else 'given up'}"
        tell("lost", line, level=logging.WARNING, split=work.split, shard=work.shard, why=why, again=again)

    def ended(self, made: int, seconds: Mapping[str, float], error: BaseException | None) -> None:
        """Logs the end of the run, or that `error` ended it."""
        spent = {stage: round(value, 3) for stage, value in seconds.items()}
        why = None if error is None else f"{type(error).__name__}: {error}"
        line = f"{made} shards made" if why is None else f"{made} shards made, then broken off ({why})"
        tell("ended", line, level=logging.ERROR if why else logging.INFO, made=made, seconds=spent, error=why)


def _seconds(record: ShardRecord | None) -> dict[str, float] | None:
    return dict(record.seconds) if record is not None and record.seconds else None
