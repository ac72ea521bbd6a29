"""Any row, image and labels, comes out of its provenance alone to the last byte: no plan, no store is needed."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dataset_dm.engine import Engine
from dataset_dm.errors import DataError, ModelError
from dataset_dm.generation.reproduce import remake
from dataset_dm.generation.session import Session
from dataset_dm.labels.records import all_features
from dataset_dm.miniature import locate
from dataset_dm.plan.configs import recipe
from dataset_dm.plan.generation_plan import IMAGE_VERSION, LABEL_VERSION, GenerationPlan
from dataset_dm.plan.resolve import resolve_recipe
from dataset_dm.rows.compare import row_differences
from dataset_dm.rows.filters import from_dict
from dataset_dm.rows.reader import Rows

CLASSES = ["person", "cat", "dog", "car"]
PROMPTS = [
    {"prompt": "a dog and a red car", "classes": ["dog"]},  # the car is not asked for
    "two cats and a person",
    "a person beside a dog",
    "a car in a street",
]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("DATASET_DM_HOME", str(tmp_path / "home"))
    yield tmp_path / "home"


def plan_of(quick: dict, config: str = "all", **more: Any) -> GenerationPlan:
    asked = {**quick, "prompts": PROMPTS, "classes": CLASSES, **more}
    return resolve_recipe(recipe("voc_synth", config), **{key: one for key, one in asked.items() if key != "device"})


def rows_of(plan: GenerationPlan, count: int = 4, **filters: Any) -> list[dict[str, Any]]:
    """The rows of a set as a file would hold them, made by the engine."""
    rows = Rows(plan, all_features, from_dict(filters))
    with Engine(plan, device="cpu") as engine:
        engine.fill({"train": count})
        tables = [rows.table("train", count, *engine.read("train", shard)) for shard in plan.shards(count)]
    return [row for table in tables for row in table.to_pylist()]


def forget(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Nothing of the store is left to look at."""
    monkeypatch.setenv("DATASET_DM_HOME", str(tmp_path / "nothing"))


def made_again(row: dict[str, Any], **places: Any) -> dict[str, Any]:
    """Of the provenance alone, as JSON would carry it."""
    return remake(json.loads(json.dumps(row["provenance"])), **places)


def check(row: dict[str, Any], again: dict[str, Any]) -> None:
    """Every column is the same; presence by attention is a sum over passes that neighbours share."""
    assert all(one.same for one in row_differences(row, again))
    first, second = (one["quality"]["presence"] for one in (row, again))
    assert first == pytest.approx(second, abs=1e-5)
    first, second = ({**one, "quality": {**one["quality"], "presence": None}} for one in (row, again))
    assert first == second


@pytest.mark.parametrize(
    ("more", "columns"),
    [
        ({}, {"image", "label", "annotation", "objects", "depth_map"}),
        ({"annotator": "attention", "config": "semantic"}, {"image", "label"}),
        ({"annotator": {"name": "attention", "timesteps": [50, 200]}, "config": "semantic"}, {"image", "label"}),
        ({"annotator": ["p_decoder", "attention"]}, {"image", "label", "annotation", "objects", "depth_map"}),
        ({"append_classes": True, "prompts": None, "classes": ["person", "aeroplane"], "seed": 3}, {"image", "label"}),
    ],
    ids=["p_decoder", "attention", "attention with settings", "combined", "appended templates"],
)  # fmt: skip
def test_image_and_labels_to_the_last_byte(
    quick: dict, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, more: dict, columns: set[str]
) -> None:
    row = rows_of(plan_of(quick, **more))[3]
    forget(monkeypatch, tmp_path)
    again = made_again(row)
    check(row, again)
    assert columns <= {one.column for one in row_differences(row, again)}
    assert not (tmp_path / "nothing" / "images").exists()


def test_a_mosaic_without_its_uncertain_objects(quick: dict, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plan = plan_of(quick, splice="1x2")
    whole = rows_of(plan, 2)[1]
    least = sorted(whole["objects"]["score"])[-1]
    row = rows_of(plan, 2, min_score=least)[1]
    assert 1 <= len(row["objects"]["score"]) < len(whole["objects"]["score"])
    forget(monkeypatch, tmp_path)
    check(row, made_again(row))
    assert [one["text"] for one in row["provenance"]["prompts"]] == [PROMPTS[2], PROMPTS[3]]


def test_the_models_may_have_moved(
    quick: dict, segmenter_folder: str, lora: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Relabelled by a segmenter, drawn through an adapter."""
    chosen = {"annotator": segmenter_folder, "adapter": str(lora), "config": "semantic"}
    row = rows_of(plan_of(quick, **chosen, classes=["cat", "dog"], prompts=["a cat", "a dog and a cat"]))[2]
    forget(monkeypatch, tmp_path)
    check(row, made_again(row))
    moved = Path(segmenter_folder).rename(Path(segmenter_folder).with_name("elsewhere"))
    try:
        with pytest.raises(ModelError, match="annotator: got "):
            made_again(row)
        again = made_again(row, annotator=str(moved))
        assert {**again, "provenance": None} == {**row, "provenance": None}
    finally:
        moved.rename(segmenter_folder)
    origin = {**row["provenance"], "adapter_hash": "0" * 16}
    with pytest.raises(ModelError, match="adapter .* the row was made by 0000000000000000; .* --adapter"):
        remake(origin)


def test_another_batch_agrees_within_the_tolerance(quick: dict) -> None:
    plan = plan_of(quick)
    row = rows_of(plan)[1]
    alone, other = (
        row_differences(row, remake({**row["provenance"], **changed}))
        for changed in ({"batch_size": 1}, {"seed": row["provenance"]["seed"] + 1})
    )
    assert alone[0].column == other[0].column == "image"
    assert all(one.tolerated for one in alone) and not other[0].tolerated and not other[0].same


def test_a_later_round_is_its_own_first_attempt(quick: dict) -> None:
    plan = plan_of(quick)
    (batch, *_) = Session(plan, "cpu").batches("train.1", 0)
    rows = Rows(plan, all_features)
    row = rows.table("train", 2, batch.images, batch.labels).to_pylist()[0]
    assert row["provenance"]["attempt"] == 3
    check(row, made_again(row))


@pytest.mark.parametrize(
    ("changed", "error", "said"),
    [
        ({"classes": None, "prompts": None}, DataError, "provenance: no prompts, classes; rows of earlier"),
        ({"annotator": "reviewed:coco:miniature"}, DataError, "its labels were corrected by people"),
        ({"annotator": "truth"}, DataError, "a render of the miniature world"),
        ({"generator_hash": "0" * 16}, ModelError, "was made by 0000000000000000; give .* with --generator"),
        ({"annotator_hash": "0" * 16}, ModelError, "was made by 0000000000000000; give .* with --annotator"),
        ({"label_version": 999}, ModelError, f"label_version: got 999, expected {LABEL_VERSION}; take the release"),
        ({"splice": "2x"}, DataError, "splice: got '2x', expected rows x columns"),
        ({"splice": "1x2", "seeds": [1]}, DataError, "got '1 seeds and 1 prompts', expected one of each for the 2"),
    ],
)  # fmt: skip
def test_what_cannot_be_made_again(quick: dict, changed: dict, error: type[Exception], said: str) -> None:
    with pytest.raises(error, match=said) as caught:
        remake({**origin_of(plan_of(quick)), **changed})
    assert "\n" not in str(caught.value)


def test_a_decoder_trained_on_demand_goes_by_its_recipe(quick: dict, tmp_path: Path) -> None:
    folder = shutil.copytree(locate("miniature", "decoder"), tmp_path / "decoders" / ("5" * 16))
    origin = {**origin_of(plan_of(quick)), "annotator": str(folder), "annotator_hash": folder.name}
    with pytest.raises(ModelError, match="was made by 5555555555555555; give"):
        remake(origin)
    (tmp_path / "decoders" / f"{folder.name}.json").write_text("{}")  # what it was trained of
    assert remake(origin)["provenance"]["annotator_hash"] == folder.name


def origin_of(plan: GenerationPlan) -> dict[str, Any]:
    """A provenance without its row."""
    return {
        "index": 0, "split": "train", "seed": 1, "attempt": 0, "generator": plan.generator, "revision": None,
        "generator_hash": plan.generator_hash, "adapter": None, "adapter_hash": None, "annotator": plan.annotator,
        "annotator_hash": plan.annotator_hash, "steps": 1, "guidance": 2.0, "width": 128, "height": 128,
        "dtype": "float32", "prompts": [{"text": "a dog", "classes": None}], "batch_size": 2, "tasks": ["semantic"],
        "classes": CLASSES, "image_version": IMAGE_VERSION, "label_version": LABEL_VERSION,
    }  # fmt: skip


def test_differences_are_counted() -> None:
    from dataset_dm.labels.images import encode_depth, encode_png
    from dataset_dm.labels.rle import encode

    def row(level: int, class_id: int, metres: float, columns: int) -> dict[str, Any]:
        mask = np.zeros((4, 4), bool)
        mask[:, :columns] = True
        label = np.zeros((4, 4), np.uint8)
        label[0, 0] = class_id
        return {
            "image": {"bytes": encode_png(np.full((4, 4, 3), level, np.uint8))},
            "label": {"bytes": encode_png(label)},
            "depth_map": {"bytes": encode_depth(np.full((4, 4), metres, np.float32))},
            "objects": {"category": [1], "segmentation": [encode(mask)], "score": [0.5]},
            "prompt": "a",
        }

    first = row(10, 1, 2.0, 2)
    shares = {one.column: (one.same, one.share) for one in row_differences(first, row(12, 2, 2.01, 2))}
    assert shares == {"image": (False, 1), "label": (False, 15 / 16), "depth_map": (False, 1), "objects": (True, 1)}
    shares = {one.column: one.share for one in row_differences(first, row(13, 1, 3.0, 3))}
    assert shares == {"image": 0, "label": 1, "depth_map": 0, "objects": 0}
    assert [one.tolerated for one in row_differences(first, row(12, 2, 2.0, 2))] == [True, False, True, True]
    both = {**first, "objects": {name: values * 2 for name, values in first["objects"].items()}}
    assert [one.share for one in row_differences(first, both) if one.column == "objects"] == [0.5]
    with pytest.raises(DataError, match="label: got "):
        row_differences(first, {"label": {"bytes": encode_png(np.zeros((2, 2), np.uint8))}})
