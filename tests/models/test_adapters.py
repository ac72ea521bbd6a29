"""LoRA adapters: the same file by path, by folder and by Hub id."""

import hashlib
import shutil
from pathlib import Path

import pytest

from dataset_dm.diffusion import Backbone
from dataset_dm.errors import ModelError
from dataset_dm.labels.tasks import SEMANTIC
from dataset_dm.models.adapters import adapter_file, find_adapter
from dataset_dm.plan.resolve import resolve

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture
def cached(lora: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The adapter as owner/lora in the Hub's cache."""
    folder = tmp_path / "hub" / "models--owner--lora" / "snapshots" / COMMIT
    folder.mkdir(parents=True)
    shutil.copy(lora, folder)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    return folder


def test_plan_and_backbone_have_one_hash_of_a_file_and_of_its_folder(
    backbone: Backbone, models: dict[str, str], lora: Path, tmp_path: Path
) -> None:
    shutil.copy(lora, tmp_path)
    (tmp_path / "notes.json").write_text("{}")  # files that are not loaded do not count
    places = (lora, lora.parent, tmp_path)
    by_plan = {resolve(SEMANTIC, **models, adapter=str(place)).adapter_hash for place in places}
    by_backbone = {Backbone.load(backbone.folder, adapter=place, device="cpu").adapter_fingerprint for place in places}
    assert by_plan == by_backbone == {hashlib.sha256(lora.read_bytes()).hexdigest()[:16]}


def test_plan_and_backbone_have_one_hash_of_a_hub_id(
    backbone: Backbone, models: dict[str, str], lora: Path, cached: Path
) -> None:
    given = f"owner/lora@{COMMIT}"
    adapted = Backbone.load(backbone.folder, adapter=given, device="cpu")
    plan = resolve(SEMANTIC, **models, adapter=given)
    assert plan.adapter == adapted.adapter == given
    assert plan.adapter_hash == adapted.adapter_fingerprint == find_adapter(given).fingerprint()
    assert adapter_file(find_adapter(given)) == cached / lora.name


def test_a_folder_is_named_and_its_file_is_opened(lora: Path) -> None:
    found = find_adapter(lora.parent)
    assert found.reference == str(lora.parent.resolve())
    assert adapter_file(found) == find_adapter(found.reference).path == lora.resolve()


def test_of_several_files_diffusers_own_is_loaded(tmp_path: Path) -> None:
    for name in ("other.safetensors", "more.safetensors"):
        (tmp_path / name).write_bytes(b"x")
    with pytest.raises(ModelError, match="more.safetensors.*expected exactly one .safetensors file"):
        find_adapter(tmp_path)
    (tmp_path / "pytorch_lora_weights.safetensors").write_bytes(b"y")
    assert find_adapter(tmp_path).path == (tmp_path / "pytorch_lora_weights.safetensors").resolve()


@pytest.mark.parametrize("given", ["lora/weights.safetensors", "lora/weights.bin", "nowhere", "a/b/c"])
def test_a_missing_file_is_not_taken_for_a_hub_id(given: str) -> None:
    with pytest.raises(ModelError, match="adapter: got .*expected a LoRA file, its folder, or a Hub id"):
        find_adapter(given)


def test_pickled_weights_are_refused(tmp_path: Path) -> None:
    (tmp_path / "lora.bin").write_bytes(b"anything")
    with pytest.raises(ModelError, match="pickled weights are not read"):
        find_adapter(tmp_path / "lora.bin")
