"""The queue of shards to make, with those that are taken, busy elsewhere, done or requeued."""

from __future__ import annotations

import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Sequence

from dataset_dm.engine.journal import Journal
from dataset_dm.engine.work import Outcome, Work
from dataset_dm.errors import StoreError
from dataset_dm.store.plans import Report

# attempts at a shard whose worker dies or hangs
ATTEMPTS = 3
# so many failures without a success in between mean that no shard can be made here
_IN_A_ROW = 2 * ATTEMPTS
# seconds until a shard that another run is making is checked again
_POLL = 0.25


class Backlog:
    """Safe for several threads.

    Args:
        work: the shards.
        is_made: whether a shard is in the store.
        rows: samples of one shard.
        report: called after every batch; with a negative number when a shard is requeued half-made.
        makers: how many make shards at the same time.
        journal: records the outcome of every shard.
    """

    def __init__(
        self,
        work: Sequence[Work],
        is_made: Callable[[Work], bool],
        rows: int,
        report: Report | None = None,
        makers: int = 1,
        journal: Journal | None = None,
    ) -> None:
        self.made = 0
        self._ready, self._all = deque(work), len(work)
        self._is_made, self._rows, self._report = is_made, rows, report
        self._journal = journal
        self._most_in_a_row = max(_IN_A_ROW, ATTEMPTS * makers)
        self._out: set[Work] = set()
        self._busy: dict[Work, float] = {}  # when to look again, by the clock that never jumps
        self._reported: Counter[Work] = Counter()
        self._attempts: Counter[Work] = Counter()
        self._lost: dict[Work, str] = {}
        self._in_a_row = 0
        self._stopped = False
        self._changed = threading.Condition(threading.RLock())

    def take(self, *, wait: bool = True) -> Work | None:
        """The next shard, first those that no other run is making; None if none is left, or without `wait` none now."""
        with self._changed:
            while not self._stopped:
                work = self._next()
                if work is not None:
                    self._out.add(work)
                    return work
                if not (self._busy or self._out) or not wait:
                    return None
                self._changed.wait(_POLL)  # one that is out may come back
            return None

    def is_over(self) -> bool:
        """Whether no shard is left, taken or busy."""
        with self._changed:
            return self._stopped or not (self._ready or self._busy or self._out)

    def progress(self, work: Work, rows: int) -> None:
        """Some samples of a shard are finished."""
        with self._changed:
            self._reported[work] += rows
            if self._report is not None and rows:
                self._report(rows)

    def settle(self, work: Work, outcome: Outcome) -> None:
        """Records that a taken shard is stored, or that another run is making it."""
        with self._changed:
            self._out.discard(work)
            if outcome == "busy":
                self._busy[work] = time.monotonic() + _POLL
            else:
                self.made += outcome == "made"
                self._in_a_row = 0
                self.progress(work, self._rows - self._reported[work])
                if self._journal is not None:
                    self._journal.settled(work, outcome)
            self._changed.notify_all()

    def failed(self, work: Work, why: str, *, again: bool = True) -> None:
        """Worker lost: requeue unless retries are used up or `again` is False."""
        with self._changed:
            self._out.discard(work)
            self.progress(work, -self._reported[work])
            if self._stopped:  # it was ended on purpose
                self._changed.notify_all()
                return
            self._attempts[work] += 1
            self._in_a_row += 1
            again = again and self._attempts[work] < ATTEMPTS
            if again:
                self._ready.append(work)
            else:
                self._lost[work] = why
            if self._journal is not None:
                self._journal.lost(work, why, again=again)
            if self._in_a_row >= self._most_in_a_row:
                self._lost.setdefault(work, why)
                self._stopped = True
            self._changed.notify_all()

    def stop(self) -> None:
        """Ends the queue: `take` returns None from now on."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()

    def check(self) -> None:
        """Raises StoreError if shards were lost."""
        if self._lost:
            shown = "; ".join(f"{work}: {why}" for work, why in list(self._lost.items())[:3])
            raise StoreError(
                f"{len(self._lost)} of {self._all} shards could not be made, the last try of each said: {shown}; "
                "finished shards are kept, run the same command again to go on"
            )

    def _next(self) -> Work | None:
        now = time.monotonic()
        if not self._ready:
            due = [work for work, moment in self._busy.items() if moment <= now]
            for work in due:
                del self._busy[work]
            self._ready.extend(due)
        while self._ready:
            work = self._ready.popleft()
            if not self._is_made(work):
                return work
            self.settle(work, "there")
        return None
