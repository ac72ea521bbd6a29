"""Whether this process may run a model at all."""

from __future__ import annotations

import multiprocessing
import os

_forked = False


def _note_fork() -> None:
    global _forked
    _forked = True


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_note_fork)


def must_ask_a_worker() -> bool:
    """Whether this process was forked, or is some pool's child: a model run after a fork hangs.

    True in the readers of a DataLoader and of `num_proc`; they ask a worker for a shard and read it.
    """
    return _forked or multiprocessing.parent_process() is not None
