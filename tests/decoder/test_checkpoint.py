"""Checkpoints: what is written is read back, and what cannot be read is one line."""

import pytest
import torch

from dataset_dm.decoder import PDecoder
from dataset_dm.decoder.checkpoint import CONFIG, WEIGHTS, checkpoint_hash
from dataset_dm.errors import ModelError
from tests.decoder.conftest import make_decoder


def test_dropout_is_off_after_loading(decoder, features, tmp_path):
    decoder.train().save_pretrained(tmp_path)
    loaded = PDecoder.from_pretrained(tmp_path)
    with torch.inference_mode():
        assert torch.equal(loaded(features).semantic.logits, loaded(features).semantic.logits)


def test_a_checkpoint_returns_the_same_decoder(decoder, features, tmp_path):
    decoder.configured(temperature=1.5, void_below=0.4, record={"command": "x"}).save_pretrained(tmp_path)
    loaded = PDecoder.from_pretrained(tmp_path)
    assert loaded.config == decoder.config and loaded.config.record == {"command": "x"}
    assert sorted(file.name for file in tmp_path.iterdir()) == [CONFIG, WEIGHTS]
    with torch.inference_mode():
        assert torch.equal(loaded(features).semantic.logits, decoder(features).semantic.logits)


def test_half_precision_halves_the_file_and_keeps_the_labels(decoder, features, tmp_path):
    decoder.save_pretrained(tmp_path / "full")
    decoder.save_pretrained(tmp_path / "half", half=True)
    sizes = [(tmp_path / name / WEIGHTS).stat().st_size for name in ("full", "half")]
    assert sizes[1] < 0.6 * sizes[0]
    with torch.inference_mode():
        full, half = (PDecoder.from_pretrained(tmp_path / name)(features).semantic.logits for name in ("full", "half"))
    assert (full.argmax(1) == half.argmax(1)).float().mean() > 0.99


def test_the_hash_follows_the_bytes(decoder, tmp_path):
    decoder.save_pretrained(tmp_path)
    before = checkpoint_hash(tmp_path)
    decoder.save_pretrained(tmp_path)
    assert checkpoint_hash(tmp_path) == before
    decoder.configured(void_below=0.3).save_pretrained(tmp_path)
    assert checkpoint_hash(tmp_path) != before


def test_broken_checkpoints_are_one_line(decoder, tmp_path):
    decoder.save_pretrained(tmp_path)
    (tmp_path / "other").mkdir()
    with pytest.raises(ModelError, match="no config.json"):
        PDecoder.from_pretrained(tmp_path / "other")
    data = (tmp_path / WEIGHTS).read_bytes()
    (tmp_path / WEIGHTS).write_bytes(data[: len(data) // 2])
    with pytest.raises(ModelError, match="cannot be read"):
        PDecoder.from_pretrained(tmp_path)
    (tmp_path / WEIGHTS).unlink()
    (tmp_path / "model.bin").write_bytes(data)
    with pytest.raises(ModelError, match="only safetensors"):
        PDecoder.from_pretrained(tmp_path)
    with pytest.raises(ModelError, match="decoder"):
        PDecoder.from_pretrained(tmp_path / "nowhere")


def test_weights_of_another_shape_of_net_are_refused(decoder, tmp_path):
    make_decoder(tasks=("semantic",)).save_pretrained(tmp_path / "a")
    decoder.save_pretrained(tmp_path / "b")
    (tmp_path / "a" / CONFIG).write_bytes((tmp_path / "b" / CONFIG).read_bytes())
    with pytest.raises(ModelError, match="on one side only"):
        PDecoder.from_pretrained(tmp_path / "a")
