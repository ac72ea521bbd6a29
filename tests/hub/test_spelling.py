"""Features in a card: written by one version of `datasets`, read by another."""

from collections.abc import Iterator
from typing import Any

import pytest
from datasets import ClassLabel, DatasetInfo, Features, Value

from dataset_dm.exports.open_dataset import class_names
from dataset_dm.hub.spelling import in_old_spelling
from dataset_dm.labels.records import features
from dataset_dm.plan.configs import CATALOGUE

# as version 4 and later write it, and as every version reads it
WRITTEN = [
    {"name": "ids", "list": "int64"},
    {"name": "kinds", "list": {"class_label": {"names": {"0": "cat"}}}},
    {"name": "grid", "list": {"list": "float32"}},
    {"name": "dicts", "list": [{"name": "a", "list": "int8"}]},
    {"name": "both", "struct": [{"name": "a", "list": "int8"}, {"name": "b", "dtype": "string"}]},
    {
        "name": "things",
        "struct": [
            {"name": "kind", "list": {"class_label": {"names": {"0": "cat"}}}},
            {"name": "box", "list": {"list": "float32"}},
            {"name": "mask", "list": [{"name": "size", "list": "int32"}, {"name": "counts", "dtype": "string"}]},
            {"name": "score", "list": "float32"},
        ],
    },
]
READ = [
    {"name": "ids", "sequence": "int64"},
    {"name": "kinds", "sequence": {"class_label": {"names": {"0": "cat"}}}},
    {"name": "grid", "sequence": {"sequence": "float32"}},
    {"name": "dicts", "list": [{"name": "a", "sequence": "int8"}]},
    {"name": "both", "struct": [{"name": "a", "sequence": "int8"}, {"name": "b", "dtype": "string"}]},
    {
        "name": "things",
        "sequence": [
            {"name": "kind", "dtype": {"class_label": {"names": {"0": "cat"}}}},
            {"name": "box", "sequence": "float32"},
            {
                "name": "mask",
                "struct": [{"name": "size", "sequence": "int32"}, {"name": "counts", "dtype": "string"}],
            },
            {"name": "score", "dtype": "float32"},
        ],
    },
]


def test_lists_are_called_sequences() -> None:
    assert in_old_spelling({"config_name": "a", "features": WRITTEN}) == {"config_name": "a", "features": READ}
    assert in_old_spelling({"features": READ})["features"] == READ
    assert in_old_spelling({"config_name": "a"}) == {"config_name": "a"}


def test_scripts_find_class_names_in_what_is_read() -> None:
    read = Features._from_yaml_list(READ)
    assert read["kinds"].feature == ClassLabel(names=["cat"]) and read["ids"].feature == Value("int64")
    things = read["things"] if isinstance(read["things"], dict) else read["things"].feature
    assert list(things) == ["kind", "box", "mask", "score"]


@pytest.mark.parametrize(("name", "config"), [(name, config) for name in CATALOGUE for config in CATALOGUE[name]])
def test_the_columns_of_every_set_come_back(name: str, config: str) -> None:
    made = features(CATALOGUE[name][config].features(("cat", "dog")))
    written = in_old_spelling(DatasetInfo(features=made)._to_yaml_dict())
    assert Features._from_yaml_list(written["features"]) == made
    if "objects" in made:
        assert class_names({"objects": made["objects"]}) == ["background", "cat", "dog"]
    assert all(isinstance(held, list) for held in _held_by_lists(written["features"]))  # only a list of dicts says so


def _held_by_lists(feature: Any) -> Iterator[Any]:
    """What stands under the word `list`."""
    if isinstance(feature, dict):
        yield from ([feature["list"]] if "list" in feature else [])
        feature = list(feature.values())
    for inner in feature if isinstance(feature, list) else []:
        yield from _held_by_lists(inner)
