"""Fills the shard store: looks what is missing, makes it here or has it made by a worker, publishes it."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dataset_dm.plan import GenerationPlan
from dataset_dm.shards import ShardStore

if TYPE_CHECKING:
    import pyarrow as pa

    from dataset_dm.engine.worker import Worker
    from dataset_dm.generate import Session

# told after every batch: how many samples were just finished
Report = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Work:
    """One shard to make; `draw` is False where the images existed when it was looked for and only labels were missing.

    It says what is to be expected; whoever makes the shard looks again, for others fill the same store.
    """

    split: str
    shard: int
    draw: bool


def pending(plan: GenerationPlan, counts: Mapping[str, int], overwrite: bool = False) -> list[Work]:
    """What is missing for the first `counts[split]` rows of every split; everything when overwriting."""
    images, labels = stores(plan)
    work = []
    for split, count in counts.items():
        shards = plan.shards(count)
        undrawn = set(shards if overwrite else images.missing(split, shards))
        unread = set(shards if overwrite else labels.missing(split, shards))
        work += [Work(split, shard, shard in undrawn) for shard in shards if shard in undrawn | unread]
    return work


def stores(plan: GenerationPlan) -> tuple[ShardStore, ShardStore]:
    """The image store and the label store of a plan."""
    return (
        ShardStore.open("images", plan.image_fingerprint()),
        ShardStore.open("labels", plan.label_fingerprint()),
    )


class Engine:
    """Makes shards one after the other in this process, or in one worker process.

    Args:
        plan: what to make.
        device: "auto", "cpu", "cuda", …
        overwrite: make every shard anew, once, even if it is there.
        in_worker: never run the model in this process.
        keep_worker: leave the worker to the next engine of this process; it ends with the process.

    Use as a context manager, so that a worker ends with it.
    """

    def __init__(
        self,
        plan: GenerationPlan,
        *,
        device: str = "auto",
        overwrite: bool = False,
        in_worker: bool = False,
        keep_worker: bool = False,
    ) -> None:
        self.plan, self.device, self.overwrite = plan, device, overwrite
        self.in_worker, self.keep_worker = in_worker, keep_worker
        self.images, self.labels = stores(plan)
        self.seconds: dict[str, float] = defaultdict(float)
        self._session: Session | None = None
        self._worker: Worker | None = None

    def __enter__(self) -> Engine:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def close(self) -> None:
        """Ends the worker, if there is one."""
        if self._worker is not None and not self.keep_worker:
            self._worker.close()
        self._worker = None

    def fill(self, counts: Mapping[str, int], report: Report | None = None) -> int:
        """Makes what `counts` need and the store lacks; returns the number of shards made."""
        work = pending(self.plan, counts, self.overwrite)
        for item in work:
            self.make(item, report)
        return len(work)

    def make(self, work: Work, report: Report | None = None) -> None:
        """Makes and publishes one shard, unless somebody else just did."""
        if self.in_worker:
            self._ask_worker(work)
            if report is not None:
                report(self.plan.shard_size)
            return
        with self.labels.lock(f"{work.split}-{work.shard}"):
            for images, _ in self.rows(work):
                if report is not None:
                    report(images.num_rows)

    def rows(self, work: Work) -> Iterator[tuple[pa.Table, pa.Table]]:
        """Image and label rows of a shard, batch by batch as they are made; published just before the last one comes.

        A shard that is in the store comes whole, at once. No lock is held: a reader may stop anywhere and stay so.
        """
        if not self.overwrite and self._is_made(work.split, work.shard):
            yield self.read(work.split, work.shard)
        elif self.in_worker:
            self._ask_worker(work)
            yield self.read(work.split, work.shard)
        else:
            yield from self._make_here(work)

    def read(self, split: str, shard: int) -> tuple[pa.Table, pa.Table]:
        """Image rows (without latents) and label rows of a finished shard."""
        columns = ["index", "attempt", "seed", "prompt", "image", "width", "height", "unsafe"]
        return self.images.read(split, shard, columns), self.labels.read(split, shard)

    def _is_made(self, split: str, shard: int) -> bool:
        return self.images.has(split, shard) and self.labels.has(split, shard)

    def _make_here(self, work: Work) -> Iterator[tuple[pa.Table, pa.Table]]:
        split, shard = work.split, work.shard
        session = self._open_session()
        draw = self.overwrite or not self.images.has(split, shard)
        stored = None if draw else self.images.read(split, shard)
        image_parts, label_parts = [], []
        last = self.plan.shard_size // self.plan.batch_size
        for number, batch in enumerate(session.batches(split, shard, stored), start=1):
            image_parts.append(batch.images)
            label_parts.append(batch.labels)
            if number == last:  # before it is handed out: whoever reads a whole shard leaves it in the store
                self._publish(work, draw, image_parts, label_parts)
            yield batch.images, batch.labels

    def _publish(self, work: Work, draw: bool, images: list[pa.Table], labels: list[pa.Table]) -> None:
        import pyarrow as pa

        session = self._open_session()
        start = time.perf_counter()
        facts = session.environment()
        made = {"environment": _short(facts), **({"halved_batch": session.halved} if session.halved else {})}
        # labels last: a shard counts as made when both are there
        for store, parts in ((self.images, images), (self.labels, labels)):
            if store is self.images and not draw:
                continue
            store.describe(self.plan.to_dict(), made["environment"], facts)
            store.write(work.split, work.shard, pa.concat_tables(parts), made)
        session.seconds["write"] += time.perf_counter() - start
        self.seconds = session.seconds

    def _open_session(self) -> Session:
        if self._session is None:
            start = time.perf_counter()
            from dataset_dm.generate import Session  # torch and diffusers, only when something must be made

            self._session = Session(self.plan, self.device)
            self._session.seconds["import"] += time.perf_counter() - start
        return self._session

    def _ask_worker(self, work: Work) -> None:
        from dataset_dm.engine.worker import Worker, kept_worker

        if self._worker is None:
            self._worker = (kept_worker if self.keep_worker else Worker)(self.plan, device=self.device)
        self._worker.make(work.split, work.shard, overwrite=self.overwrite)


def _short(facts: Mapping[str, Any]) -> str:
    import hashlib
    import json

    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:12]
