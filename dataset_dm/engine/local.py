"""Makes shards in this process: draws and labels them batch by batch, publishes each when it is complete."""

from __future__ import annotations

import contextlib
import gc
import hashlib
import itertools
import json
import time
import warnings
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from dataset_dm.engine.backlog import Backlog
from dataset_dm.engine.work import Outcome, Work
from dataset_dm.plan.generation_plan import GenerationPlan
from dataset_dm.store.pieces import Pieces
from dataset_dm.store.plans import Report, Rows, describe, in_batches, read, stores
from dataset_dm.store.shards import ShardStore

if TYPE_CHECKING:
    import pyarrow as pa

    from dataset_dm.generation.session import Session


class Local:
    """The backend that runs in this process.

    Args:
        plan: what to make.
        device: "auto", "cpu", "cuda", …
        threads: of torch; None leaves them as they are.
    """

    def __init__(self, plan: GenerationPlan, *, device: str = "auto", threads: int | None = None) -> None:
        self.plan, self.device, self.threads = plan, device, threads
        self.images, self.labels = stores(plan)
        self.seconds: dict[str, float] = defaultdict(float)
        self._recorded: dict[str, float] = defaultdict(float)
        self._session: Session | None = None
        self._compared = False
        self._described: set[tuple[str, str]] = set()

    def fill(self, backlog: Backlog) -> None:
        """One shard after the other."""
        while (work := backlog.take()) is not None:
            backlog.settle(work, self.attempt(work, lambda rows, work=work: backlog.progress(work, rows)))

    def attempt(self, work: Work, progress: Report) -> Outcome:
        """Makes one shard, unless it is stored by now or another worker is making it."""
        with self._claim(work) as mine:
            if not mine:
                return "busy"
            if self._is_made(work):
                return "there"
            begun = self._begin(work)
            while len(begun.parts) < self.plan.batches_per_shard:
                images, _ = self._next(begun)
                progress(images.num_rows)
        return "made"

    def rows(self, work: Work) -> Iterator[Rows]:
        """The rows of a shard, batch by batch as they are made; published just before the last batch comes.

        The shard is locked while a batch is made and never in between: a reader may stop anywhere. Its batches are
        stored as pieces, and the next reader of the shard continues from there.
        """
        begun, given = None, 0
        while given < self.plan.batches_per_shard:
            with self._claim(work, wait=True):
                if self._is_made(work):  # by another worker, meanwhile
                    break
                begun = begun or self._begin(work)
                part = self._next(begun, leave=not work.redo)
            given += 1
            yield part
        if given < self.plan.batches_per_shard:
            made = read(self.plan, self.images, self.labels, work.split, work.shard)
            yield from itertools.islice(in_batches(*made, self.plan.batch_size), given, None)

    def close(self) -> None:
        """No-op."""

    def session(self) -> Session:
        """The models of the plan."""
        if self._session is None:
            start = time.perf_counter()
            with without_collection():
                # torch and diffusers, only when something must be made
                from dataset_dm.generation.session import Session

            if self.threads is not None:
                import torch

                torch.set_num_threads(self.threads)
            self._session = Session(self.plan, self.device)
            self._session.seconds["import"] += time.perf_counter() - start
        return self._session

    def _is_made(self, work: Work) -> bool:
        stored = self.images.has(work.split, work.shard) and self.labels.has(work.split, work.shard)
        return stored and not work.redo

    def _begin(self, work: Work) -> _Begun:
        draw = (work.redo and work.draw) or not self.images.has(work.split, work.shard)
        stored = None if draw else self.images.rows(work.split, work.shard)
        pieces = Pieces((self.images, self.labels) if draw else (self.labels,), work.split, work.shard)
        return _Begun(work, stored, pieces)

    def _next(self, begun: _Begun, *, leave: bool = False) -> Rows:
        """One more batch: from the piece that a stream stored, or made now. The last one publishes the shard.

        With `leave` it is stored in a piece for the next reader of the shard.
        """
        number, last = len(begun.parts), self.plan.batches_per_shard - 1
        rows = None if begun.work.redo or not last else self._left(begun, number)
        if rows is None:
            rows, halved = self._make(begun, number)
            # a piece has no mark of a halved batch
            if leave and number < last and halved is None:
                begun.pieces.write(number, rows[-len(begun.pieces.stores) :], self._conditions())
        begun.parts.append(rows)
        if number == last:  # before it is yielded: a reader that stops here has stored the shard
            self._publish(begun)
            if last:
                Pieces((self.images, self.labels), begun.work.split, begun.work.shard).remove()
        return rows

    def _left(self, begun: _Begun, number: int) -> Rows | None:
        found = begun.pieces.read(number, self._conditions())
        if found is None:
            return None
        images = found[0] if begun.stored is None else begun.stored.slice(number * self.plan.batch_size, len(found[-1]))
        return images, found[-1]

    def _make(self, begun: _Begun, number: int) -> tuple[Rows, int | None]:
        """A batch, and the size it was halved to for lack of memory, None if it was not."""
        session = self.session()
        session.halved = None
        batch = session.batch(begun.work.split, begun.work.shard, number, begun.stored)
        begun.halved = min(filter(None, (begun.halved, session.halved)), default=None)
        return (batch.images, batch.labels), session.halved

    def _conditions(self) -> dict[str, str]:
        """What equal bytes depend on besides the plan, by its short name."""
        return {"environment": _short(self.session().environment())}

    @contextlib.contextmanager
    def _claim(self, work: Work, *, wait: bool = False) -> Iterator[bool]:
        """Locks the shard's labels, and its images if they must be drawn: other annotators share them.

        These locks are held only while a batch is made, so waiting for them ends.
        """
        name = f"{work.split}-{work.shard}"
        with contextlib.ExitStack() as held:
            mine = held.enter_context(self.labels.lock(name, wait=wait))
            if mine and (work.redo or not self.images.has(work.split, work.shard)):
                mine = held.enter_context(self.images.lock(name, wait=wait))
            yield mine

    def _publish(self, begun: _Begun) -> None:
        import pyarrow as pa

        from dataset_dm.store.schema import stored_columns

        session, work = self.session(), begun.work
        start = time.perf_counter()
        facts = session.environment()
        made = {**self._conditions(), **({"halved_batch": begun.halved} if begun.halved else {})}
        images, labels = (pa.concat_tables(tables) for tables in zip(*begun.parts, strict=True))
        labels = labels.select(stored_columns(self.plan.tasks))
        # labels last: a shard counts as made when both are there
        parts = [(self.images, images)] if begun.stored is None else []
        for store, table in (*parts, (self.labels, labels)):
            described = (store.kind, made["environment"])
            if described not in self._described:  # a lock and several requests, where the store is far away
                self._compare(store, facts)
                describe(self.plan, store, environment=made["environment"], facts=facts)
                self._described.add(described)
            extra = {"seconds": self._spent()} if store is self.labels else {}
            store.write(work.split, work.shard, table, made, dropped=_dropped(table), **extra)
        session.seconds["write"] += time.perf_counter() - start
        self.seconds = session.seconds

    def _spent(self) -> dict[str, float]:
        """Seconds by stage since the last shard; writing a shard counts to the next one."""
        now = dict(self.session().seconds)
        spent = {stage: total - self._recorded[stage] for stage, total in now.items()}
        self._recorded.update(now)
        return {stage: seconds for stage, seconds in spent.items() if seconds > 0}

    def _compare(self, store: ShardStore, facts: Mapping[str, Any]) -> None:
        """Warns once that a set is continued under other conditions than it was begun under."""
        if self._compared:
            return
        known = list(store.manifest().get("environments", {}).values())
        self._compared = bool(known)
        if not known or facts in known:
            return
        here = _flat(facts)
        there = min(map(_flat, known), key=lambda one: sum(one.get(name) != here.get(name) for name in {*one, *here}))
        differing = ", ".join(
            f"{name} was {there.get(name)!r} and is {here.get(name)!r}"
            for name in sorted({*there, *here})
            if there.get(name) != here.get(name)
        )
        warnings.warn(
            f"this set was begun under other conditions ({differing}): new shards agree with what they would have been "
            "there within 2/255 and on 99.9 % of label pixels, not to the last bit",
            UserWarning,
            stacklevel=2,
        )


@contextlib.contextmanager
def without_collection() -> Iterator[None]:
    """No garbage collection meanwhile: imports of many modules, which leave no garbage, take an eighth less time."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


@dataclass(slots=True)
class _Begun:
    """A shard of which some batches are made.

    Args:
        work: which one.
        stored: its image rows, when only labels are missing.
        pieces: where streams leave batches of it.
        parts: the batches.
        halved: the smallest batch that lack of memory forced, None if none did.
    """

    work: Work
    stored: pa.Table | None
    pieces: Pieces
    parts: list[Rows] = field(default_factory=list)
    halved: int | None = None


def _dropped(table: pa.Table) -> dict[str, int]:
    """Reason → rows of a shard that no set will show."""
    from dataset_dm.store.schema import unusable

    if "unsafe" not in table.column_names:
        return {}
    return dict(Counter(reason for reason in unusable(table) if reason))


def _flat(facts: Mapping[str, Any]) -> dict[str, Any]:
    """The facts of an environment, versions among them by their names."""
    return {**{name: value for name, value in facts.items() if name != "versions"}, **facts.get("versions", {})}


def _short(facts: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:12]
