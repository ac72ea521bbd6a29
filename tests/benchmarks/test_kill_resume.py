"""The short version of `kill_resume`: two tries."""

import pytest

from tests.benchmarks import kill_resume


def test_two_runs_that_are_killed_end_in_the_same_bytes(
    monkeypatch: pytest.MonkeyPatch, tmp_path: object, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DATASET_DM_HOME", str(tmp_path))  # put back afterwards
    assert kill_resume.main(["--tries", "2", "--images", "24"]) == 0
    assert "identical: 2/2" in capsys.readouterr().out
