"""Makes shards in worker processes of this machine: one a GPU, or so many on the CPU."""

from __future__ import annotations

import os
import threading
import warnings
from collections import Counter
from collections.abc import Iterator, Mapping

from dataset_dm.engine.backlog import Backlog
from dataset_dm.engine.options import EngineChoice
from dataset_dm.engine.work import Work
from dataset_dm.engine.worker_client import Worker, WorkerLost, kept_worker
from dataset_dm.errors import ConfigError, explain
from dataset_dm.files.storage import LocalStorage
from dataset_dm.plan.generation_plan import GenerationPlan
from dataset_dm.store.plans import Rows, read, stores

# seconds between two checks for Ctrl-C and other signals while the workers run
_LOOK = 0.5
# workers on the CPU, unless more are asked for: each holds the models once
_MOST = 4


class Processes:
    """The backend of several processes; each loads the models once and takes a shard when it is free.

    A worker that dies or hangs is replaced and its shard requeued; see `backlog`.

    Args:
        plan: what to make.
        device: "auto", "cpu", "cuda", …
        choice: workers, threads, time limit. Of a choice by another name there is one worker, as it would be here.
        keep: leave the one worker to the next of this process.
    """

    def __init__(self, plan: GenerationPlan, *, device: str, choice: EngineChoice, keep: bool = False) -> None:
        self.plan, self.device, self.choice, self.keep = plan, device, choice, keep
        self.images, self.labels = stores(plan)
        if not isinstance(self.labels.storage, LocalStorage) and self.labels.storage.url.startswith("memory:"):
            remedy = "take engine='local', or a store on a disk"
            raise ConfigError(explain("other processes cannot see a store in memory", remedy=remedy))
        self._workers: list[Worker] = []
        self._past: Counter[str] = Counter()

    @property
    def seconds(self) -> Mapping[str, float]:
        """Stage → seconds, of all workers together."""
        total = Counter(self._past)
        for worker in self._workers:
            total.update(worker.seconds)
        return dict(total)

    def fill(self, backlog: Backlog) -> None:
        """Every worker in a thread of this process; the first error of the user ends all."""
        workers = self._open()
        failures: list[BaseException] = []
        said: list[str] = []
        threads = [
            threading.Thread(target=_work, args=(worker, backlog, failures, said), daemon=True) for worker in workers
        ]
        for thread in threads:
            thread.start()
        try:
            for thread in threads:
                while thread.is_alive():
                    thread.join(_LOOK)
        except BaseException:
            backlog.stop()
            for worker in workers:
                worker.kill()
            raise
        for text in dict.fromkeys(said):  # each worker says the same
            warnings.warn(text, UserWarning, stacklevel=2)
        if failures:
            raise failures[0]

    def rows(self, work: Work) -> Iterator[Rows]:
        """The whole shard at once, made by one worker."""
        backlog = Backlog([work], lambda one: False, self.plan.shard_size)
        self.fill(backlog)
        backlog.check()
        yield read(self.plan, self.images, self.labels, work.split, work.shard)

    def close(self) -> None:
        """Ends the workers, unless they are kept."""
        workers, self._workers = self._workers, []
        for worker in workers:
            self._past.update(worker.seconds)
            if not self.keep:
                worker.close()

    def _open(self) -> list[Worker]:
        if not self._workers:
            self._workers = self._new()
        return self._workers

    def _new(self) -> list[Worker]:
        gpus, count, threads = [], 1, self.choice.threads
        if self.choice.name == "processes":
            gpus = _gpus() if self.device in ("auto", "cuda") else []
            if self.device == "cuda" and not gpus:
                raise ConfigError(explain("device", got="cuda", expected="a GPU that torch sees", remedy="take 'cpu'"))
            count = self.choice.workers or len(gpus) or min(_cores(), _MOST)
            threads = threads or _own_threads() or max(1, _cores() // count)
        workers = [
            Worker(
                self.plan,
                device="cuda" if gpus else self.device,
                threads=threads,
                gpu=gpus[number % len(gpus)] if gpus else None,
                time_limit=self.choice.time_limit,
            )
            for number in range(count)
        ]
        return [kept_worker(workers[0])] if self.keep else workers


def _work(worker: Worker, backlog: Backlog, failures: list[BaseException], said: list[str]) -> None:
    while (work := backlog.take()) is not None:
        try:
            outcome = worker.attempt(work, lambda rows, work=work: backlog.progress(work, rows))
        except WorkerLost as lost:
            backlog.failed(work, str(lost))
        except BaseException as error:
            failures.append(error)
            backlog.stop()
            return
        else:
            said += worker.warnings
            backlog.settle(work, outcome)


def _gpus() -> list[str]:
    """The GPUs this process may use, as CUDA_VISIBLE_DEVICES names them."""
    import torch

    count = torch.cuda.device_count()
    named = [name.strip() for name in os.environ.get("CUDA_VISIBLE_DEVICES", "").split(",") if name.strip()]
    return named[:count] if len(named) >= count else [str(number) for number in range(count)]


def _cores() -> int:
    """The cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _own_threads() -> int | None:
    given = os.environ.get("OMP_NUM_THREADS", "")
    return int(given) if given.isdigit() and int(given) else None
