"""Decoders on the Hub: pushed with a card, loaded by id and revision, used as a labeller by `load_dataset`."""

import json
from pathlib import Path

import pytest
import torch
from huggingface_hub import HfApi, ModelHubMixin
from safetensors.torch import save_file

from dataset_dm.cards.models import AdapterFacts, decoder_card
from dataset_dm.decoder import PDecoder, PDecoderConfig
from dataset_dm.errors import ModelError, UserError
from dataset_dm.hub import write_adapter_card
from dataset_dm.hypercolumns import FeatureSpec, Level
from dataset_dm.miniature import WEIGHTS
from tests.hub.conftest import MINE
from tests.hub.loopback import LoopbackHub
from tests.hub.stores import push

FILES = [".gitattributes", "README.md", "config.json", "model.safetensors"]


def small_decoder(seed: int = 0, **record: object) -> PDecoder:
    """Untrained, for a generator that does not exist."""
    torch.manual_seed(seed)
    spec = FeatureSpec(
        generator="0123456789abcdef",
        levels=(Level(name="unet.mid", source="unet", channels=8, stride=8),),
        attention=(),
        attention_heads=0,
        text_width=8,
        timestep=20,
        native_size=(64, 64),
    )
    sizes = {"width": 8, "finest_width": 8, "evidence_width": 8, "instance_width": 8, "text_heads": 1}
    return PDecoder(PDecoderConfig(spec=spec, classes=("cat", "dog"), attention=False, record=dict(record), **sizes))


def files(hub: LoopbackHub, name: str, revision: str = "main") -> list[str]:
    return sorted(hub.repos["models", name].files(revision))


def test_the_mixin_pushes_and_loads_by_revision(logged_in: LoopbackHub) -> None:
    first, second = small_decoder(0), small_decoder(1)
    assert isinstance(first, ModelHubMixin)
    first.push_to_hub("me/by_revision")
    commit = logged_in.repos["models", "me/by_revision"].branches["main"]
    assert files(logged_in, "me/by_revision") == FILES
    second.push_to_hub("me/by_revision", private=False)
    for made, loaded in (
        (first, PDecoder.from_pretrained("me/by_revision", revision=commit)),
        (first, PDecoder.from_pretrained(f"me/by_revision@{commit}")),
        (second, PDecoder.from_pretrained("me/by_revision", token=MINE)),
    ):
        assert loaded.config == made.config and not loaded.training
        there = loaded.state_dict()
        assert all(torch.equal(value, there[name]) for name, value in made.state_dict().items())
    HfApi().delete_repo("me/by_revision")
    assert not logged_in.repos


def test_a_card_that_is_there_is_kept_by_the_mixin(logged_in: LoopbackHub) -> None:
    small_decoder().push_to_hub("me/kept")
    HfApi().upload_file(path_or_fileobj=b"# Mine\n", path_in_repo="README.md", repo_id="me/kept")
    small_decoder(1).push_to_hub("me/kept")
    assert logged_in.content("models", "me/kept", "README.md") == b"# Mine\n"


def test_save_pretrained_writes_a_card_when_asked(tmp_path: Path) -> None:
    assert small_decoder().save_pretrained(tmp_path / "plain") == tmp_path / "plain"
    assert sorted(file.name for file in (tmp_path / "plain").iterdir()) == FILES[2:]
    small_decoder().save_pretrained(tmp_path / "carded", card=True)
    assert "trained on" in (tmp_path / "carded" / "README.md").read_text()


def test_what_is_no_decoder_says_so(logged_in: LoopbackHub, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="neither the Hub nor its local cache has it"):
        PDecoder.from_pretrained("me/nowhere")
    with pytest.raises(ModelError, match="neither a folder nor available on the Hub") as error:
        PDecoder.from_pretrained("me/nowhere", token=MINE)
    assert MINE not in str(error.value)
    HfApi().create_repo("me/empty")
    with pytest.raises(ModelError, match="no config.json in it"):
        PDecoder.from_pretrained("me/empty")


def test_push_of_a_decoder_s_folder(logged_in: LoopbackHub, tmp_path: Path) -> None:
    folder = small_decoder().save_pretrained(tmp_path / "decoder")
    (folder / "training.json").write_text("{}")  # leftovers of training stay at home
    logged_in.fail("503", on="POST .*/commit/")
    logged_in.fail("reset", on="PUT /lfs")
    pushed = push(folder, "me/pushed")
    assert files(logged_in, "me/pushed") == FILES and pushed.url == f"{logged_in.endpoint}/me/pushed"
    assert push(folder, "me/pushed").sent == {}
    assert PDecoder.from_pretrained("me/pushed").config == small_decoder().config
    card = logged_in.content("models", "me/pushed", "README.md").decode()
    edited = card.replace("## Limits and biases\n", "## Limits and biases\n\n- Only cats.\n").encode()
    HfApi().upload_file(path_or_fileobj=edited, path_in_repo="README.md", repo_id="me/pushed")
    again = push(small_decoder(1).save_pretrained(tmp_path / "other"), "me/pushed")
    assert list(again.sent) == ["model.safetensors"] and "part decoder was edited by hand" in again.notes[0]
    assert logged_in.content("models", "me/pushed", "README.md") == edited


def test_push_of_an_adapter(logged_in: LoopbackHub, tmp_path: Path) -> None:
    save_file({"unet.lora_A.weight": torch.zeros(2, 2)}, tmp_path / "pytorch_lora_weights.safetensors")
    with pytest.raises(ModelError, match="the adapter has no README.md"):
        push(tmp_path, "me/adapter")
    facts = AdapterFacts(
        name="my cat",
        generator="owner/model",
        command="dataset-dm adapt photos/",
        prompt="a <sks> cat\n---",
        images=12,
        settings={"rank": 8},
    )
    write_adapter_card(tmp_path, facts)
    push(tmp_path, "me/adapter")
    assert files(logged_in, "me/adapter") == [".gitattributes", "README.md", "pytorch_lora_weights.safetensors"]
    text = logged_in.content("models", "me/adapter", "README.md").decode()
    assert "base_model: owner/model" in text and "a &lt;sks&gt; cat ---" in text and "12 photos" in text
    assert "| rank | 8 |" in text


def test_a_folder_of_another_model_is_refused(logged_in: LoopbackHub, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"model_type": "bert"}')
    save_file({"a": torch.zeros(1)}, tmp_path / "model.safetensors")
    with pytest.raises(UserError, match="config.json: not the config of a decoder"):
        push(tmp_path, "me/bert")
    assert not logged_in.repos


def test_the_shipped_decoder_s_card_tells_its_figures() -> None:
    config = json.loads((WEIGHTS / "decoder" / "config.json").read_text())
    text = str(decoder_card(config, "me/decoder"))
    told = config["record"]["validation_figures"]
    assert f"| mIoU of class masks | {told['blind']['miou']:.3f} | {told['informed']['miou']:.3f} |" in text
    assert 'annotator="me/decoder"' in text and "pipeline_tag: image-segmentation" in text
    assert config["record"]["command"] in text


def test_a_decoder_from_the_hub_labels(logged_in: LoopbackHub, quick: dict[str, object]) -> None:
    from datasets import load_dataset

    import dataset_dm  # noqa: F401  (teaches `datasets` our names)

    decoder = PDecoder.from_pretrained(WEIGHTS / "decoder")
    decoder.push_to_hub("me/labeller", half=True)
    commit = logged_in.repos["models", "me/labeller"].branches["main"]
    asked = {**quick, "annotator": "me/labeller", "num_images": 2}
    made = load_dataset("dataset_dm/voc_synth", split="train", **asked)
    assert made.num_rows == 2
    assert made[0]["provenance"]["annotator"] == "me/labeller"
    assert made[0]["provenance"]["annotator_revision"] == commit
    assert made[0]["label"].size == made[0]["image"].size


def test_the_licence_of_a_model_and_its_generator_s_terms(logged_in: LoopbackHub, tmp_path: Path) -> None:
    config = small_decoder(generator="/home/alice/stable-diffusion-xl-base").save_pretrained(tmp_path / "decoder")
    push(config, "me/licensed", license="cc-by-4.0")
    text = logged_in.content("models", "me/licensed", "README.md").decode()
    head, body = text.split("---\n")[1], text.split("---\n", 2)[2]
    assert "license: cc-by-4.0" in head and "library_name: dataset-dm" in head
    assert "Open RAIL++-M" in body and "alice" not in body
    for license in ("cc-by-4.0", None):  # what the head says stays
        assert push(config, "me/licensed", license=license).sent == {}
