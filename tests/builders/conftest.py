"""A decoder with every head, for the sets that need more than class masks."""

from pathlib import Path

import pytest

from dataset_dm.tasks import TASKS


@pytest.fixture(scope="session")
def every_head(backbone, generator_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The folder of an untrained decoder of all tasks for the embedded generator: what it reads is noise, but real."""
    import torch

    from dataset_dm.decoder import PDecoder, PDecoderConfig
    from dataset_dm.diffusion import feature_spec
    from dataset_dm.miniature.world import VOC_CLASSES

    torch.manual_seed(0)
    config = PDecoderConfig(spec=feature_spec(backbone), classes=VOC_CLASSES, tasks=tuple(TASKS))
    folder = tmp_path_factory.mktemp("every_head")
    PDecoder(config).save_pretrained(folder)
    return str(folder)
