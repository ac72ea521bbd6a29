"""Makes shards on a Ray cluster: one task a shard; Ray handles placement, retries and lost nodes.

The store must be one that every node sees: a shared folder, or a URL that fsspec knows. Nodes need this package.
"""

from __future__ import annotations

import functools
import json
import os
import platform
import socket
import threading
import time
import warnings
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from dataset_dm.engine.backlog import ATTEMPTS, Backlog
from dataset_dm.engine.local import Local
from dataset_dm.engine.options import EngineChoice
from dataset_dm.engine.work import Work
from dataset_dm.engine.worker import attempt
from dataset_dm.engine.worker_client import failure
from dataset_dm.errors import ConfigError, MissingExtra, StoreError, explain
from dataset_dm.files.home import VARIABLE, home
from dataset_dm.plan.generation_plan import GenerationPlan
from dataset_dm.store.plans import Rows, read, stores

# seconds between two looks at new nodes and at what is busy elsewhere
_LOOK = 1.0
# seconds that a finished shard may take to be seen here: shared folders remember for a while what was not there
_ARRIVAL = 60.0
# seconds until a cluster must answer
_KNOCK = 10.0
# environment variables that tasks inherit from this process
_PASSED_ON = ("HF_HUB_OFFLINE", "HF_HOME", "HF_ENDPOINT")


class OnRay:
    """The backend that runs on a cluster.

    Args:
        plan: what to make.
        device: "auto" takes GPUs if the cluster has any; a task has one GPU, or only threads of CPUs.
        choice: address, workers (tasks at the same time), threads (CPUs a task, default 1), time limit.
    """

    def __init__(self, plan: GenerationPlan, *, device: str, choice: EngineChoice) -> None:
        self.plan, self.device, self.choice = plan, device, choice
        self.images, self.labels = stores(plan)
        self._spent: dict[str, Mapping[str, float]] = {}
        self._started = False
        self._task: Any = None

    @property
    def seconds(self) -> Mapping[str, float]:
        """Stage → seconds, of all processes together."""
        total: Counter[str] = Counter()
        for seconds in self._spent.values():
            total.update(seconds)
        return dict(total)

    def fill(self, backlog: Backlog) -> None:
        """Keeps the cluster busy until the backlog is empty."""
        ray = self._connect()
        asked: dict[Any, Work] = {}
        said: dict[str, None] = {}
        try:
            while not backlog.is_over():
                while len(asked) < self._room(ray) and (work := backlog.take(wait=False)) is not None:
                    asked[self._submit(work)] = work
                if not asked:
                    time.sleep(_LOOK)  # all that is left is being made elsewhere
                    continue
                done, _ = ray.wait(list(asked), num_returns=1, timeout=_LOOK)
                for reference in done:
                    self._settle(ray, backlog, asked.pop(reference), reference, said)
        finally:
            for reference in asked:
                ray.cancel(reference, force=True)
        for text in said:  # every process says the same
            warnings.warn(text, UserWarning, stacklevel=2)

    def rows(self, work: Work) -> Iterator[Rows]:
        """The whole shard at once, made by one task."""
        backlog = Backlog([work], lambda one: False, self.plan.shard_size)
        self.fill(backlog)
        backlog.check()
        yield read(self.plan, self.images, self.labels, work.split, work.shard)

    def close(self) -> None:
        """Ends Ray, if it was started here."""
        if self._started:
            import ray

            ray.shutdown()
            self._started, self._task = False, None

    def _connect(self) -> Any:
        ray = _library()
        if not ray.is_initialized():
            address = self.choice.address or os.environ.get("RAY_ADDRESS")
            os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
            try:
                _knock(address)
                ray.init(address=address, logging_level="ERROR", log_to_driver=False)
            except (OSError, RuntimeError, ValueError) as error:
                what = f"no Ray cluster answers at {address!r}" if address else "Ray cannot be started here"
                said = " ".join(str(error).split())[:200]
                raise ConfigError(explain(f"{what} ({said})", remedy="check the address, or start `ray`")) from error
            self._started = True
        if self._task is None:
            self._task = self._build(ray)
        return ray

    def _build(self, ray: Any) -> Any:
        """The remote function with what it needs of a node."""
        has = ray.cluster_resources().get("GPU", 0) >= 1
        if self.device.startswith("cuda") and not has:
            raise ConfigError(
                explain("device", got=self.device, expected="a GPU in the Ray cluster", remedy="take 'cpu'")
            )
        self._gpu = has and self.device != "cpu"
        self._threads = self.choice.threads or int(os.environ.get("OMP_NUM_THREADS") or 1)
        largest = max((node["Resources"].get("CPU", 0) for node in ray.nodes() if node["Alive"]), default=0)
        if self._threads > largest:
            expected = f"at most {largest:g}, the CPUs of the largest node"
            raise ConfigError(explain("engine: threads", got=self._threads, expected=expected))
        root = str(Path(__file__).resolve().parents[2])
        given = os.environ.get(VARIABLE, "")
        surroundings = {
            VARIABLE: given if "://" in given else str(home()),
            "PYTHONPATH": os.pathsep.join(part for part in (root, os.environ.get("PYTHONPATH")) if part),
            "OMP_NUM_THREADS": str(self._threads),
            "OMP_WAIT_POLICY": os.environ.get("OMP_WAIT_POLICY", "PASSIVE"),
            **{name: os.environ[name] for name in _PASSED_ON if name in os.environ},
        }
        return ray.remote(make_shard).options(
            num_cpus=self._threads,
            num_gpus=1 if self._gpu else 0,
            max_retries=ATTEMPTS - 1,
            runtime_env={"env_vars": surroundings},
        )

    def _room(self, ray: Any) -> int:
        """How many tasks to keep asked for: twice what runs at a time, so that no node waits for this process."""
        if self.choice.workers is not None:
            return self.choice.workers
        has = ray.cluster_resources()
        running = has.get("GPU", 0) if self._gpu else has.get("CPU", 0) // self._threads
        return 2 * max(1, int(running))

    def _submit(self, work: Work) -> Any:
        opening = {"plan": self.plan.to_dict(), "device": "cuda" if self._gpu else "cpu"}
        asked = {"split": work.split, "shard": work.shard, "draw": work.draw, "redo": work.redo}
        return self._task.remote(json.dumps(opening, sort_keys=True), asked, self.choice.time_limit)

    def _settle(self, ray: Any, backlog: Backlog, work: Work, reference: Any, said: dict[str, None]) -> None:
        try:
            answer = ray.get(reference)
        except ray.exceptions.RayTaskError as error:
            raise ConfigError(
                f"a Ray node cannot run dataset_dm ({_last_line(error)}); install it on every node"
            ) from error
        except ray.exceptions.RayError as error:
            backlog.failed(work, f"Ray gave up ({_last_line(error)})", again=False)
            return
        said.update(dict.fromkeys(answer["warnings"]))
        if "error" in answer:
            raise failure(answer, work)
        self._spent[answer["maker"]] = answer["seconds"]
        if answer["outcome"] == "made":
            self._await(work)
        backlog.settle(work, answer["outcome"])

    def _await(self, work: Work) -> None:
        """A finished shard must be seen here: else the nodes write where this process does not look."""
        end = time.monotonic() + _ARRIVAL
        while not all(store.has(work.split, work.shard) for store in (self.images, self.labels)):
            if time.monotonic() > end:
                what = f"a Ray node made {work}, but it is not in {self.labels.folder}"
                raise StoreError(explain(what, remedy=f"set ${VARIABLE} to a folder that all nodes share, or to a URL"))
            time.sleep(_LOOK)


def make_shard(opening: str, asked: Mapping[str, Any], time_limit: float) -> dict[str, Any]:
    """One task: runs in a process of Ray's, which keeps the models for the next one."""
    waiting = threading.Timer(time_limit, _give_up)  # for the last batch

    def progress(rows: int) -> None:
        nonlocal waiting
        waiting.cancel()
        waiting = threading.Timer(time_limit, _give_up)
        waiting.daemon = True
        waiting.start()

    progress(0)
    try:
        answer = attempt(_maker(opening), asked, progress)
    finally:
        waiting.cancel()
    return {**answer, "maker": f"{platform.node()}-{os.getpid()}"}


@functools.lru_cache(maxsize=1)
def _maker(opening: str) -> Local:
    from dataset_dm.plan.generation_plan import plan_from_dict

    plain = json.loads(opening)
    return Local(plan_from_dict(plain["plan"]), device=plain["device"])


def _give_up() -> None:
    """A task that hangs ends its process: Ray tries it again."""
    os._exit(1)


def _knock(address: str | None) -> None:
    """Raises OSError when no server listens at host:port: Ray itself would try for many minutes."""
    host, _, port = (address or "").removeprefix("ray://").rpartition(":")
    if host and port.isdigit():
        socket.create_connection((host.strip("[]"), int(port)), timeout=_KNOCK).close()


def _library() -> Any:
    try:
        import ray
    except ImportError as error:
        raise MissingExtra("engine 'ray' needs Ray; install dataset-dm[ray]") from error
    return ray


def _last_line(error: BaseException) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return (lines[-1] if lines else type(error).__name__)[:200]
