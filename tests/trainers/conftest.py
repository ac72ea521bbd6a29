"""Generated rows that all tests of this folder share."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from datasets import DatasetDict, load_dataset

import dataset_dm  # noqa: F401  registers the names


@pytest.fixture(scope="session")
def load(
    models: dict[str, str], every_head: str, tmp_path_factory: pytest.TempPathFactory
) -> Callable[..., DatasetDict]:
    """A few generated rows with every column. What an untrained decoder says is noise: the hardest rows there are."""
    folder = tmp_path_factory.mktemp("generated")

    def call(**more: object) -> DatasetDict:
        asked = {**models, "annotator": every_head, "sampler": {"steps": 1, "guidance": 2.0}, "device": "cpu", **more}
        small = {"batch_size": 2, "shard_size": 4, "splits": {"train": 4, "validation": 2, "test": 2}}
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("DATASET_DM_HOME", str(folder / "home"))
            return load_dataset("dataset_dm/coco_synth", "all", cache_dir=str(folder / "cache"), **small, **asked)

    return call


@pytest.fixture(scope="session")
def generated(load: Callable[..., DatasetDict]) -> DatasetDict:
    return load()
