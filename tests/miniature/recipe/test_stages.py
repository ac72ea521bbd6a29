"""The recipe end to end, in miniature's miniature: every stage takes steps and the result is a stock pipeline."""

import json

import pytest
import torch
from safetensors.torch import load_file

from dataset_dm.miniature.recipe import renders
from dataset_dm.miniature.recipe.__main__ import main


@pytest.fixture
def runs(tmp_path, monkeypatch):
    monkeypatch.setattr(renders, "CHUNK", 8)
    renders.render_chunk(str(_made(tmp_path / "renders")), 0, 0, 0)
    return tmp_path


def _made(folder):
    folder.mkdir()
    return folder


def test_every_stage_and_export(runs, capsys):
    common = ["--runs", str(runs), "--scenes", "8", "--steps", "2", "--batch", "2", "--warmup", "1", "--device", "cpu"]
    assert main(["judge", *common]) == 0
    assert main(["autoencoder", *common, "--crop", "64"]) == 0
    assert main(["generator", *common]) == 0
    assert main(["export", "--runs", str(runs), "--out", str(runs / "pipe")]) == 0
    files = [path for path in (runs / "pipe").rglob("*") if path.is_file()]
    assert all(path.stat().st_size <= 16e6 for path in files)
    assert {path.suffix for path in files} <= {".json", ".txt", ".safetensors"}
    assert json.loads((runs / "pipe" / "text_encoder" / "config.json").read_text())["dtype"] == "float32"
    assert all(
        name.startswith("text_model.") for name in load_file(runs / "pipe" / "text_encoder" / "model.safetensors")
    )
    # going on from exported weights: a fresh optimiser, the same tokenizer and latent scale
    again = runs / "again"
    again.mkdir()
    (again / "renders").symlink_to(runs / "renders")
    more = ["--runs", str(again), "--init-from", str(runs / "pipe"), *common[2:]]
    assert main(["generator", *more]) == 0
    scale = [json.loads((path / "vae" / "config.json").read_text())["scaling_factor"] for path in (runs / "pipe",)]
    assert json.loads((again / "generator" / "vae" / "config.json").read_text())["scaling_factor"] == scale[0]


def test_generator_without_an_autoencoder_says_what_to_run(runs, capsys):
    assert main(["generator", "--runs", str(runs), "--scenes", "8"]) == 2
    assert "run the stage `autoencoder` first" in capsys.readouterr().err


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


def test_a_stage_that_waits_for_scenes_says_so(tmp_path, capsys):
    from threading import Timer

    folder = _made(tmp_path / "renders")
    Timer(0.3, lambda: [(folder / "00000").mkdir(), _empty_chunk(folder / "00000")]).start()
    assert len(renders.wait_for(folder, 1, poll_seconds=1.0)) == 0
    assert "waiting for 1 scenes" in capsys.readouterr().out


def _empty_chunk(folder):
    import numpy as np

    np.save(folder / "images.npy", np.zeros((0, 1, 1, 3), np.uint8))
    np.save(folder / "classes.npy", np.zeros((0, 1, 1), np.uint8))
    (folder / "captions.json").write_text("[]")


def test_a_chunk_is_rendered_once(runs):
    before = (runs / "renders" / "00000" / "images.npy").stat().st_mtime_ns
    renders.render_chunk(str(runs / "renders"), 0, 0, 0)
    assert (runs / "renders" / "00000" / "images.npy").stat().st_mtime_ns == before
    scenes = renders.wait_for(runs / "renders", 8)
    assert len(scenes) == 8 and scenes.images[0].shape == (8, 128, 128, 3)
    assert torch.from_numpy(scenes.classes[0].copy()).max() <= 20
