"""Columns: the plain form, the Arrow schema and `datasets.Features` are one and the same."""

import datasets
import pytest

from dataset_dm.exports.open_dataset import class_names
from dataset_dm.labels.provenance import PROVENANCE, Provenance
from dataset_dm.labels.records import (
    QUALITY,
    Quality,
    all_features,
    arrow_schema,
    depth_features,
    features,
    instance_features,
    keypoint_features,
    semantic_features,
)
from dataset_dm.plan.configs import CATALOGUE
from dataset_dm.store.schema import OBJECTS

CLASSES = ("cat", "dog")
KINDS = {
    "semantic": semantic_features,
    "instance": instance_features,
    "keypoints": keypoint_features,
    "depth": depth_features,
    "all": all_features,
}
_INSTANCE = ["image_id", "image", "width", "height", "objects", "annotation", "semantic_class_to_id"]
COLUMNS = {
    "semantic": ["image", "label", "classes"],
    "instance": _INSTANCE,
    "keypoints": _INSTANCE,
    "depth": ["image", "depth_map"],
    "all": [*_INSTANCE[:4], "label", "classes", *_INSTANCE[4:], "depth_map"],
}


@pytest.mark.parametrize("kind", KINDS)
def test_features_are_those_of_the_design(kind: str) -> None:
    made = features(KINDS[kind](CLASSES))
    assert list(made) == [*COLUMNS[kind], "prompt", "quality", "provenance"]
    for name in {"image", "label", "annotation", "depth_map"} & set(made):
        assert made[name] == datasets.Image()


def test_class_names_with_and_without_background() -> None:
    made = features(all_features(CLASSES))
    assert made["classes"].feature.names == ["background", "cat", "dog"]
    assert class_names({"objects": made["objects"]}) == ["background", "cat", "dog"]
    assert list(made["semantic_class_to_id"]) == ["background", "cat", "dog"]


def test_objects_hold_keypoints_where_poses_are_read() -> None:
    plain, posed = (list(kind(CLASSES)["objects"]["feature"]) for kind in (instance_features, keypoint_features))
    assert plain == ["id", "area", "bbox", "category", "iscrowd", "segmentation", "score"]
    assert posed == [*plain, "keypoints", "num_keypoints", "keypoint_score"]
    assert [entry.name for entry in OBJECTS] == posed


@pytest.mark.parametrize("kind", KINDS)
def test_the_schema_made_without_datasets_is_the_one_that_datasets_makes(kind: str) -> None:
    plain = KINDS[kind](CLASSES)
    schema = arrow_schema(plain)
    assert schema.remove_metadata() == features(plain).arrow_schema.remove_metadata()
    assert datasets.Features.from_arrow_schema(schema) == features(plain)


@pytest.mark.parametrize("kind", KINDS)
def test_the_stored_form_is_one_that_old_versions_read(kind: str) -> None:
    """ "List" is unknown to datasets 3.x; a list of dicts is one there only inside the Sequence that `objects` is."""
    plain = KINDS[kind](CLASSES)
    assert '"_type": "List"' not in arrow_schema(plain).metadata[b"huggingface"].decode()

    def look(part: dict) -> None:
        if part.get("_type") == "Sequence":
            assert isinstance(part["feature"].get("_type"), str)
        for inner in part.values():
            if isinstance(inner, dict):
                look(inner)

    look({**plain, "objects": plain["objects"]["feature"]} if "objects" in plain else plain)


def test_objects_are_a_dict_of_lists_in_every_version() -> None:
    """Before version 4 the detection example looks for `features["objects"].feature`; since then, for a dict."""
    made = features(instance_features(CLASSES))
    objects = made["objects"]
    if int(datasets.__version__.split(".")[0]) < 4:
        assert objects.feature["category"].names == ["cat", "dog"]
    else:
        assert objects["category"].feature.names == ["cat", "dog"]
    one = {"bbox": [0, 1, 2, 3], "segmentation": {"size": [4, 5], "counts": "a"}, "score": 0.5}
    whole = {"id": 1, "area": 6, "category": 1, "iscrowd": 0, **one}
    for lists in ({name: [value] for name, value in whole.items()}, {name: [] for name in whole}):
        columns = {"objects": [lists]}
        made = datasets.Dataset.from_dict(columns, datasets.Features({"objects": objects}))
        assert made[0]["objects"] == next(iter(made.to_iterable_dataset()))["objects"] == lists


def test_dataclasses_and_columns_agree() -> None:
    assert list(Provenance.__dataclass_fields__) == list(PROVENANCE)
    assert list(Quality.__dataclass_fields__) == list(QUALITY)


def test_every_set_has_its_configs_the_default_first() -> None:
    assert {name: list(configs) for name, configs in CATALOGUE.items()} == {
        "voc_synth": ["semantic", "instance", "all", "zero_shot", "long_tail"],
        "coco_synth": ["instance", "keypoints", "all"],
        "nyu_synth": ["depth", "all"],
        "miniature": ["semantic", "instance", "depth", "keypoints", "all"],
    }
    for configs in CATALOGUE.values():
        for config, recipe in configs.items():
            assert recipe.features is KINDS.get(config, semantic_features)
            assert "objects" not in recipe.features(CLASSES) or "instance" in [task.name for task in recipe.tasks]
