"""The ablation: settings read a part of one extraction, differ in one setting, and end in a table."""

from dataclasses import fields

import pytest

from dataset_dm.diffusion import feature_spec
from dataset_dm.training.config import TrainConfig
from tests.benchmarks.ablation import BARE, BASE, SETTINGS, Ablation, Setting, measure_ablation

SMALL = {"width": 16, "finest_width": 8, "instance_width": 16}


def test_every_setting_differs_from_another_in_one_setting():
    by_name = {setting.name: setting for setting in SETTINGS}
    assert by_name.keys() >= {setting.against for setting in SETTINGS} and len(by_name) == len(SETTINGS)
    for setting in SETTINGS:
        other = by_name[setting.against]
        names = [entry.name for entry in fields(Setting) if entry.name not in ("name", "against")]
        assert sum(getattr(setting, name) != getattr(other, name) for name in names) == (setting.name != BASE)


def test_a_setting_reads_its_part(backbone):
    whole = feature_spec(backbone)
    by_name = {setting.name: setting.spec(whole) for setting in SETTINGS}
    assert by_name[BASE] == whole
    assert {level.source for level in by_name["UNet taps alone"].levels} == {"unet"}
    assert by_name[BARE].contrast == () and by_name[BARE].levels == whole.levels


@pytest.mark.filterwarnings("ignore:.*")  # figures of untrained decoders have empty classes
def test_two_settings_share_one_extraction_and_fill_a_table(backbone, tmp_path):
    lines: list[str] = []
    train = TrainConfig(steps=1, batch=2, evaluate_every=1, variants=1)
    ablation = Ablation(backbone=backbone, folder=tmp_path, train=train, test=2, validation=1, say=lines.append)
    settings = [
        Setting(name="a", against="a", contrast=False, labelled=2, timestep=20, decoder=SMALL),
        Setting(name="b", against="a", contrast=False, labelled=2, timestep=20, decoder=SMALL, sources=("vae",)),
    ]
    outcome = measure_ablation(ablation, settings)
    assert [row[:2] for row in outcome.report.tables[0].rows] == [["a", "a"], ["b", "a"]]
    assert 0 <= outcome.report.figures["b: miou"] <= 1 and outcome.report.figures["a: rel"] > 0
    features = [line for line in lines if "features of train" in line]
    assert len(features) == 1, "the second setting reads what the first one extracted"
