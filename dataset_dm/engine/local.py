"""Makes shards in this process: draws and labels them batch by batch, and publishes each when it is whole."""

from __future__ import annotations

import contextlib
import hashlib
import json
import time
import warnings
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from dataset_dm.engine.backlog import Backlog
from dataset_dm.engine.base import Outcome, Report, Rows, Work, describe, stores
from dataset_dm.plan import GenerationPlan
from dataset_dm.shards import ShardStore

if TYPE_CHECKING:
    import pyarrow as pa

    from dataset_dm.generate import Session


class Local:
    """A maker that is this process.

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
        """Makes one shard, unless somebody else just did or is at it."""
        with self._claim(work) as mine:
            if not mine:
                return "busy"
            if self._is_made(work):
                return "there"
            for images, _ in self.rows(work):
                progress(images.num_rows)
        return "made"

    def rows(self, work: Work) -> Iterator[Rows]:
        """The rows of a shard, batch by batch as they are made; published just before the last batch comes.

        No lock is held: a reader may stop anywhere and stay so.
        """
        split, shard = work.split, work.shard
        session = self.session()
        draw = (work.anew and work.draw) or not self.images.has(split, shard)
        stored = None if draw else self.images.rows(split, shard)
        image_parts, label_parts = [], []
        last = self.plan.shard_size // self.plan.batch_size
        for number, batch in enumerate(session.batches(split, shard, stored), start=1):
            image_parts.append(batch.images)
            label_parts.append(batch.labels)
            if number == last:  # before it is handed out: whoever reads a whole shard leaves it in the store
                self._publish(work, draw, image_parts, label_parts)
            yield batch.images, batch.labels

    def close(self) -> None:
        """Nothing was started."""

    def session(self) -> Session:
        """The models of the plan."""
        if self._session is None:
            start = time.perf_counter()
            from dataset_dm.generate import Session  # torch and diffusers, only when something must be made

            if self.threads is not None:
                import torch

                torch.set_num_threads(self.threads)
            self._session = Session(self.plan, self.device)
            self._session.seconds["import"] += time.perf_counter() - start
        return self._session

    def _is_made(self, work: Work) -> bool:
        stored = self.images.has(work.split, work.shard) and self.labels.has(work.split, work.shard)
        return stored and not work.anew

    @contextlib.contextmanager
    def _claim(self, work: Work) -> Iterator[bool]:
        """Locks the shard's labels, and where it must be drawn its images: another annotator shares them."""
        name = f"{work.split}-{work.shard}"
        with contextlib.ExitStack() as held:
            mine = held.enter_context(self.labels.lock(name, wait=False))
            if mine and (work.anew or not self.images.has(work.split, work.shard)):
                mine = held.enter_context(self.images.lock(name, wait=False))
            yield mine

    def _publish(self, work: Work, draw: bool, images: list[pa.Table], labels: list[pa.Table]) -> None:
        import pyarrow as pa

        session = self.session()
        start = time.perf_counter()
        facts = session.environment()
        made = {"environment": _short(facts), **({"halved_batch": session.halved} if session.halved else {})}
        # labels last: a shard counts as made when both are there
        parts = [(self.images, images)] if draw else []
        for store, tables in (*parts, (self.labels, labels)):
            told = (store.kind, made["environment"])
            if told not in self._described:  # a lock and several requests, where the store is far away
                self._compare(store, facts)
                describe(self.plan, store, environment=made["environment"], facts=facts)
                self._described.add(told)
            extra = {"seconds": self._spent()} if store is self.labels else {}
            table = pa.concat_tables(tables)
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
        """Says once that a set goes on under other conditions than it was begun under."""
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


def _dropped(table: pa.Table) -> dict[str, int]:
    """Reason → rows of a shard that no set will show."""
    from dataset_dm.shard_schema import unusable

    if "unsafe" not in table.column_names:
        return {}
    return dict(Counter(reason for reason in unusable(table) if reason))


def _flat(facts: Mapping[str, Any]) -> dict[str, Any]:
    """The facts of an environment, versions among them by their names."""
    return {**{name: value for name, value in facts.items() if name != "versions"}, **facts.get("versions", {})}


def _short(facts: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:12]
