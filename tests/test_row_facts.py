"""What filters see of a row: area and presence, worked out by hand."""

from dataclasses import replace

import pytest

from dataset_dm.filters import from_dict
from dataset_dm.label_rows import label_rows
from dataset_dm.prompts import Lines
from dataset_dm.records import Annotation, Prompt
from dataset_dm.row_facts import areas, row_facts
from tests.annotations import CLASSES, annotation, nothing
from tests.test_plan import PLAN
from tests.test_rows import FIRST, shard


def test_area_by_class_map_or_by_objects() -> None:
    empty = annotation(nothing())
    # cat 4, dog 9 and person 1 of 48 pixels; the class map has one of them void, which is background below
    _, labels = shard([0, 1], [annotation(), empty])
    assert areas(labels) == [pytest.approx(14 / 48), 0]
    things = [replace(one, label=None, full=None) for one in (annotation(), empty)]
    assert areas(shard([0, 1], things)[1]) == [pytest.approx(14 / 48), 0]
    assert areas(label_rows([0], [Annotation(confidence=0.5)])) == [None]


def test_presence_of_the_classes_that_the_prompt_names() -> None:
    plan = replace(PLAN, classes=CLASSES, prompts=Lines((Prompt("a dog and a cat"), Prompt("a sunset"))))
    images, labels = shard([0, 1], [annotation(), annotation()])
    keep = from_dict({"min_presence": 0.5})
    texts = [plan.prompt("train", index).text for index in (FIRST, FIRST + 1)]
    found = [row["asked_presence"] for row in row_facts(plan, "train.1", images, labels, keep)]
    assert found == [0.25 if "dog" in text else None for text in texts]  # cat 0.25, dog 1, person 0.75
    assert "asked_presence" not in next(row_facts(plan, "train", images, labels, from_dict({})))
