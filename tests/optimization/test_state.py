"""Saved states."""

import json
from pathlib import Path

import pytest

from dataset_dm.errors import ConfigError
from tests.optimization.regression import network, regression, settings


def test_a_state_of_another_training_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no interrupted training"):
        regression(network(), settings(), folder=tmp_path / "state").run(resume=True)
    regression(network(), settings(), folder=tmp_path, key={"data": "voc"}).run(stop_at=1)
    with pytest.raises(ConfigError, match="resume: data was 'voc' when this training began, now it is 'coco'"):
        regression(network(), settings(), folder=tmp_path, key={"data": "coco"}).run(resume=True)
    state = json.loads((tmp_path / "state.json").read_text())
    (tmp_path / "state.json").write_text(json.dumps({**state, "version": 1}))
    with pytest.raises(ConfigError, match="begun by another version"):
        regression(network(), settings(), folder=tmp_path, key={"data": "voc"}).run(resume=True)
