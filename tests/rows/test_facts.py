"""What filters see of a row: area and presence, worked out by hand."""

from dataclasses import replace

import pytest

from dataset_dm.labels.records import Annotation, Prompt
from dataset_dm.prompts import Lines
from dataset_dm.rows.facts import FACTS, areas, row_facts
from dataset_dm.rows.filters import Drop, from_dict
from dataset_dm.store.label_codec import label_rows
from tests.annotations import CLASSES, annotation, nothing
from tests.plan.test_generation_plan import PLAN
from tests.rows.test_reader import FIRST, shard


def test_area_by_class_map_or_by_objects() -> None:
    empty = annotation(nothing())
    # cat 4, dog 9 and person 1 of 48 pixels; the class map has one of them void, which is background below
    _, labels = shard([0, 1], [annotation(), empty])
    assert areas(labels) == [pytest.approx(14 / 48), 0]
    instances = [replace(one, label=None, full=None) for one in (annotation(), empty)]
    assert areas(shard([0, 1], instances)[1]) == [pytest.approx(14 / 48), 0]
    assert areas(label_rows([0], [Annotation(confidence=0.5)])) == [None]


def test_presence_of_the_classes_that_the_prompt_names() -> None:
    plan = replace(PLAN, classes=CLASSES, prompts=Lines((Prompt("a dog and a cat"), Prompt("a sunset"))))
    images, labels = shard([0, 1], [annotation(), annotation()])
    texts = [plan.prompt("train", index).text for index in (FIRST, FIRST + 1)]
    found = [row["asked_presence"] for row in row_facts(plan, "train.1", images, labels)]
    assert found == [0.25 if "dog" in text else None for text in texts]  # cat 0.25, dog 1, person 0.75


def test_a_fact_is_gathered_when_a_filter_reads_it(monkeypatch: pytest.MonkeyPatch) -> None:
    images, labels = shard([0, 1], [annotation(), annotation(nothing())])
    asked = []
    monkeypatch.setattr("dataset_dm.rows.facts.areas", lambda rows: asked.append(rows) or [0.1, 0.9])
    (usable, confidence, area) = from_dict({"min_confidence": 0.0, "max_area": 0.5})
    rows = list(row_facts(PLAN, "train", images, labels))
    assert [usable(row) or confidence(row) for row in rows] == [None, None] and not asked
    assert [area(row) for row in rows] == [None, Drop("label_too_large")] and asked == [labels]
    assert set(rows[0]) == set(FACTS)
    with pytest.raises(KeyError):
        rows[0]["sharpness"]
