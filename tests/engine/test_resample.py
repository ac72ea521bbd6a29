"""Rows that a filter drops, drawn again: the same rows by any backend, in any order, at any count."""

from pathlib import Path

import pyarrow as pa
import pytest

from dataset_dm.engine import Engine, Work
from dataset_dm.engine.resample import again, later_rounds
from dataset_dm.labels.tasks import SEMANTIC
from dataset_dm.plan.configs import recipe
from dataset_dm.plan.generation_plan import GenerationPlan
from dataset_dm.plan.resolve import resolve
from dataset_dm.rows.filters import from_dict
from dataset_dm.rows.reader import ROUNDS, Rows
from dataset_dm.store.plans import stores
from dataset_dm.store.verify import check_shard

COUNT = 4  # one shard


def plan_of(quick: dict) -> GenerationPlan:
    return resolve(SEMANTIC, **{key: value for key, value in quick.items() if key != "device"})


def bound_of(plan: GenerationPlan) -> float:
    """The lowest confidence that some row has in round 1 and not in round 0."""
    labels = stores(plan)[1]
    with Engine(plan, device="cpu") as engine:
        for split in ("train", "train.1"):
            engine.make(Work(split, 0, draw=True))
    first, second = (labels.read(name, 0).column("confidence").to_pylist() for name in ("train", "train.1"))
    return min(later for before, later in zip(first, second, strict=True) if later > before)


def rows_of(plan: GenerationPlan, bound: float) -> Rows:
    return Rows(plan, recipe("voc_synth").features, from_dict({"min_confidence": bound}), resample=True)


def table(engine: Engine, rows: Rows, count: int) -> pa.Table:
    parts = [
        rows.table("train", count, *engine.read("train", shard), again(engine, "train", shard))
        for shard in engine.plan.shards(count)
    ]
    return pa.concat_tables(parts)


def test_rows_do_not_depend_on_how_they_were_made(quick: dict, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plan = plan_of(quick)
    bound = bound_of(plan)
    with Engine(plan, device="cpu") as engine:
        rows = rows_of(plan, bound)
        asked = []
        for work in later_rounds(engine, rows, {"train": COUNT}):
            asked.append([str(one) for one in work])
            engine.complete(work)
        whole = table(engine, rows, COUNT)
        assert list(later_rounds(engine, rows, {"train": COUNT})) == []
    # round 1 was made before; every further one is asked for only while rows fail
    assert asked == [[f"shard 0 of train.{number}"] for number in range(2, 2 + len(asked))] and len(asked) < ROUNDS - 1
    quality = [row["confidence"] for row in whole.column("quality").to_pylist()]
    assert min(quality) >= bound and whole.num_rows + rows.dropped.total() == COUNT
    origin = whole.column("provenance").to_pylist()
    assert {one["split"] for one in origin} == {"train"} and max(one["attempt"] for one in origin) >= 3
    assert all(one["seed"] == plan.sample_seed("train", one["index"], one["attempt"]) for one in origin)
    for store in stores(plan):
        for split in store.splits():
            for shard in store.finished(split):
                check_shard(store, plan, split, shard)
    # elsewhere: later rounds first, with a smaller count, made only as they are read
    monkeypatch.setenv("DATASET_DM_HOME", str(tmp_path / "elsewhere"))
    with Engine(plan, device="cpu") as engine:
        for split in ("train.1", "train"):
            engine.make(Work(split, 0, draw=True))
        few = table(engine, rows_of(plan, bound), 3)
        all_rows = table(engine, rows_of(plan, bound), COUNT)
    assert all_rows.equals(whole)
    kept = [one["index"] for one in origin if one["index"] < 3]
    assert few.equals(whole.slice(0, len(kept)))


def test_nothing_is_drawn_for_rows_that_pass_or_are_not_wanted(quick: dict) -> None:
    plan = plan_of(quick)
    with Engine(plan, device="cpu") as engine:
        engine.fill({"train": 2})
        assert list(later_rounds(engine, rows_of(plan, 0.0), {"train": 2})) == []
        fewer = Rows(plan, recipe("voc_synth").features, from_dict({"min_confidence": 1.0}))
        assert list(later_rounds(engine, fewer, {"train": 2})) == []
    assert stores(plan)[0].splits() == ["train"]
