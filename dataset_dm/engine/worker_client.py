"""The asking side of a worker process: starts it, asks for shards, notices when it dies or hangs."""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

from dataset_dm import errors
from dataset_dm.engine.options import EngineChoice
from dataset_dm.engine.work import Outcome, Work
from dataset_dm.plan.generation_plan import GenerationPlan
from dataset_dm.store.plans import Report

# seconds without a heartbeat after which a worker counts as hung; it sends one every few seconds
SILENCE = 120.0
# time limits until the first batch of a new process: models are downloaded, an annotator may be trained
_FIRST = 6
# seconds that a process may take to end by itself, also on a busy machine
_FAREWELL = 30.0
_kept: Worker | None = None


class WorkerLost(errors.StoreError):
    """A worker died or hung; another one may do better."""


class Worker:
    """One worker process; it is started at the first shard. Not to be shared by processes.

    Args:
        plan: what to make.
        device: "auto", "cpu", "cuda", …
        threads: of torch; None leaves it to the environment.
        gpu: the only GPU that the worker sees, as CUDA_VISIBLE_DEVICES names it; None changes nothing.
        time_limit: seconds without a finished batch after which it counts as hung; six times as many for the first.
        silence: seconds without a heartbeat after which it counts as hung.

    Attributes:
        seconds: stage → seconds spent so far by the process at work.
        warnings: what users should hear of its last shard.
    """

    def __init__(
        self,
        plan: GenerationPlan,
        *,
        device: str = "auto",
        threads: int | None = None,
        gpu: str | None = None,
        time_limit: float = EngineChoice().time_limit,
        silence: float = SILENCE,
    ) -> None:
        self._opening = {"plan": plan.to_dict(), "device": device}
        self._surroundings = _surroundings(threads, gpu)
        self.time_limit, self.silence = time_limit, silence
        self.seconds: Mapping[str, float] = {}
        self.warnings: list[str] = []
        self._process: subprocess.Popen[str] | None = None
        self._answers: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._warm = False  # whether the process finished a batch
        self._owner = os.getpid()

    def serves(self, other: Worker) -> bool:
        """Whether this process may use it in place of the other."""
        mine, wanted = (self._opening, self._surroundings), (other._opening, other._surroundings)
        return self._owner == os.getpid() and mine == wanted

    def attempt(self, work: Work, progress: Report) -> Outcome:
        """Makes and publishes one shard, unless it is stored by now or another worker is making it.

        Raises WorkerLost when the process dies or hangs, and what it raised itself if that is an error of ours.
        """
        process = self._start()
        asked = {"split": work.split, "shard": work.shard, "draw": work.draw, "redo": work.redo}
        try:
            _send(process.stdin, asked)
            answer = self._listen(process, work, progress)
        except WorkerLost:
            self.kill()
            raise
        except BrokenPipeError:
            raise self._lost(process, work) from None
        except BaseException:  # Ctrl-C, say: its late answer would be taken for that of the next request
            self.kill()
            raise
        self.warnings = answer["warnings"]
        if "error" in answer:
            self.close()
            raise failure(answer, work)
        self.seconds = answer["seconds"]
        return answer["outcome"]

    def close(self) -> None:
        """Ends the process when it is through with its shard."""
        process = self._forget()
        if process is None:
            return
        with contextlib.suppress(OSError):
            process.stdin.close()  # type: ignore[union-attr]
        try:
            process.wait(timeout=_FAREWELL)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def kill(self) -> None:
        """Ends the process at once; a shard it is making stays absent."""
        process = self._forget()
        if process is not None:
            process.kill()
            process.wait()
            with contextlib.suppress(OSError):
                process.stdin.close()  # type: ignore[union-attr]

    def __del__(self) -> None:
        self.close()

    def _forget(self) -> subprocess.Popen[str] | None:
        process, self._process = self._process, None
        # a forked copy must not end its parent's worker
        return process if os.getpid() == self._owner else None

    def _start(self) -> subprocess.Popen[str]:
        if os.getpid() != self._owner:
            self._process, self._owner = None, os.getpid()
        if self._process is None or self._process.poll() is not None:
            self.kill()
            self._process = process = subprocess.Popen(
                [sys.executable, "-m", "dataset_dm.engine.worker"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                encoding="utf-8",
                env={**os.environ, **self._surroundings},
            )
            self._answers, self._warm = queue.SimpleQueue(), False
            reader = threading.Thread(target=_pass_on, args=(process.stdout, self._answers), daemon=True)
            reader.start()
            _send(process.stdin, self._opening)
        return self._process

    def _listen(self, process: subprocess.Popen[str], work: Work, progress: Report) -> dict[str, Any]:
        """The answer to a request; what comes before it are finished batches and signs of life."""
        limit = self.time_limit if self._warm else _FIRST * self.time_limit
        last_batch = time.monotonic()
        while True:
            left = last_batch + limit - time.monotonic()
            try:
                line = self._answers.get(timeout=max(0.0, min(self.silence, left)))
            except queue.Empty:
                silent = f"no sign of life for {self.silence:g} s"
                why = f"no batch within {limit:g} s" if left < self.silence else silent
                raise WorkerLost(f"the worker process hung while making {work} ({why})") from None
            if not line:
                raise self._lost(process, work)
            answer = json.loads(line)
            if "rows" in answer:
                last_batch, limit, self._warm = time.monotonic(), self.time_limit, True
                progress(answer["rows"])
            elif "alive" not in answer:
                return answer

    def _lost(self, process: subprocess.Popen[str], work: Work) -> WorkerLost:
        try:
            code: int | None = process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            code = None
        self.kill()
        killed = (
            " (killed, perhaps for lack of memory: take fewer workers or a smaller batch)" if code in (-9, 137) else ""
        )
        return WorkerLost(f"the worker process ended with code {code}{killed} while making {work}")


def kept_worker(worker: Worker) -> Worker:
    """This process's own worker, if it serves as well, else the given one from now on: a stream asks shard by shard."""
    global _kept
    if _kept is None or not _kept.serves(worker):
        if _kept is not None:
            _kept.close()
        _kept = worker
    return _kept


@atexit.register
def _close_kept() -> None:
    if _kept is not None:
        _kept.close()


def _surroundings(threads: int | None, gpu: str | None) -> dict[str, str]:
    """What a worker's environment has besides this process's."""
    root = str(Path(__file__).resolve().parents[2])
    path = os.pathsep.join(part for part in (root, os.environ.get("PYTHONPATH")) if part)
    # several workers share the cores: threads that wait by spinning would slow each other down
    given = {"OMP_WAIT_POLICY": os.environ.get("OMP_WAIT_POLICY", "PASSIVE"), "PYTHONPATH": path}
    if threads is not None:
        given |= dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), str(threads))
    if gpu is not None:
        given["CUDA_VISIBLE_DEVICES"] = gpu
    return given


def _send(stream: IO[str] | None, message: dict[str, Any]) -> None:
    assert stream is not None
    stream.write(json.dumps(message) + "\n")
    stream.flush()


def _pass_on(stream: IO[str], answers: queue.SimpleQueue[str]) -> None:
    """Lines as they come, "" at the end."""
    with stream, contextlib.suppress(ValueError):
        for line in stream:
            answers.put(line)
    answers.put("")


def failure(answer: Mapping[str, Any], work: Work) -> Exception:
    """What was raised while a shard was made elsewhere: an error of ours as itself, any other as a RuntimeError."""
    kind = getattr(errors, answer["error"], None)
    if isinstance(kind, type) and issubclass(kind, errors.DatasetDMError):
        return kind(answer["message"])
    return RuntimeError(f"worker failed on {work}: {answer['error']}: {answer['message']}")
