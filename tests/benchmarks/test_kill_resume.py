"""The short version of `kill_resume`: one try."""

import pytest

from tests.benchmarks import kill_resume


def test_a_run_that_is_killed_ends_in_the_same_bytes(
    monkeypatch: pytest.MonkeyPatch, tmp_path: object, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DATASET_DM_HOME", str(tmp_path))  # put back afterwards
    assert kill_resume.main(["--tries", "1", "--images", "16"]) == 0
    assert "identical: 1/1" in capsys.readouterr().out
