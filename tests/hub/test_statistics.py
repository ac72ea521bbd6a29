"""Counts for a card, from columns that are worked out by hand."""

from pathlib import Path

import pyarrow.parquet as pq
import pytest

from dataset_dm.hub.statistics import statistics
from tests.annotations import CLASSES
from tests.hub.stores import make_store, table

NAMES = ("background", *CLASSES)


def test_classes_prompts_and_means_over_all_files(tmp_path: Path) -> None:
    store = make_store(tmp_path / "set", train=[3, 1])
    files = sorted((store / "train").glob("*.parquet"))
    found = statistics({"train": files}, NAMES)
    rows = [row for file in files for row in pq.read_table(file).to_pylist()]
    for number, name in enumerate(NAMES[1:], start=1):
        assert found["classes"][name] == sum(number in row["classes"] for row in rows)
    assert sum(found["classes"].values()) > 0
    mean = sum(row["quality"]["confidence"] for row in rows) / len(rows)
    assert found["figures"]["mean confidence"] == f"{mean:.3f}"
    assert found["prompts"] == list(dict.fromkeys(row["prompt"] for row in rows))
    assert found["reviewed"] == 0


@pytest.mark.parametrize(("value", "expected"), [(2, 2), (12, 8)])
def test_at_most_eight_prompts_are_shown(tmp_path: Path, value: int, expected: int) -> None:
    made = table("semantic", value)
    rows = made.to_pylist()
    for number, row in enumerate(rows):
        row["prompt"] = f"prompt {number}"
    pq.write_table(type(made).from_pylist(rows, schema=made.schema), tmp_path / "a.parquet")
    found = statistics({"train": [tmp_path / "a.parquet"]}, NAMES)
    assert found["prompts"] == [f"prompt {number}" for number in range(expected)]


def test_the_annotator_is_read_from_the_rows(tmp_path: Path) -> None:
    pq.write_table(table("semantic", 2), tmp_path / "a.parquet")
    row = pq.read_table(tmp_path / "a.parquet")["provenance"][0].as_py()
    annotator = statistics({"train": [tmp_path / "a.parquet"]}, ["background"])["annotator"]
    assert annotator.hash == row["annotator_hash"] and annotator.reference.startswith(row["annotator"])


def test_a_reviewed_set_still_has_its_annotator(tmp_path: Path) -> None:
    made = table("semantic", 3)
    rows = made.to_pylist()
    for row, name in zip(rows, ("reviewed:voc:reviewed:label-studio:me/decoder", "me/decoder", None), strict=True):
        row["provenance"]["annotator"] = name
    pq.write_table(type(made).from_pylist(rows, schema=made.schema), tmp_path / "a.parquet")
    found = statistics({"train": [tmp_path / "a.parquet"]}, ["background"])
    assert found["reviewed"] == 1 and found["annotator"].reference.split("@")[0] == "me/decoder"
