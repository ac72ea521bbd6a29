"""LoRA adapters: loaded from safetensors into the pipeline; other files are refused."""

import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from dataset_dm.diffusion import Backbone, SamplerConfig, loading, sample
from dataset_dm.diffusion.redraw import redraw
from dataset_dm.errors import MissingExtra, ModelError

QUICK = SamplerConfig(steps=1, guidance=None)


def test_adapter_changes_the_images_not_the_generators_fingerprint(backbone: Backbone, lora: Path) -> None:
    adapted = Backbone.load(backbone.folder, adapter=lora, device="cpu")
    assert adapted.fingerprint == backbone.fingerprint
    assert backbone.adapter_fingerprint is None and len(adapted.adapter_fingerprint) == 16
    plain = sample(backbone, ["a dog"], [1], QUICK)
    other = sample(adapted, ["a dog"], [1], QUICK)
    assert not torch.equal(plain.latents, other.latents)


def test_folder_with_one_adapter(backbone: Backbone, lora: Path) -> None:
    by_file = Backbone.load(backbone.folder, adapter=lora, device="cpu")
    by_folder = Backbone.load(backbone.folder, adapter=str(lora.parent), device="cpu")
    assert by_file.adapter_fingerprint == by_folder.adapter_fingerprint
    one, two = (sample(each, ["a dog"], [1], QUICK).latents for each in (by_file, by_folder))
    assert torch.equal(one, two)


def test_a_row_is_redrawn_with_the_commit_of_its_adapter(
    backbone: Backbone, lora: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit = "0123456789abcdef0123456789abcdef01234567"
    stored = tmp_path / "models--owner--lora" / "snapshots" / commit
    stored.mkdir(parents=True)
    shutil.copy(lora, stored)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    row = {"seed": 1, "steps": 1, "guidance": None, "width": 128, "height": 128}
    by_file, by_commit, plain = (
        redraw(str(backbone.folder), "a dog", {**row, "adapter": adapter})
        for adapter in (str(lora), f"owner/lora@{commit}", None)
    )
    assert (by_file == by_commit).all() and (by_file != plain).any()


def refusal(backbone: Backbone, adapter: Path | str) -> str:
    with pytest.raises(ModelError) as caught:
        Backbone.load(backbone.folder, adapter=adapter, device="cpu")
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_unusable_adapters(backbone: Backbone, tmp_path: Path) -> None:
    assert "a LoRA file, its folder, or a Hub id" in refusal(backbone, "nothing.safetensors")
    pickled = tmp_path / "lora.bin"
    pickled.write_bytes(b"anything")
    assert "pickled weights are not read" in refusal(backbone, pickled)
    assert "exactly one .safetensors file" in refusal(backbone, tmp_path)
    foreign = tmp_path / "foreign.safetensors"
    save_file({"some.layer": torch.zeros(2)}, foreign)
    assert "does not fit" in refusal(backbone, foreign) or "no layer" in refusal(backbone, foreign)
    names = "unet.down_blocks.0.attentions.0.transformer_blocks.0.attn1.to_q.lora_{}.weight"
    misshapen = tmp_path / "misshapen.safetensors"
    save_file({names.format("A"): torch.zeros(2, 7), names.format("B"): torch.zeros(7, 2)}, misshapen)
    assert "does not fit" in refusal(backbone, misshapen)


def test_missing_peft_names_the_extra(backbone: Backbone, lora: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loading, "find_spec", lambda name: None)
    with pytest.raises(MissingExtra, match=r"install dataset-dm\[lora\]"):
        Backbone.load(backbone.folder, adapter=lora, device="cpu")
