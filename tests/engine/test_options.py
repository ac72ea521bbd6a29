"""`engine=`: what is understood, and what is refused in one line."""

import pytest

from dataset_dm.engine import EngineChoice, resolve_engine
from dataset_dm.errors import ConfigError


@pytest.mark.parametrize(
    ("given", "choice"),
    [
        (None, EngineChoice()),
        ("processes", EngineChoice(name="processes")),
        ("ray:10.0.0.1:6379", EngineChoice(name="ray", address="10.0.0.1:6379")),
        ({"name": "processes", "workers": 2, "threads": 1}, EngineChoice(name="processes", workers=2, threads=1)),
        (EngineChoice(name="ray"), EngineChoice(name="ray")),
    ],
)
def test_what_may_be_given(given: object, choice: EngineChoice) -> None:
    assert resolve_engine(given) == choice


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("proceses", "engine: got 'proceses', expected local or processes or ray; did you mean 'processes'"),
        (
            {"name": "processes", "worker": 2},
            "engine: unknown key 'worker'; expected name, workers, .*; did you mean 'workers'",
        ),
        ({"name": "processes", "workers": 0}, "engine: workers: got 0, expected a whole number of at least 1"),
        ({"name": "processes", "workers": True}, "workers: got True"),
        ({"workers": 2}, "engine 'local' has one worker: got 2; take engine='processes'"),
        ("processes:elsewhere", "engine: address: got 'elsewhere', expected the address of a Ray cluster"),
        ({"name": "processes", "time_limit": 0}, "engine: time_limit: got 0, expected seconds, more than 0"),
        (3, "engine: got 3, expected a name such as 'processes'"),
        ({"name": 3}, "engine: got 3, expected local or processes or ray"),
    ],
)
def test_mistakes(given: object, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        resolve_engine(given)
