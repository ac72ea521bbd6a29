"""Generator, adapter and decoder from the Hub by `id@revision`: what they were then is what draws and labels."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from huggingface_hub import HfApi

from dataset_dm.decoder import PDecoder
from dataset_dm.errors import ModelError
from dataset_dm.hub import AdapterFacts, write_adapter_card
from dataset_dm.miniature import WEIGHTS
from tests.hub.loopback import LoopbackHub
from tests.hub.stores import push


def commit_of(hub: LoopbackHub, name: str, revision: str = "main") -> str:
    return hub.repos["models", name].commit_of(revision)


@pytest.fixture
def adapter(generator_folder: Path, tmp_path: Path) -> Path:
    """A folder with a LoRA that changes what the embedded generator draws, and its card."""
    peft = pytest.importorskip("peft")
    from diffusers import StableDiffusionPipeline
    from diffusers.utils import convert_state_dict_to_diffusers

    from dataset_dm.diffusion import Backbone

    unet = Backbone.load(generator_folder, device="cpu").pipe.unet
    torch.manual_seed(0)
    unet.add_adapter(peft.LoraConfig(r=2, init_lora_weights=False, target_modules=["to_q", "to_k", "to_v"]))
    layers = convert_state_dict_to_diffusers(peft.get_peft_model_state_dict(unet))
    StableDiffusionPipeline.save_lora_weights(tmp_path / "lora", unet_lora_layers=layers)
    facts = AdapterFacts(name="a", generator="me/drawer", command="x", prompt="a sks cat", images=3)
    write_adapter_card(tmp_path / "lora", facts)
    return tmp_path / "lora"


@pytest.fixture
def load(quick: dict[str, object]) -> Callable[..., Any]:
    """Two images of voc_synth with other models than the shipped ones."""
    from datasets import load_dataset

    import dataset_dm  # noqa: F401  (teaches `datasets` our names)

    return lambda **models: load_dataset("dataset_dm/voc_synth", split="train", num_images=2, **{**quick, **models})


def test_a_generator_and_an_adapter_by_revision(
    logged_in: LoopbackHub, load: Callable[..., Any], adapter: Path, generator_folder: Path
) -> None:
    api = HfApi()
    api.create_repo("me/drawer")
    api.upload_folder(repo_id="me/drawer", folder_path=generator_folder)
    api.create_branch("me/drawer", branch="v1")
    drawn = commit_of(logged_in, "me/drawer")
    push(adapter, "me/lora")
    api.create_branch("me/lora", branch="v1")
    adapted = commit_of(logged_in, "me/lora")
    for name in ("me/drawer", "me/lora"):  # whatever comes later is not asked for
        api.upload_file(path_or_fileobj=b"{}", path_in_repo="model_index.json", repo_id=name)

    plain = load()
    here = load(generator="me/drawer@v1")
    there = load(generator="me/drawer@v1", adapter="me/lora@v1")
    assert plain[0]["image"].tobytes() == here[0]["image"].tobytes() != there[0]["image"].tobytes()
    made = there[1]["provenance"]
    assert (made["generator"], made["revision"]) == ("me/drawer", drawn)
    assert made["adapter"] == f"me/lora@{adapted}"
    logged_in.fail("503", times=999)  # a pinned commit that was fetched needs no Hub
    again = load(generator=f"me/drawer@{drawn}", adapter=f"me/lora@{adapted}")
    assert [row["provenance"] for row in again] == [row["provenance"] for row in there]


def test_a_decoder_by_revision(logged_in: LoopbackHub, load: Callable[..., Any], tmp_path: Path) -> None:
    folder = PDecoder.from_pretrained(WEIGHTS / "decoder").save_pretrained(tmp_path / "decoder", half=True)
    push(folder, "me/labeller", revision="v1")
    first = commit_of(logged_in, "me/labeller", "v1")
    made = load(annotator="me/labeller@v1")
    assert made[0]["label"].getextrema()[1] > 0 or made[1]["label"].getextrema()[1] > 0
    assert (made[0]["provenance"]["annotator"], made[0]["provenance"]["annotator_revision"]) == ("me/labeller", first)
    with pytest.raises(ModelError, match="annotator: 'me/labeller' is no existing path, and neither the Hub") as error:
        load(annotator="me/labeller@v2")
    assert "\n" not in str(error.value)
