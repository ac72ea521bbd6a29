"""The content hash: the same for the same bytes anywhere, another for other weights, blind to what is not read."""

import os
from pathlib import Path

from dataset_dm.diffusion.fingerprint import file_fingerprint, folder_fingerprint


def test_copy_has_the_same_fingerprint(generator_folder: Path, copied: Path) -> None:
    assert folder_fingerprint(copied) == folder_fingerprint(generator_folder)
    assert len(folder_fingerprint(copied)) == 16


def test_one_changed_weight_changes_it(copied: Path) -> None:
    before = folder_fingerprint(copied)
    weights = next((copied / "vae").glob("*.safetensors"))
    data = bytearray(weights.read_bytes())
    data[-1] ^= 1
    weights.write_bytes(data)
    assert folder_fingerprint(copied) != before


def test_files_that_are_not_read_do_not_matter(copied: Path) -> None:
    before = folder_fingerprint(copied)
    (copied / "notes.json").write_text("{}")
    (copied / "unet" / "README.md").write_text("hello")
    (copied / "samples").mkdir()
    (copied / "samples" / "x.json").write_text("{}")
    assert folder_fingerprint(copied) == before


def test_names_matter_beside_bytes(copied: Path) -> None:
    before = folder_fingerprint(copied)
    (copied / "scheduler" / "scheduler_config.json").rename(copied / "scheduler" / "other.json")
    assert folder_fingerprint(copied) != before


def test_hub_cache_names_are_trusted_for_large_files(tmp_path: Path) -> None:
    digest = "a1" * 32
    (tmp_path / "blobs").mkdir()
    (tmp_path / "blobs" / digest).write_bytes(b"stands for gigabytes")
    link = tmp_path / "lora.safetensors"
    os.symlink(tmp_path / "blobs" / digest, link)
    assert file_fingerprint(link) == digest[:16]
