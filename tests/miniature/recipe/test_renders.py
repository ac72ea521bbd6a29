"""Chunks of rendered scenes: rendered once, read when all are there."""

import pytest
import torch

from dataset_dm.miniature.recipe import renders


@pytest.fixture
def runs(tmp_path, monkeypatch):
    monkeypatch.setattr(renders, "CHUNK", 8)
    (tmp_path / "renders").mkdir()
    renders.render_chunk(str(tmp_path / "renders"), 0, 0, 0)
    return tmp_path


def test_a_stage_that_waits_for_scenes_says_so(tmp_path, capsys):
    from threading import Timer

    folder = tmp_path / "renders"
    folder.mkdir()
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
