"""What is known of the rows, and which of them a filter leaves."""

from pathlib import Path

import numpy as np
import pytest

from dataset_dm.errors import ConfigError
from dataset_dm.explore.index import KEPT, ORDERS, Index, Wanted, count_reasons, read_index
from dataset_dm.explore.sets import open_set


@pytest.fixture(scope="module")
def index(one: Path) -> Index:
    return read_index(open_set(str(one)), "train")


def test_facts_of_the_rows(index: Index) -> None:
    assert index.numbers.tolist() == [10, 11, 12, 13, 14]
    assert index.class_counts() == {1: 2, 2: 2, 3: 1}
    assert index.objects.tolist() == [1, 2, 0, 1, 1]
    assert index.figures["confidence"] == pytest.approx([0.9, 0.5, 0.7, 0.3, 0.6])
    assert index.known("object_confidence") == pytest.approx([0.9, 0.5, 0.8, 0.7])  # the third row has no object
    assert index.annotator == "first" and index.tasks == ("semantic", "instance", "depth", "pose")
    assert index.prompts[3] == "a person"


@pytest.mark.parametrize(
    ("wanted", "rows"),
    [
        (Wanted(), [0, 1, 2, 3, 4]),
        (Wanted(classes=(1, 2)), [0, 1, 4]),
        (Wanted(classes=(1, 2), every=True), [1]),
        (Wanted(confidence=(0.5, 0.7)), [1, 2, 4]),
        (Wanted(text="DOG a"), [1, 4]),
        (Wanted(order=ORDERS[1]), [3, 1, 4, 2, 0]),
        (Wanted(order=ORDERS[2]), [0, 2, 4, 1, 3]),
        (Wanted(classes=(2,), text="cat", confidence=(0.6, 1)), []),
    ],
)
def test_filters_leave_the_rows_that_are_wanted(index: Index, wanted: Wanted, rows: list[int]) -> None:
    assert index.find(wanted).tolist() == rows


def test_reasons_are_those_of_the_filters(index: Index) -> None:
    reasons = index.reasons({"min_confidence": 0.55, "min_objects": 1})
    assert reasons == [KEPT, "low_confidence", "too_few_objects", "low_confidence", KEPT]
    assert count_reasons(reasons) == {KEPT: 2, "low_confidence": 2, "too_few_objects": 1}
    assert index.find(Wanted(reason="low_confidence"), reasons).tolist() == [1, 3]
    assert index.find(Wanted(reason=KEPT), reasons).tolist() == [0, 4]
    assert index.reasons({"min_classes": 2}) == ["too_few_classes", KEPT, *["too_few_classes"] * 3]
    assert index.reasons({}) == [KEPT] * 5
    with pytest.raises(ConfigError, match="min_confidence: got 1.5, expected a number from 0 to 1"):
        index.reasons({"min_confidence": 1.5})


def test_only_rules_that_these_rows_can_answer(index: Index) -> None:
    assert "min_keypoint_confidence" in index.rules() and "min_score" not in index.rules()
    unknown = {"confidence": np.array([0.5, np.nan], np.float32)}
    bare = Index(numbers=np.arange(2), shown=None, figures=unknown, objects=None, prompts=("", ""), annotator="",
                 tasks=("depth",))  # fmt: skip
    assert bare.rules() == ()  # a row without confidence cannot be judged by it
    assert bare.find(Wanted(order=ORDERS[1])).tolist() == [0, 1]
    assert bare.find(Wanted(confidence=(0.1, 1))).tolist() == [0]


def test_lists_of_objects_and_rows_without_numbers(tmp_path: Path) -> None:
    """A set as others make them: objects as a list of dicts, no ids, no quality."""
    import datasets

    names = datasets.Features(
        {
            "image": datasets.Image(),
            "objects": [{"category": datasets.ClassLabel(names=["car", "bus"]), "bbox": datasets.Sequence(
                datasets.Value("float32"))}],
        }
    )  # fmt: skip
    instance = {"category": 1, "bbox": [0.0, 0.0, 2.0, 2.0]}
    rows = {"image": [np.zeros((4, 4, 3), np.uint8)] * 3, "objects": [[], [instance], [instance, instance]]}
    datasets.Dataset.from_dict(rows, features=names).save_to_disk(str(tmp_path / "set"))
    opened = open_set(str(tmp_path / "set"))
    index = read_index(opened, "train")
    assert opened.class_names == ["background", "car", "bus"]
    assert index.numbers.tolist() == [0, 1, 2] and index.objects.tolist() == [0, 1, 2]
    assert index.class_counts() == {2: 2} and index.prompts == ("", "", "") and index.annotator == ""
