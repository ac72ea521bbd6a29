"""Models by name, path or Hub id, and their content hashes."""

import hashlib
import json
import os
import shutil
from pathlib import Path

import pytest

from dataset_dm.diffusion import Backbone
from dataset_dm.errors import ConfigError, ModelError
from dataset_dm.models.reference import find, fingerprint, is_hub_id, split_revision


def test_a_pipeline_has_the_hash_that_the_loaded_backbone_has(generator_folder: Path, backbone) -> None:
    assert fingerprint(generator_folder) == backbone.fingerprint


def test_only_loaded_files_are_hashed(tmp_path: Path) -> None:
    folder = tmp_path / "decoder"
    folder.mkdir()
    (folder / "config.json").write_text("{}")
    (folder / "model.safetensors").write_bytes(b"weights")
    before = fingerprint(folder)
    (folder / "README.md").write_text("card")
    (folder / "history.json").write_text("[]")
    assert fingerprint(folder) == before
    shutil.copytree(folder, tmp_path / "copy")
    assert fingerprint(tmp_path / "copy") == before
    (folder / "model.safetensors").write_bytes(b"Weights")
    assert fingerprint(folder) != before


def test_the_hash_of_a_file_is_its_sha256(tmp_path: Path) -> None:
    file = tmp_path / "lora.safetensors"
    file.write_bytes(b"abc")
    assert fingerprint(file) == hashlib.sha256(b"abc").hexdigest()[:16]


def test_large_files_are_hashed_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATASET_DM_HOME", str(tmp_path / "home"))
    file = tmp_path / "large.safetensors"
    with open(file, "wb") as handle:
        handle.truncate(64 * 2**20)
    expected = hashlib.sha256(bytes(64 * 2**20)).hexdigest()
    assert fingerprint(file) == expected[:16]
    assert list(json.loads((tmp_path / "home" / "hashes.json").read_text()).values()) == [expected]


def test_known_names_paths_and_revisions(tmp_path: Path) -> None:
    found = find("miniature", what="generator", known={"miniature": tmp_path})
    assert (found.name, found.path, found.reference) == ("miniature", tmp_path, "miniature")
    odd = tmp_path / "a@b"
    odd.mkdir()
    assert find(str(odd), what="generator").path == odd


def test_revision_is_split_off_ids_but_not_off_existing_paths(tmp_path: Path) -> None:
    assert split_revision("owner/name@abc") == ("owner/name", "abc")
    assert split_revision("owner/name") == ("owner/name", None)
    odd = tmp_path / "my@folder"
    odd.mkdir()
    assert split_revision(str(odd)) == (str(odd), None)
    for given in ("owner/name@", "@v1"):
        with pytest.raises(ConfigError, match="neither part empty"):
            split_revision(given)


def test_a_local_path_takes_no_revision(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="expected no @revision on a local path; write"):
        find(f"{tmp_path}@main", what="generator")


def test_form_of_a_hub_id() -> None:
    assert is_hub_id("owner/name") and is_hub_id("stabilityai/stable-diffusion-2-1")
    assert not any(
        map(is_hub_id, ["name", "a/b/c", "./name", "~/name", "own er/name", "owner/name@v1", "a\\b/c", "/x"])
    )


@pytest.mark.parametrize("given", ["nowhere", "./nowhere", "a/b/c", "~/nowhere"])
def test_other_texts_are_refused(given: str) -> None:
    with pytest.raises(ModelError, match="generator: got .*expected .*an existing path or a Hub id"):
        find(given, what="generator")


def test_a_hub_id_that_is_not_cached_is_refused_offline() -> None:
    with pytest.raises(ModelError, match="neither the Hub nor its local cache has it") as caught:
        find("no-owner/nothing@v1", what="generator")
    assert "\n" not in str(caught.value)


def test_a_cached_hub_id_is_resolved_offline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    commit = "1" * 40
    cached = tmp_path / "models--owner--name"
    (cached / "refs").mkdir(parents=True)
    (cached / "refs" / "main").write_text(commit)
    found = find("owner/name", what="generator")
    assert found.reference == f"owner/name@{commit}"
    assert find(f"other/name@{commit}", what="generator").revision == commit  # nothing to look up
    assert found.fingerprint() == hashlib.sha256(f"hub:owner/name@{commit}".encode()).hexdigest()[:16]


def test_a_chat_template_counts_in_the_plan_and_in_the_loaded_pipeline_alike(copied: Path) -> None:
    before = fingerprint(copied)
    (copied / "tokenizer" / "chat_template.jinja").write_text("{{ messages }}")
    assert fingerprint(copied) == Backbone.load(copied, device="cpu").fingerprint != before


def test_one_changed_weight_changes_it(copied: Path) -> None:
    before = fingerprint(copied)
    weights = next((copied / "vae").glob("*.safetensors"))
    data = bytearray(weights.read_bytes())
    data[-1] ^= 1
    weights.write_bytes(data)
    assert fingerprint(copied) != before


def test_other_files_are_not_hashed(copied: Path) -> None:
    before = fingerprint(copied)
    (copied / "notes.json").write_text("{}")
    (copied / "unet" / "README.md").write_text("hello")
    (copied / "samples").mkdir()
    (copied / "samples" / "x.json").write_text("{}")
    assert fingerprint(copied) == before


def test_names_matter_beside_bytes(copied: Path) -> None:
    before = fingerprint(copied)
    (copied / "scheduler" / "scheduler_config.json").rename(copied / "scheduler" / "other.json")
    assert fingerprint(copied) != before


def test_hub_cache_names_are_trusted_for_large_files(tmp_path: Path) -> None:
    digest = "a1" * 32
    (tmp_path / "blobs").mkdir()
    (tmp_path / "blobs" / digest).write_bytes(b"stands for gigabytes")
    link = tmp_path / "lora.safetensors"
    os.symlink(tmp_path / "blobs" / digest, link)
    assert fingerprint(link) == digest[:16]
