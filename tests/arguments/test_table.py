"""The arguments of a set: their defaults, their checks, and that each decides the part of a set that it declares."""

import pytest

from dataset_dm.arguments.declare import checked, entries
from dataset_dm.arguments.table import CountArguments, SamplerArguments, SetArguments
from dataset_dm.errors import ConfigError
from dataset_dm.labels.tasks import SEMANTIC
from dataset_dm.plan.generation_plan import GenerationPlan
from dataset_dm.plan.resolve import resolve

# a value that is not the default of the fixture `models`, for every argument of a plan
OTHER = {
    "prompts": ["a dog"],
    "append_classes": True,
    "class_mix": {"dog": 3},
    "classes": ["dog", "cat"],
    "annotator": "attention",
    "size": (64, 64),
    "sampler": {"steps": 3},
    "seed": 5,
    "dtype": "float16",
    "batch_size": 2,
    "shard_size": 32,
    "splice": (2, 2),
}


def fingerprints(plan: GenerationPlan) -> tuple[object, ...]:
    return plan.image_fingerprint, plan.label_fingerprint, plan.row_settings()


@pytest.mark.parametrize("name", OTHER)
def test_an_argument_decides_the_part_that_it_declares(models: dict[str, str], name: str) -> None:
    base = resolve(SEMANTIC, **models)
    # classes decide the default prompts too: here the prompts name none of them
    common = {"prompts": ["a street"]} if name == "classes" else {}
    before = fingerprints(resolve(SEMANTIC, **models, **common) if common else base)
    after = fingerprints(resolve(SEMANTIC, **{**models, **common, name: OTHER[name]}))
    changed = [old != new for old, new in zip(before, after, strict=True)]
    part = entries(SetArguments)[name].argument.part
    assert (
        changed == {"images": [True, True, False], "labels": [False, True, False], "rows": [False] * 2 + [True]}[part]
    )


def test_generator_and_adapter_are_the_only_others() -> None:
    assert set(entries(SetArguments)) - set(OTHER) == {"generator", "adapter"}


def test_defaults() -> None:
    given = checked(SetArguments, {})
    assert (given["generator"], given["annotator"], given["seed"], given["dtype"]) == ("miniature",) * 2 + (
        0,
        "float32",
    )
    assert given["append_classes"] is False
    assert {value for name, value in given.items() if name in ("adapter", "classes", "size", "splice")} == {None}


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("guidance", None, None),
        ("guidance", " None ", None),
        ("guidance", 3, 3.0),
        ("scheduler", None, None),
        ("steps", 4, 4),
    ],
)
def test_keys_of_the_sampler(name: str, value: object, expected: object) -> None:
    assert entries(SamplerArguments)[name].checked(value) == expected
    assert checked(SetArguments, {"sampler": {name: value}})["sampler"] == {name: expected}


@pytest.mark.parametrize(("splice", "pair"), [("2x3", (2, 3)), ([8, 8], (8, 8)), ((1, 1), None)])
def test_tiles_of_a_mosaic(splice: object, pair: object) -> None:
    assert checked(SetArguments, {"splice": splice})["splice"] == pair


def test_counts() -> None:
    endless = float("inf")
    assert checked(CountArguments, {"num_images": endless})["num_images"] == endless
    with pytest.raises(ConfigError, match="num_images: got 0, .*; pass for example num_images=64"):
        checked(CountArguments, {"num_images": 0})
