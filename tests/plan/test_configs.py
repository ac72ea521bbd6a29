"""The table of sets and configs."""

import pytest

from dataset_dm.errors import ConfigError
from dataset_dm.labels.coco import COCO_CLASSES
from dataset_dm.plan.configs import CATALOGUE, recipe


def test_the_first_config_is_the_default_and_the_prefix_is_optional() -> None:
    assert recipe("voc_synth") is recipe("dataset_dm/voc_synth", "semantic") is CATALOGUE["voc_synth"]["semantic"]


def test_what_a_config_reads_and_from_which_classes() -> None:
    keypoints = recipe("coco_synth", "keypoints")
    assert [task.name for task in keypoints.tasks] == ["instance", "pose"] and keypoints.classes == COCO_CLASSES
    assert dict(keypoints.splits) == {"train": 64, "validation": 16, "test": 16}
    assert keypoints.prompting == {"always": "person"}
    assert recipe("nyu_synth").prompting == {"places": ("room",)} and recipe("nyu_synth").classes is None


def test_every_config_has_columns_for_its_classes() -> None:
    for configs in CATALOGUE.values():
        for one in configs.values():
            assert "image" in one.features(("dog", "cat")), (one.dataset, one.config)


def test_unknown_names_have_a_suggestion() -> None:
    with pytest.raises(ConfigError, match="unknown dataset 'voc_snyth'; .* did you mean 'voc_synth'"):
        recipe("voc_snyth")
    with pytest.raises(ConfigError, match="voc_synth: unknown config 'semantics'; .* did you mean 'semantic'"):
        recipe("voc_synth", "semantics")
