"""The plan: index is identity, two fingerprints."""

import hashlib
import json
from dataclasses import fields, replace

import pytest

from dataset_dm.labels.records import Prompt
from dataset_dm.plan.generation_plan import GenerationPlan, plan_from_dict
from dataset_dm.prompts import Lines

PLAN = GenerationPlan(
    tasks=("semantic",),
    seed=7,
    prompts=Lines((Prompt("a dog", ("dog",)), Prompt("a red cat"))),
    generator="some/model",
    generator_revision="abc",
    generator_hash="g" * 16,
    adapter=None,
    adapter_hash=None,
    steps=20,
    guidance=4.0,
    scheduler="DDIMScheduler",
    size=(128, 96),
    dtype="float32",
    batch_size=8,
    shard_size=16,
    annotator="miniature",
    annotator_revision=None,
    annotator_hash="a" * 16,
    classes=("cat", "dog"),
)


def test_seed_is_the_hash_of_plan_seed_split_index_and_attempt() -> None:
    digest = hashlib.sha256(b"7/train/12/0").hexdigest()
    assert PLAN.sample_seed("train", 12) == int(digest[:16], 16) >> 11
    assert 0 <= PLAN.sample_seed("train", 12) < 2**53


def test_every_sample_has_a_seed_of_its_own() -> None:
    other = replace(PLAN, seed=8)
    seeds = {PLAN.sample_seed(split, i, a) for split in ("train", "test") for i in range(500) for a in range(3)}
    seeds |= {other.sample_seed("train", i) for i in range(500)}
    assert len(seeds) == 2 * 500 * 3 + 500


def test_shards_cover_the_count_and_are_whole() -> None:
    assert list(PLAN.shards(16)) == [0]
    assert list(PLAN.shards(17)) == [0, 1]
    assert list(PLAN.shard_indices(1)) == list(range(16, 32))


CHANGES = {
    "seed": 8,
    "prompts": Lines((Prompt("a dog"),)),
    "generator_hash": "h" * 16,
    "adapter_hash": "l" * 16,
    "steps": 21,
    "guidance": None,
    "scheduler": "EulerDiscreteScheduler",
    "size": (96, 128),
    "dtype": "float16",
    "batch_size": 4,
    "shard_size": 32,
}
LABEL_CHANGES = {"tasks": ("depth",), "annotator_hash": "b" * 16, "classes": ("dog", "cat")}
# only say where to find what the hashes identify
PLACES = {
    "generator": "elsewhere",
    "generator_revision": "def",
    "adapter": "lora.safetensors",
    "annotator": "elsewhere",
    "annotator_revision": "x",
}


def test_every_field_is_accounted_for() -> None:
    assert {entry.name for entry in fields(GenerationPlan)} == {*CHANGES, *LABEL_CHANGES, *PLACES, "splice"}


def test_a_mosaic_is_laid_out_of_the_same_samples() -> None:
    mosaic = replace(PLAN, splice=(2, 4))
    assert mosaic.label_fingerprint == PLAN.label_fingerprint
    assert mosaic.samples_per_row == 8 and PLAN.samples_per_row == 1
    assert list(mosaic.shards(2)) == [0] and list(mosaic.shards(3)) == [0, 1]


@pytest.mark.parametrize("field", CHANGES)
def test_what_moves_pixels_changes_both_fingerprints(field: str) -> None:
    changed = replace(PLAN, **{field: CHANGES[field]})
    assert changed.image_fingerprint != PLAN.image_fingerprint
    assert changed.label_fingerprint != PLAN.label_fingerprint


@pytest.mark.parametrize("field", LABEL_CHANGES)
def test_what_moves_labels_alone_changes_the_label_fingerprint_alone(field: str) -> None:
    changed = replace(PLAN, **{field: LABEL_CHANGES[field]})
    assert changed.image_fingerprint == PLAN.image_fingerprint
    assert changed.label_fingerprint != PLAN.label_fingerprint


@pytest.mark.parametrize("field", PLACES)
def test_a_moved_model_is_the_same_model(field: str) -> None:
    assert replace(PLAN, **{field: PLACES[field]}).label_fingerprint == PLAN.label_fingerprint


def test_fingerprints_do_not_depend_on_the_process() -> None:
    # recorded: a change here means that every stored shard is made anew; raise a VERSION on purpose instead
    assert (PLAN.image_fingerprint, PLAN.label_fingerprint) == ("e84f2235feb33677", "941c42b52df9ef6a")


def test_round_trip_through_a_dict() -> None:
    assert plan_from_dict(PLAN.to_dict()) == PLAN
    mosaic = replace(PLAN, splice=(2, 3), tasks=("instance", "pose"))
    assert plan_from_dict(json.loads(json.dumps(mosaic.to_dict()))) == mosaic
    assert PLAN.generator_reference == "some/model@abc"
    assert PLAN.annotator_reference == "miniature"
