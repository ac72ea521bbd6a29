"""The recipe end to end, in miniature's miniature: every stage takes steps and the result is a stock pipeline."""

import json

import pytest
from safetensors.torch import load_file

from dataset_dm.miniature.recipe import renders
from dataset_dm.miniature.recipe.__main__ import main


@pytest.fixture
def runs(tmp_path, monkeypatch):
    monkeypatch.setattr(renders, "CHUNK", 8)
    (tmp_path / "renders").mkdir()
    renders.render_chunk(str(tmp_path / "renders"), 0, 0, 0)
    return tmp_path


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
