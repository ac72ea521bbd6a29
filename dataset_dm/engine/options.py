"""`device=` and `engine=`: which processes make the shards. Never part of a plan: they do not change a row."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from dataset_dm.arguments.declare import Spelling, argument, entries, python
from dataset_dm.arguments.read import number
from dataset_dm.checks import check_choice, check_int, check_keys, check_number
from dataset_dm.errors import ConfigError, explain

ENGINES = ("local", "processes", "ray")
_TIME_LIMIT = 3600.0


def check_address(name: str, value: object, *, remedy: str = "") -> str | None:
    """A text, or None."""
    if value is None or isinstance(value, str):
        return value
    raise ConfigError(explain(name, got=value, expected="the address of a Ray cluster", remedy=remedy))


def check_optional_int(name: str, value: object, *, remedy: str = "") -> int | None:
    """A whole number of at least 1, or None."""
    return None if value is None else check_int(name, value, 1, remedy=remedy)


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

    name: str = argument(
        "local",
        help="local (default), processes, ray or ray:ADDRESS",
        check=partial(check_choice, options=ENGINES),
        option="--engine",
        metavar="NAME",
    )
    workers: int | None = argument(
        help="how many make shards at once (processes, ray)", check=check_optional_int, metavar="N", read=number
    )
    threads: int | None = argument(
        help="threads of torch, a worker; equal bytes need equal", check=check_optional_int, metavar="N", read=number
    )
    address: str | None = argument(check=check_address, option="")
    time_limit: float = argument(
        _TIME_LIMIT,
        help="seconds without a batch until a worker counts as hung",
        check=partial(check_number, minimum=0, above=True, expected="seconds, more than 0"),
        metavar="S",
        read=number,
    )

    def __post_init__(self) -> None:
        _check({name: getattr(self, name) for name in entries(EngineChoice)}, python)

    @property
    def makers(self) -> int:
        """How many are asked for; 1 where that is left open."""
        return self.workers or 1


@dataclass(frozen=True, kw_only=True)
class EngineArguments:
    """Where shards are made; no fingerprint covers it."""

    device: str = argument("auto", help="auto (default), cpu, cuda, cuda:1 …")
    engine: str | Mapping[str, Any] | None = argument(keys=EngineChoice)


def resolve_engine(given: object, spelling: Spelling = python) -> EngineChoice:
    """The choice behind `engine=`: a name, "ray:ADDRESS", a dict such as {"name": "processes", "workers": 2}, or None.

    Raises ConfigError for anything else.

    >>> resolve_engine({"name": "processes", "workers": 2}).workers
    2
    """
    if given is None:
        return EngineChoice()
    if isinstance(given, EngineChoice):
        return given
    if not isinstance(given, (str, Mapping)):
        expected = "a name such as 'processes', or a dict such as {'name': 'processes', 'workers': 2}"
        raise ConfigError(explain(spelling("engine"), got=given, expected=expected))
    options = {"name": given} if isinstance(given, str) else dict(given)
    name = options.get("name")
    if isinstance(name, str) and ":" in name and "address" not in options:
        options["name"], _, address = name.partition(":")
        options["address"] = address or None
    return EngineChoice(**_check(options, spelling))


def _check(options: Mapping[str, Any], spelling: Spelling) -> dict[str, Any]:
    """The options in their types; ConfigError for wrong ones, and for those that this engine does not have."""
    known = entries(EngineChoice)
    check_keys("engine", options, known)
    name = check_choice(spelling("engine"), options.get("name", "local"), ENGINES)
    rest = {key: value for key, value in options.items() if key != "name"}
    made = {key: known[key].checked(value, spelling, within="engine") for key, value in rest.items()}
    if made.get("address") is not None and name != "ray":
        what = spelling("engine: address")
        raise ConfigError(explain(what, got=made["address"], expected="the address of a Ray cluster"))
    if name == "local" and (made.get("workers") or 1) > 1:
        remedy = f"take {spelling('engine', 'processes')}"
        raise ConfigError(explain("engine 'local' has one worker", got=made["workers"], remedy=remedy))
    return {"name": name, **made}
