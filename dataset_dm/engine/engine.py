"""Fills the shard store: lists what is missing, makes it with the chosen backend, reads the rows."""

from __future__ import annotations

import contextlib
import os
import platform
from collections.abc import Iterator, Mapping

from dataset_dm.engine.backlog import Backlog
from dataset_dm.engine.forks import must_ask_a_worker
from dataset_dm.engine.journal import Journal
from dataset_dm.engine.maker import Maker
from dataset_dm.engine.options import EngineChoice, resolve_engine
from dataset_dm.engine.termination import tidy_termination
from dataset_dm.engine.work import Work, pending
from dataset_dm.plan.generation_plan import GenerationPlan
from dataset_dm.prompts import prepare
from dataset_dm.store.plans import Report, Rows, describe, in_batches, note_wanted, read, stored_plan, stores


class Engine:
    """One plan's shards and the backend that makes them.

    Args:
        plan: what to make.
        device: "auto", "cpu", "cuda", …
        overwrite: make every shard again, once, even if it is stored.
        in_worker: never run the model in this process.
        keep_worker: leave the worker to the next engine of this process; it ends with the process.
        engine: the backend: a name, a dict with its options, or the choice itself; see `resolve_engine`.

    Use as a context manager, so that workers end with it.
    """

    def __init__(
        self,
        plan: GenerationPlan,
        *,
        device: str = "auto",
        overwrite: bool = False,
        in_worker: bool = False,
        keep_worker: bool = False,
        engine: object = None,
    ) -> None:
        self.plan, self.device, self.overwrite = plan, device, overwrite
        self.choice = resolve_engine(engine)
        self.images, self.labels = stores(plan)
        self._journal = Journal(plan, self.images, self.labels)
        self._maker = _maker(plan, device, self.choice, in_worker=in_worker, keep_worker=keep_worker)
        self._in_use: contextlib.ExitStack | None = None

    def __enter__(self) -> Engine:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    @property
    def seconds(self) -> Mapping[str, float]:
        """Stage → seconds spent so far, of all processes together."""
        return self._maker.seconds

    def close(self) -> None:
        """Ends the workers, if any run."""
        self._maker.close()
        if self._in_use is not None:
            self._in_use.close()
            self._in_use = None

    def fill(self, counts: Mapping[str, int], report: Report | None = None, *, work: list[Work] | None = None) -> int:
        """Makes what `counts` need and the store lacks; returns the number of shards made here.

        Waits for shards that another run is making at the same time.

        Args:
            counts: split → rows.
            report: called after every batch.
            work: what `pending` listed; None: it is listed here.
        """
        work = pending(self.plan, counts, self.overwrite) if work is None else work
        if not work:
            note_wanted(self.plan, counts)
            return 0
        # a language model is asked for its prompts once, here, before workers share the shards
        prepare(self.plan.prompts, self.plan.seed, self._undrawn(work))
        for store in (self.images, self.labels):
            if "plan" in store.manifest():
                stored_plan(store)  # raises for a set whose plan was changed: nothing is added to it
            describe(self.plan, store, wanted=counts)
        return self.complete(work, report)

    def make(self, work: Work, report: Report | None = None) -> None:
        """Makes and publishes one shard, unless another run just did."""
        self.complete([work], report)

    def complete(self, work: list[Work], report: Report | None = None) -> int:
        """Makes what is not stored of these shards, waits for those of other runs; returns the number made here."""
        if self.overwrite:
            work = [Work(one.split, one.shard, one.draw, redo=True) for one in work]
        backlog = Backlog(work, self._is_made, self.plan.shard_size, report, self.choice.makers, self._journal)
        if not work:
            return 0
        self._hold()
        self._journal.begun(work, self.choice, self.device)
        try:
            with tidy_termination():
                self._maker.fill(backlog)
            backlog.check()
        except BaseException as error:
            self._journal.ended(backlog.made, self.seconds, error)
            raise
        self._journal.ended(backlog.made, self.seconds, None)
        return backlog.made

    def rows(self, work: Work) -> Iterator[Rows]:
        """Image and label rows of a shard, batch by batch as they are made; published just before the last one comes.

        A shard that is in the store, or that another process makes, comes in the same batches. A reader may stop
        anywhere: it holds no lock.
        """
        work = Work(work.split, work.shard, work.draw, redo=work.redo or self.overwrite)
        if self._is_made(work):
            made = iter([self.read(work.split, work.shard)])
        else:
            self._hold()
            made = self._made(work)
        for images, labels in made:
            yield from in_batches(images, labels, self.plan.batch_size)

    def _made(self, work: Work) -> Iterator[Rows]:
        yield from self._maker.rows(work)
        self._journal.settled(work, "made")

    def read(self, split: str, shard: int) -> Rows:
        """Image rows (without latents) and label rows of a finished shard."""
        return read(self.plan, self.images, self.labels, split, shard)

    def _undrawn(self, work: list[Work]) -> dict[str, int]:
        """Split → number of its first samples that include all images to draw; stored ones have their prompts."""
        counts: dict[str, int] = {}
        for one in work:
            if one.draw:
                counts[one.split] = max(counts.get(one.split, 0), self.plan.shard_indices(one.shard).stop)
        return counts

    def _is_made(self, work: Work) -> bool:
        return not work.redo and all(store.has(work.split, work.shard) for store in (self.images, self.labels))

    def _hold(self) -> None:
        """Marks the plan as in use until the engine is closed, so that `gc` does not remove it between two shards."""
        if self._in_use is None:
            self._in_use = contextlib.ExitStack()
            for store in (self.images, self.labels):
                self._in_use.enter_context(store.in_use(f"{platform.node()}-{os.getpid()}-{id(self):x}"))


def _maker(plan: GenerationPlan, device: str, choice: EngineChoice, *, in_worker: bool, keep_worker: bool) -> Maker:
    if choice.name == "ray" and not must_ask_a_worker():  # Ray does not survive a fork either
        from dataset_dm.engine.ray import OnRay

        return OnRay(plan, device=device, choice=choice)
    if choice.name != "local" or in_worker:
        from dataset_dm.engine.processes import Processes

        return Processes(plan, device=device, choice=choice, keep=keep_worker)
    from dataset_dm.engine.local import Local

    return Local(plan, device=device, threads=choice.threads)
