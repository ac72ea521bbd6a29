"""A fresh process that makes shards: `python -m dataset_dm.engine.worker`, fed with JSON lines on stdin.

Fresh, because `spawn` would run an unguarded user script once more, and a fork after torch ran hangs. The first line is
the plan, every further line one shard; each is answered by one line. The worker ends when its stdin closes, so it never
outlives the process that asked.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import subprocess
import sys
import warnings
from pathlib import Path
from typing import IO, Any

from dataset_dm import errors
from dataset_dm.plan import GenerationPlan

_kept: Worker | None = None


def kept_worker(plan: GenerationPlan, *, device: str = "auto") -> Worker:
    """This process's own worker for the plan, started once: a stream asks for one shard after the other."""
    global _kept
    worker = Worker(plan, device=device)
    if _kept is None or not _kept.serves(worker):
        if _kept is not None:
            _kept.close()
        _kept = worker
    return _kept


@atexit.register
def _close_kept() -> None:
    if _kept is not None:
        _kept.close()


class Worker:
    """The asking side; starts its process at the first shard. Not to be shared by processes."""

    def __init__(self, plan: GenerationPlan, *, device: str = "auto") -> None:
        self._opening = {"plan": plan.to_dict(), "device": device}
        self._process: subprocess.Popen[str] | None = None
        self._owner = os.getpid()

    def serves(self, other: Worker) -> bool:
        """Whether this process may use it in place of the other."""
        return self._owner == os.getpid() and self._opening == other._opening

    def make(self, split: str, shard: int, *, overwrite: bool = False) -> None:
        """Has one shard made and published; raises what the worker's own process raised, if it is an error of ours."""
        process = self._start()
        answer = self._ask(process, {"split": split, "shard": shard, "overwrite": overwrite})
        for text in answer.get("warnings", ()):
            warnings.warn(text, UserWarning, stacklevel=3)
        if "error" in answer:
            self.close()
            kind = getattr(errors, answer["error"], None)
            if isinstance(kind, type) and issubclass(kind, errors.DatasetDMError):
                raise kind(answer["message"])
            raise RuntimeError(f"worker failed on shard {shard} of {split}: {answer['error']}: {answer['message']}")

    def close(self) -> None:
        """Ends the process."""
        process, self._process = self._process, None
        if process is None or os.getpid() != self._owner:  # a forked copy must not end its parent's worker
            return
        with contextlib.suppress(OSError):
            process.stdin.close()  # type: ignore[union-attr]
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        process.stdout.close()  # type: ignore[union-attr]

    def __del__(self) -> None:
        self.close()

    def _start(self) -> subprocess.Popen[str]:
        if os.getpid() != self._owner:
            self._process, self._owner = None, os.getpid()
        if self._process is None or self._process.poll() is not None:
            self.close()
            root = str(Path(__file__).resolve().parents[2])
            path = os.pathsep.join(part for part in (root, os.environ.get("PYTHONPATH")) if part)
            self._process = subprocess.Popen(
                [sys.executable, "-m", "dataset_dm.engine.worker"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                encoding="utf-8",
                # several workers share the cores: threads that wait by spinning would slow each other down
                env={"OMP_WAIT_POLICY": "PASSIVE", **os.environ, "PYTHONPATH": path},
            )
            _send(self._process.stdin, self._opening)
        return self._process

    def _ask(self, process: subprocess.Popen[str], request: dict[str, Any]) -> dict[str, Any]:
        try:
            _send(process.stdin, request)
            line = process.stdout.readline()  # type: ignore[union-attr]
        except BrokenPipeError:
            line = ""
        except BaseException:  # Ctrl-C, say: its late answer would be taken for that of the next request
            process.kill()
            self.close()
            raise
        if not line:
            code = process.wait()
            self.close()
            killed = " (killed, perhaps for lack of memory)" if code in (-9, 137) else ""
            raise errors.StoreError(
                f"the worker process ended with code {code}{killed} while making shard {request['shard']} of "
                f"{request['split']}; run the same command again: finished shards are kept"
            )
        return json.loads(line)


def _send(stream: IO[str] | None, message: dict[str, Any]) -> None:
    assert stream is not None
    stream.write(json.dumps(message) + "\n")
    stream.flush()


def serve(requests: IO[str], answers: IO[str]) -> None:
    """Answers requests until their stream ends."""
    from dataset_dm.engine.local import Engine, Work
    from dataset_dm.request import plan_from_dict

    opening = json.loads(requests.readline())
    plan = plan_from_dict(opening["plan"])
    engine = Engine(plan, device=opening["device"])
    for line in requests:
        asked = json.loads(line)
        engine.overwrite = asked["overwrite"]
        with warnings.catch_warnings(record=True) as said:
            try:
                engine.make(Work(asked["split"], asked["shard"], draw=True))
                answer: dict[str, Any] = {"done": True}
            except Exception as error:  # whatever it is, the asking side must hear of it
                answer = {"error": type(error).__name__, "message": str(error)}
        answer["warnings"] = [str(one.message) for one in said if one.category is UserWarning]
        _send(answers, answer)


def main() -> None:
    """Serves stdin; whatever else is printed goes to stderr, so that it cannot spoil an answer."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    with answers, contextlib.suppress(KeyboardInterrupt, BrokenPipeError):
        serve(sys.stdin, answers)


if __name__ == "__main__":
    main()
