"""One training step of a decoder on extracted features."""

import pytest
import torch

from dataset_dm.decoder import PDecoder, PDecoderConfig
from dataset_dm.diffusion import feature_spec
from dataset_dm.readers import open_labelled
from dataset_dm.training.config import TrainConfig
from dataset_dm.training.features import VariantConfig, extract
from dataset_dm.training.loop import Training

SMALL = {"width": 16, "finest_width": 8, "instance_width": 16}


@pytest.fixture
def training(voc, tmp_path, backbone) -> Training:
    spec, labelled = feature_spec(backbone), open_labelled(voc)
    store = extract(labelled, backbone, spec, tmp_path / "features", VariantConfig(count=1))
    torch.manual_seed(0)
    decoder = PDecoder(PDecoderConfig(spec=spec, classes=labelled.classes, **SMALL))
    config = TrainConfig(steps=1, batch=2, evaluate_every=1, fewer_classes=0.0)
    return Training(decoder, store, store, config, tmp_path, {"data": "voc"})


def test_a_step_changes_the_decoder_and_is_reported(training: Training) -> None:
    lines: list[str] = []
    training.say = lines.append
    before = training.decoder.semantic_head.key.weight.clone()
    progress = training.run()
    assert progress.step == 1 and not torch.equal(training.decoder.semantic_head.key.weight, before)
    (entry,) = progress.history
    assert entry["score"] == pytest.approx(entry["miou"]) and "void_share" in entry and "mask_ap" not in entry
    assert len(lines) == 1 and lines[0].startswith(f"step 1/1  loss {entry['loss']:.3f}  held-out mIoU ")


def test_a_batch_depends_on_its_number_alone(training: Training) -> None:
    first, again, other = (training._batch(index)[1].labels for index in (0, 0, 1))
    assert torch.equal(first, again) and not torch.equal(first, other) and first.shape == (2, 128, 128)
