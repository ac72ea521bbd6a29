"""`engine=`: who makes the shards, checked. Never part of a plan: it does not change a row."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields

from dataset_dm.errors import ConfigError, did_you_mean, explain

ENGINES = ("local", "processes", "ray")
_TIME_LIMIT = 3600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineChoice:
    """One engine and its options.

    Args:
        name: "local" (this process), "processes" (workers on this machine) or "ray" (a cluster).
        workers: how many make shards at the same time; None is one a GPU, without GPUs one a core and at most four.
            With Ray, at most so many at a time; None is as many as the cluster has room for.
        threads: of torch, a worker; equal bytes need equal threads. None: OMP_NUM_THREADS if it is set; else this
            process keeps torch's own number, and workers share the cores equally.
        address: of a running Ray cluster; None takes RAY_ADDRESS, or starts Ray on this machine.
        time_limit: seconds without a finished batch after which a worker counts as hung.
    """

    name: str = "local"
    workers: int | None = None
    threads: int | None = None
    address: str | None = None
    time_limit: float = _TIME_LIMIT

    def __post_init__(self) -> None:
        if self.name not in ENGINES:
            expected = f"one of {', '.join(ENGINES)}{did_you_mean(self.name, ENGINES)}"
            raise ConfigError(explain("engine", got=self.name, expected=expected))
        for name in ("workers", "threads"):
            value = getattr(self, name)
            if value is not None and (isinstance(value, bool) or not isinstance(value, int) or value < 1):
                raise ConfigError(explain(f"engine: {name}", got=value, expected="a whole number of at least 1"))
        number = isinstance(self.time_limit, (int, float)) and not isinstance(self.time_limit, bool)
        if not number or not self.time_limit > 0:
            raise ConfigError(explain("engine: time_limit", got=self.time_limit, expected="seconds, more than 0"))
        if self.address is not None and (self.name != "ray" or not isinstance(self.address, str)):
            raise ConfigError(explain("engine: address", got=self.address, expected="the address of a Ray cluster"))
        if self.name == "local" and (self.workers or 1) > 1:
            remedy = "take engine='processes'"
            raise ConfigError(explain("engine 'local' has one worker", got=self.workers, remedy=remedy))

    @property
    def makers(self) -> int:
        """How many are asked for; 1 where that is left open."""
        return self.workers or 1


def resolve_engine(given: object) -> EngineChoice:
    """The choice behind `engine=`: a name, "ray:ADDRESS", a dict such as {"name": "processes", "workers": 2}, or None.

    Raises ConfigError for anything else.

    >>> resolve_engine({"name": "processes", "workers": 2}).workers
    2
    """
    if given is None:
        return EngineChoice()
    if isinstance(given, EngineChoice):
        return given
    if isinstance(given, str):
        name, _, address = given.partition(":")
        return EngineChoice(name=name, address=address or None)
    if not isinstance(given, Mapping):
        expected = "a name such as 'processes', or a dict such as {'name': 'processes', 'workers': 2}"
        raise ConfigError(explain("engine", got=given, expected=expected))
    known = [entry.name for entry in fields(EngineChoice)]
    for key in given:
        if key not in known:
            raise ConfigError(f"engine: unknown key {key!r}{did_you_mean(str(key), known)}")
    return EngineChoice(**given)
