"""Loading: every refusal is one line that names the remedy."""

import json
import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from dataset_dm.diffusion import Backbone
from dataset_dm.errors import ConfigError, GeneratorError, UserError


def refusal(source: object, kind: type[UserError] = GeneratorError, **arguments: object) -> str:
    with pytest.raises(kind) as caught:
        Backbone.load(source, device="cpu", **arguments)
    message = str(caught.value)
    assert "\n" not in message
    return message


def test_empty_revision() -> None:
    assert "neither part empty" in refusal("owner/name@", ConfigError)


def test_missing_path() -> None:
    assert "'no/such/folder/at/all'" in refusal("no/such/folder/at/all")
    assert "check the path" in refusal("./nothing")


def test_unreachable_hub_id_says_what_failed() -> None:
    message = refusal("no-owner/nothing@v1")
    assert "no-owner/nothing@v1" in message and "Hub" in message


def test_hub_id_in_the_cache_is_used_offline_and_its_commit_is_kept(
    generator_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit = "0123456789abcdef0123456789abcdef01234567"
    cached = tmp_path / "models--owner--name"
    shutil.copytree(generator_folder, cached / "snapshots" / commit)
    (cached / "refs").mkdir()
    (cached / "refs" / "v1").write_text(commit)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    by_id = Backbone.load("owner/name@v1", device="cpu")
    assert by_id.revision == commit
    assert by_id.fingerprint == Backbone.load(generator_folder, device="cpu").fingerprint


def test_revision_on_a_local_folder(generator_folder: Path) -> None:
    assert "no @revision" in refusal(f"{generator_folder}@main")


def test_folder_without_index(tmp_path: Path) -> None:
    assert "model_index.json" in refusal(tmp_path)


def test_index_without_json_or_with_remote_code(tmp_path: Path) -> None:
    index = tmp_path / "model_index.json"
    index.write_text("{")
    assert "not JSON" in refusal(tmp_path)
    index.write_text(json.dumps({"_class_name": ["my_pipeline", "MyPipeline"]}))
    assert "remote code" in refusal(tmp_path)


def test_missing_component(copied: Path) -> None:
    (copied / "vae").rename(copied / "away")
    assert "'vae' is missing" in refusal(copied)


def test_pickled_weights_are_refused_unread(copied: Path) -> None:
    for file in (copied / "unet").glob("*.safetensors"):
        file.unlink()
    (copied / "unet" / "diffusion_pytorch_model.bin").write_bytes(b"anything")
    message = refusal(copied)
    assert "'unet' has pickled weights only (.bin)" in message and "safetensors" in message


def test_truncated_weights(copied: Path) -> None:
    weights = max((copied / "vae").glob("*.safetensors"), key=lambda file: file.stat().st_size)
    weights.write_bytes(weights.read_bytes()[:1000])
    assert "cannot be loaded" in refusal(copied)


@pytest.mark.parametrize("part", ["text_encoder", "vae", "unet"])
def test_missing_weights_are_refused(copied: Path, part: str) -> None:
    file = min((copied / part).glob("*.safetensors"))
    weights = load_file(file)
    del weights[min(weights)]
    save_file(weights, file, metadata={"format": "pt"})
    assert f"'{part}' lacks 1 weights, such as " in refusal(copied)


def test_weights_of_another_shape(copied: Path) -> None:
    config = copied / "unet" / "config.json"
    values = json.loads(config.read_text())
    values["cross_attention_dim"] *= 2
    config.write_text(json.dumps(values))
    assert "cannot be loaded" in refusal(copied)


def test_pipeline_for_another_task(copied: Path) -> None:
    from diffusers import UNet2DConditionModel

    values = json.loads((copied / "unet" / "config.json").read_text())
    channels = values["in_channels"]
    wider = {**values, "in_channels": 2 * channels + 1}  # an inpainting UNet: latents, mask, masked latents
    (copied / "unet" / "config.json").unlink()
    for file in (copied / "unet").iterdir():
        file.unlink()
    UNet2DConditionModel.from_config(wider).save_pretrained(copied / "unet")
    assert f"takes {2 * channels + 1} channels" in refusal(copied)


def test_dtype_and_device(generator_folder: Path) -> None:
    assert "float16" in refusal(generator_folder, ConfigError, dtype="flaot16")
    with pytest.raises(ConfigError, match="device: got 'tpu9'"):
        Backbone.load(generator_folder, device="tpu9")
    half = Backbone.load(generator_folder, dtype="bfloat16", device="cpu")
    assert half.dtype == torch.bfloat16 and half.pipe.unet.dtype == torch.bfloat16
    assert half.encode_text(["a dog"]).dtype == torch.bfloat16


@pytest.mark.skipif(torch.cuda.is_available(), reason="needs a machine without a GPU")
def test_missing_gpu(generator_folder: Path) -> None:
    with pytest.raises(ConfigError, match="0 GPUs"):
        Backbone.load(generator_folder, device="cuda")


def test_loading_is_silent(generator_folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    Backbone.load(generator_folder, device="cpu")
    assert capfd.readouterr() == ("", "")
