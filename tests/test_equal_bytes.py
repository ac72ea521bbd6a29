"""Equal plans give equal bytes from one version to the next, and what an earlier version stored is still read.

`fixtures/stored_2026_11_30` was made by the commit of that date, with one thread, on the processor that its manifests
name. On another one the last bits may differ, within the tolerance that `row_differences` states.
"""

import json
import shutil
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from datasets import load_dataset

from dataset_dm.cli import main
from dataset_dm.engine import Engine
from dataset_dm.plan.configs import recipe
from dataset_dm.plan.generation_plan import GenerationPlan
from dataset_dm.plan.resolve import resolve_recipe
from dataset_dm.rows.compare import row_differences
from dataset_dm.store.plans import stored_plan, stores
from dataset_dm.store.shards import ShardStore

STORED = Path(__file__).parent / "fixtures" / "stored_2026_11_30"
SMALL = {"batch_size": 2, "shard_size": 2}
# set, config, arguments of its plan, its label fingerprint
SETS = {
    "every label kind": ("voc_synth", "all", {}, "250fa101479a86d7"),
    "keypoints": ("coco_synth", "keypoints", {"seed": 3}, "9a818bdfea3e1689"),
    "attention": ("voc_synth", "semantic", {"seed": 5, "annotator": "attention"}, "24ed05e613934323"),
}
FOLDERS = {
    "voc_all": ["voc_synth", "all", "--num-images", "2"],
    "coco_keypoints": ["coco_synth", "keypoints", "--split", "train=2", "--seed", "3"],
}


def stored(fingerprint: str) -> GenerationPlan:
    return stored_plan(ShardStore.open("labels", fingerprint, STORED / "home"))


@pytest.mark.parametrize("dataset, config, arguments, fingerprint", SETS.values(), ids=SETS)
def test_a_request_resolves_to_the_plan_that_was_stored(
    dataset: str, config: str, arguments: dict, fingerprint: str
) -> None:
    plan = resolve_recipe(recipe(dataset, config), **SMALL, **arguments)
    assert plan.label_fingerprint == fingerprint
    assert plan.to_dict() == stored(fingerprint).to_dict()


@pytest.mark.parametrize("fingerprint", [fingerprint for *_, fingerprint in SETS.values()], ids=SETS)
def test_a_stored_plan_is_drawn_and_labelled_to_the_same_bytes(
    fingerprint: str, one_thread: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATASET_DM_HOME", str(tmp_path))
    plan = stored(fingerprint)
    with Engine(plan, device="cpu", engine={"threads": 1}) as engine:
        assert engine.fill({"train": 2}) == 1
    for now in stores(plan):
        before = ShardStore.open(now.kind, now.fingerprint, STORED / "home")
        if now.manifest()["environments"].keys() & before.manifest()["environments"].keys():
            assert now.file("train", 0).read_bytes() == before.file("train", 0).read_bytes()
            continue
        rows, again = (pq.read_table(store.file("train", 0)).to_pylist() for store in (before, now))
        differing = [one for pair in zip(rows, again, strict=True) for one in row_differences(*pair)]
        assert differing and all(one.tolerated for one in differing), differing


@pytest.mark.parametrize("folder", FOLDERS)
def test_an_out_folder_is_written_from_the_earlier_store_to_the_same_bytes(
    folder: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATASET_DM_HOME", str(shutil.copytree(STORED / "home", tmp_path / "home")))
    shards = {file: file.stat().st_mtime_ns for file in (tmp_path / "home").rglob("*.parquet")}
    assert (
        main(["generate", *FOLDERS[folder], "--batch-size", "2", "--shard-size", "2", "--out", str(tmp_path / folder)])
        == 0
    )
    assert {file: file.stat().st_mtime_ns for file in (tmp_path / "home").rglob("*.parquet")} == shards  # none is new
    for name in ("train/00000.parquet", "id2label.json", "drops.json", ".dataset_dm.json"):
        assert (tmp_path / folder / name).read_bytes() == (STORED / folder / name).read_bytes(), name
    plans = [json.loads((root / folder / "plan.json").read_text())["configs"] for root in (tmp_path, STORED)]
    for config in (config for plan in plans for config in plan.values()):
        del config["command"]  # the place of --out is in it
    assert plans[0] == plans[1]


@pytest.mark.parametrize("folder", FOLDERS)
def test_an_earlier_out_folder_is_loaded(folder: str) -> None:
    rows = load_dataset(str(STORED / folder), split="train")
    assert rows.num_rows == 2 and rows[0]["image"].size == (128, 128)
