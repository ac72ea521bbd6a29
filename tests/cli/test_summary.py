"""The summary of a set: counts, mean figures, time and classes."""

from collections import Counter
from pathlib import Path

import pyarrow as pa
import pytest

from dataset_dm.builders.generate import Made, Request
from dataset_dm.cli.summary import summary
from dataset_dm.engine import resolve_engine
from dataset_dm.labels.tasks import SEMANTIC
from dataset_dm.plan.configs import recipe
from dataset_dm.plan.generation_plan import GenerationPlan
from dataset_dm.plan.resolve import resolve
from dataset_dm.rows.reader import Rows
from dataset_dm.rows.set_facts import SetFacts


@pytest.fixture
def plan(models: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> GenerationPlan:
    monkeypatch.setenv("DATASET_DM_HOME", str(tmp_path / "home"))
    return resolve(SEMANTIC, **models, classes=["dog", "cat"])


def test_counts_means_and_classes(plan: GenerationPlan) -> None:
    table = pa.table(
        {
            "classes": [[1], [1, 2]],
            "quality": [{"confidence": 0.5, "uncertain": 0.1}, {"confidence": 1.0, "uncertain": None}],
        }
    )
    rows = Rows(plan, recipe("voc_synth").features, dropped=Counter({"low_confidence": 3}))
    facts = SetFacts(rows)
    assert [shown.num_rows for shown in facts.watch(iter([table]))] == [2]
    assert facts.mean("confidence") == 0.75 and len(facts.shown) == 2
    request = Request(
        chosen=recipe("voc_synth"),
        plan=plan,
        counts={"train": 2},
        bounds={},
        resample=False,
        device="cpu",
        engine=resolve_engine(None),
    )
    text = summary(request, Made(rows, facts, 0, {"draw": 1.25, "total": 2.5}), Path("set"))
    lines = [line.split(maxsplit=1) for line in text.splitlines()]
    assert ["images", "2 (train 2)"] in lines
    assert "left out     low_confidence 3" in text
    assert "made now     none, all were in the store" in text
    assert ["confidence", "0.750 on average"] in lines and "void pixels  10.0%" in text
    assert ["time", "2.5 s (draw 1.2 s)"] in lines and ["folder", "set"] in lines
    assert text.endswith("classes      dog 2, cat 1")
