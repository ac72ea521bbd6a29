"""Shards handed out: busy ones last, lost ones again, a bounded number of times."""

import threading

import pytest

from dataset_dm.engine import Work
from dataset_dm.engine.backlog import Backlog
from dataset_dm.errors import StoreError

WORK = [Work("train", shard, draw=True) for shard in range(3)]


def backlog(made: set[Work] | None = None, reported: list[int] | None = None) -> Backlog:
    return Backlog(WORK, (made or set()).__contains__, 4, None if reported is None else reported.append)


def test_each_is_handed_out_once_and_counted() -> None:
    reported: list[int] = []
    waiting = backlog(reported=reported)
    for work in WORK:
        assert waiting.take() == work
        waiting.progress(work, 2)
        waiting.settle(work, "made")
    assert waiting.take() is None and waiting.is_over() and waiting.made == 3
    assert reported == [2, 2] * 3, "the rest of a shard is reported when it is settled"


def test_what_others_have_made_meanwhile_is_passed_over() -> None:
    reported: list[int] = []
    waiting = backlog({WORK[0], WORK[1]}, reported)
    assert waiting.take() == WORK[2] and reported == [4, 4] and waiting.made == 0


def test_what_others_are_making_comes_last() -> None:
    made: set[Work] = set()
    waiting = Backlog(WORK, made.__contains__, 4)
    waiting.settle(waiting.take(), "busy")
    assert [waiting.take(), waiting.take()] == WORK[1:]
    assert waiting.take(wait=False) is None and not waiting.is_over()
    for work in WORK[1:]:
        waiting.settle(work, "made")
    assert waiting.take() == WORK[0], "not made: the other run was killed"
    waiting.settle(WORK[0], "busy")
    made.add(WORK[0])
    assert waiting.take() is None and waiting.made == 2


def test_a_lost_shard_is_requeued_and_takes_its_progress_with_it() -> None:
    reported: list[int] = []
    waiting = backlog(reported=reported)
    first = waiting.take()
    waiting.progress(first, 2)
    waiting.failed(first, "died")
    assert reported == [2, -2] and [waiting.take() for _ in range(3)] == [*WORK[1:], first]


def test_three_tries_then_it_is_said_and_the_others_are_made() -> None:
    waiting = backlog()
    while (work := waiting.take(wait=False)) is not None:
        if work == WORK[1]:
            waiting.failed(work, "the worker ended with code -9")
        else:
            waiting.settle(work, "made")
    assert waiting.made == 2 and waiting.is_over()
    with pytest.raises(
        StoreError, match="1 of 3 shards could not be made.* shard 1 of train: the worker ended .*again"
    ):
        waiting.check()


def test_a_backlog_that_always_fails_stops_after_a_few_tries() -> None:
    work = [Work("train", shard, draw=True) for shard in range(10_000)]
    waiting, tries = Backlog(work, lambda one: False, 4), 0
    while (one := waiting.take(wait=False)) is not None:
        waiting.failed(one, "died")
        tries += 1
    assert tries == 6
    with pytest.raises(StoreError, match="died"):
        waiting.check()


def test_a_waiting_worker_gets_a_requeued_shard() -> None:
    waiting, got = Backlog(WORK[:1], lambda one: False, 4), []
    first = waiting.take()
    other = threading.Thread(target=lambda: got.append(waiting.take()))
    other.start()
    waiting.failed(first, "died")
    other.join(timeout=5)
    assert got == [first]
    waiting.stop()
    assert waiting.take() is None


def test_what_was_ended_on_purpose_is_not_lost() -> None:
    waiting = backlog()
    first = waiting.take()
    waiting.stop()
    waiting.failed(first, "killed", again=False)
    waiting.check()
    assert waiting.is_over() and waiting.take() is None
