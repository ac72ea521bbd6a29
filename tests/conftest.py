"""Fixtures for all tests: the shipped generator, loaded once. No test reaches for the network."""

import os
from pathlib import Path

import pytest

os.environ.setdefault("HF_HUB_OFFLINE", "1")  # before huggingface_hub is imported


@pytest.fixture(scope="session")
def generator_folder() -> Path:
    """The folder of the embedded generator."""
    from dataset_dm.miniature import locate

    folder = Path(locate("miniature"))
    return folder if (folder / "model_index.json").is_file() else Path("/tmp/mini_random")


@pytest.fixture(scope="session")
def backbone(generator_folder: Path):
    """The embedded generator in float32 on the CPU; frozen, so that all tests may share it."""
    from dataset_dm.diffusion import Backbone

    return Backbone.load(generator_folder, device="cpu")
