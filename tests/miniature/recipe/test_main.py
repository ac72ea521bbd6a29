"""Command line of the recipe: refusals are one line and name the next step."""

import pytest

from dataset_dm.miniature.recipe.__main__ import main


@pytest.mark.parametrize("stage", ("autoencoder", "generator", "judge"))
def test_going_on_from_a_folder_that_is_not_there_is_one_line(stage, tmp_path, capsys):
    assert main([stage, "--runs", str(tmp_path), "--init-from", str(tmp_path / "nowhere")]) == 2
    said = capsys.readouterr().err
    assert "nowhere" in said and "Traceback" not in said


def test_export_before_training_says_what_to_run(tmp_path, capsys):
    assert main(["export", "--runs", str(tmp_path), "--out", str(tmp_path / "pipe")]) == 2
    assert "run the stage `generator`" in capsys.readouterr().err
    assert not (tmp_path / "pipe").exists()


@pytest.mark.parametrize("words", (["render", "--scenes", "0"], ["judge", "--steps", "-3"], ["judge", "--batch", "x"]))
def test_counts_below_one_are_refused(words, capsys):
    with pytest.raises(SystemExit) as stop:
        main(words)
    assert stop.value.code == 2
    assert "expected a whole number of at least 1" in capsys.readouterr().err
