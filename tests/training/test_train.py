"""Training end to end on the embedded generator: checkpoint, resume to the same bytes, figures, refusals."""

import json
import os
import signal
from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from dataset_dm.annotators.p_decoder import PDecoderAnnotator
from dataset_dm.annotators.request import AnnotationRequest, ImageBatch
from dataset_dm.decoder import PDecoder
from dataset_dm.errors import ConfigError, DataError, StoreError
from dataset_dm.readers import open_labelled
from dataset_dm.training import train_decoder
from dataset_dm.training.config import TrainConfig
from dataset_dm.training.features import VariantConfig, extract

SMALL = {"width": 16, "finest_width": 8, "instance_width": 16}


def config(steps: int = 4) -> TrainConfig:
    return TrainConfig(steps=steps, batch=2, evaluate_every=2, variants=2, decoder=SMALL)


def train(voc, out, generator_folder, **more):
    lines: list[str] = []
    arguments = {"config": config(), "device": "cpu", "say": lines.append, **more}
    result = train_decoder(voc, str(generator_folder), out, **arguments)
    return result, lines


@pytest.fixture(scope="module")
def trained(tmp_path_factory, generator_folder):
    from tests.readers.little_sets import write_voc

    voc = write_voc(tmp_path_factory.mktemp("data") / "voc")
    out = tmp_path_factory.mktemp("out") / "decoder"
    before = torch.get_rng_state()
    result, lines = train(voc, out, generator_folder, command="dataset-dm train …")
    assert torch.equal(torch.get_rng_state(), before), "the caller's random state is left alone"
    return voc, out, result, lines


def test_a_training_leaves_a_checkpoint_with_its_record(trained):
    _, out, result, lines = trained
    assert result.finished and result.steps == 4
    assert sorted(file.name for file in out.iterdir()) == [
        "config.json",
        "loss.png",
        "model.safetensors",
        "training.json",
    ]
    decoder = PDecoder.from_pretrained(out)
    assert decoder.config.classes == ("forklift", "pallet")
    record = json.loads((out / "training.json").read_text())
    assert [entry["step"] for entry in record["history"]] == [2, 4]
    assert decoder.config.record["labelled_images"] == 3 and decoder.config.record["validation_images"] == 1
    assert decoder.config.record["command"] == "dataset-dm train …"
    assert set(result.figures) == {"unprompted", "prompted"} and 0 <= result.figures["unprompted"]["miou"] <= 1
    assert any("ETA" in line and "mIoU" in line for line in lines)


def test_two_steps_then_resume_to_four_equals_straight_four(trained, tmp_path, generator_folder):
    voc, out, _, _ = trained
    stopped, _ = train(voc, tmp_path, generator_folder, stop_at=2)
    assert not stopped.finished and (tmp_path / "state" / "state.json").is_file()
    assert not list(tmp_path.rglob("*.pt")) and not list(tmp_path.rglob("*.bin"))
    train(voc, tmp_path, generator_folder, resume=True)
    straight, resumed = load_file(out / "model.safetensors"), load_file(tmp_path / "model.safetensors")
    assert straight.keys() == resumed.keys()
    assert all(torch.equal(straight[name], resumed[name]) for name in straight)
    histories = [json.loads((each / "training.json").read_text())["history"] for each in (out, tmp_path)]
    assert histories[0] == histories[1]


def test_ctrl_c_ends_the_step_saves_and_can_be_resumed(trained, tmp_path, generator_folder):
    voc, out, _, _ = trained
    lines: list[str] = []

    def press(line: str) -> None:
        lines.append(line)
        if line.startswith("step 2/4"):
            os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        train(voc, tmp_path, generator_folder, say=press)
    assert "stopped after step 2" in lines[-1] and "--resume" in lines[-1]
    train(voc, tmp_path, generator_folder, resume=True)
    straight, resumed = load_file(out / "model.safetensors"), load_file(tmp_path / "model.safetensors")
    assert all(torch.equal(straight[name], resumed[name]) for name in straight)


def test_weights_do_change(trained, tmp_path, generator_folder):
    voc, out, _, _ = trained
    train(voc, tmp_path, generator_folder, config=replace(config(), seed=1))
    name = "semantic_head.key.weight"
    assert not torch.equal(load_file(out / "model.safetensors")[name], load_file(tmp_path / "model.safetensors")[name])


def test_a_resume_with_other_settings_is_refused(trained, tmp_path, generator_folder):
    voc, *_ = trained
    with pytest.raises(ConfigError, match="no interrupted training"):
        train(voc, tmp_path, generator_folder, resume=True)
    train(voc, tmp_path, generator_folder, stop_at=1)
    with pytest.raises(ConfigError, match="resume: decoder was|resume: training was"):
        train(voc, tmp_path, generator_folder, resume=True, config=config(steps=9))


def test_settings_as_keywords_of_their_own_still_work(trained, tmp_path, generator_folder):
    voc, *_ = trained
    settings = {"steps": 1, "batch": 2, "evaluate_every": 1, "patience": 2, "variants": 1, "decoder": SMALL}
    with pytest.warns(DeprecationWarning) as caught:
        result = train_decoder(
            data=voc, out=tmp_path, generator=str(generator_folder), device="cpu", say=lambda line: None, **settings
        )
    said = [str(each.message) for each in caught]
    assert said[0].startswith("train_decoder: pass steps, batch,") and "patience is called early_stop_evals" in said[1]
    assert result.steps == 1
    record = json.loads((tmp_path / "training.json").read_text())["training"]
    assert record["early_stop_evals"] == 2 and record["variants"] == 1


def test_a_folder_that_is_not_empty_is_refused(trained, generator_folder):
    voc, out, _, _ = trained
    with pytest.raises(StoreError, match="not empty.*--overwrite"):
        train(voc, out, generator_folder)


def test_overwrite_touches_only_what_a_training_wrote(voc, tmp_path, generator_folder):
    out = tmp_path / "out"
    (out / "state").mkdir(parents=True)
    (out / "thesis.txt").write_text("years of work")
    with pytest.raises(StoreError, match=r"holds what no training wrote \(thesis.txt\)"):
        train(voc, out, generator_folder, overwrite=True)
    (out / "thesis.txt").unlink()
    (out / "state" / "state.json").write_text("{}")
    (voc / "SegmentationClass" / "003.png").write_bytes(b"no image")
    with pytest.raises(DataError, match="image '003'"):
        train(voc, out, generator_folder, overwrite=True)
    assert (out / "state" / "state.json").is_file(), "a mistake in the request costs nothing"


def test_bad_requests_are_one_line_and_leave_nothing(voc, tmp_path, generator_folder):
    out = tmp_path / "out"
    with pytest.raises(ConfigError, match="no labels for 'depth'"):
        train(voc, out, generator_folder, config=replace(config(), tasks=["depth"]))
    with pytest.raises(ConfigError, match="timestep: got 5000, expected a whole number from 0 to 999"):
        train(voc, out, generator_folder, config=replace(config(), timestep=5000))
    (voc / "SegmentationClass" / "003.png").write_bytes(b"no image")
    with pytest.raises(DataError, match="image '003'"):
        train(voc, out, generator_folder)
    assert not out.exists()


def test_the_trained_decoder_labels_by_the_ids_it_was_taught(trained, backbone):
    voc, out, _, _ = trained
    annotator = PDecoderAnnotator.load(str(out), device="cpu")
    found = open_labelled(voc)
    store = extract(found, backbone, annotator.spec, out.parent / "features", VariantConfig(count=1))
    features, targets = store.batch([(0, 0)])
    batch = ImageBatch(images=torch.zeros(1, 128, 128, 3, dtype=torch.uint8), prompts=[""], seeds=[0], named=[()])
    request = AnnotationRequest(batch=batch, classes=annotator.classes, reading=features)
    annotation = annotator.annotate(request)[0]
    assert annotation.label.shape == targets.labels.shape[1:] == (128, 128) and annotation.label.dtype == np.uint8
    assert set(np.unique(annotation.full)) <= {0, 1, 2}
