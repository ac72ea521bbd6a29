"""A worker process: `python -m dataset_dm.engine.worker`, fed with JSON lines on stdin.

Fresh, because `spawn` would run an unguarded user script once more, and a fork after torch ran hangs. The first line is
the plan, every further line one shard. While it works it sends a heartbeat every few seconds, and a line after every
batch; one line with the outcome ends the answer. The worker ends when its stdin or its stdout is closed, so it never
outlives the process that asked.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
import threading
import warnings
from collections.abc import Callable, Iterator, Mapping
from typing import IO, Any

from dataset_dm.engine.local import Local
from dataset_dm.engine.work import Work
from dataset_dm.store.plans import Report

Say = Callable[[dict[str, Any]], None]
# seconds between two heartbeats
BEAT = 5.0


def attempt(maker: Local, asked: Mapping[str, Any], progress: Report) -> dict[str, Any]:
    """One shard made, there, busy or failed, as a plain answer with the warnings for users."""
    work = Work(asked["split"], asked["shard"], asked["draw"], asked["redo"])
    with warnings.catch_warnings(record=True) as said:
        try:
            answer: dict[str, Any] = {"outcome": maker.attempt(work, progress), "seconds": dict(maker.seconds)}
        except Exception as error:  # any error is reported to the asking process
            answer = {"error": type(error).__name__, "message": str(error)}
    answer["warnings"] = [str(one.message) for one in said if one.category is UserWarning]
    return answer


def serve(requests: IO[str], say: Say) -> None:
    """Answers requests until their stream ends."""
    from dataset_dm.plan.generation_plan import plan_from_dict

    opening = json.loads(requests.readline())
    maker = Local(plan_from_dict(opening["plan"]), device=opening["device"])
    for line in requests:
        with _alive(say):
            answer = attempt(maker, json.loads(line), lambda rows: say({"rows": rows}))
        say(answer)


@contextlib.contextmanager
def _alive(say: Say) -> Iterator[None]:
    """Sends a heartbeat every few seconds."""
    ended = threading.Event()

    def beat() -> None:
        while not ended.wait(BEAT):
            say({"alive": True})

    thread = threading.Thread(target=beat, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def main() -> None:
    """Serves stdin; all other output goes to stderr, so that it cannot corrupt an answer."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    lock = threading.Lock()

    def say(message: dict[str, Any]) -> None:
        with lock:
            try:
                answers.write(json.dumps(message) + "\n")
                answers.flush()
            except BrokenPipeError:  # the asking process was killed
                os._exit(1)

    with contextlib.suppress(KeyboardInterrupt):
        serve(sys.stdin, say)


if __name__ == "__main__":
    main()
