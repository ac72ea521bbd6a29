"""The versions of the compatibility command; the command itself is too long for a test."""

from __future__ import annotations

import pytest

from tests.compatibility.__main__ import TESTS, main
from tests.compatibility.environments import ROOT, VERSIONS, constraints, floors


def test_every_environment_has_its_datasets_and_one_torch() -> None:
    torches = set()
    for version in VERSIONS:
        lines = constraints(version)
        assert sum(line.startswith(f"datasets=={version}") for line in lines) == 1
        torches |= {line for line in lines if line.startswith("torch==")}
    assert len(torches) == 1


def test_the_oldest_environment_is_what_setup_cfg_promises() -> None:
    made = floors()
    assert "datasets==3.6" in made and set(made) < set(constraints("3.6"))
    assert all("==" in line and not line.startswith("torch") for line in made)


def test_the_tests_are_there() -> None:
    assert [name for name in TESTS if not (ROOT / name).exists()] == []


def test_an_unknown_version_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["4.1"])
    assert caught.value.code == 2
    assert capsys.readouterr().err.splitlines()[-1].endswith("got '4.1', expected one of 3.6, 4.0, 4.8, 5.2")
