"""Columns of stored shards: what differs from the expected schema, and what a shard may lack."""

import pyarrow as pa

from dataset_dm.labels.tasks import TASKS
from dataset_dm.store.schema import (
    IMAGE_ROWS,
    LABEL_ROWS,
    completed,
    differing_columns,
    expected_columns,
    stored_columns,
    unusable,
)


def test_equal_schemas_do_not_differ() -> None:
    assert differing_columns(IMAGE_ROWS, IMAGE_ROWS) == []


def test_missing_foreign_and_retyped_columns_are_named() -> None:
    changed = [field for field in IMAGE_ROWS if field.name != "seed"]
    changed = [pa.field("width", pa.string()) if field.name == "width" else field for field in changed]
    found = pa.schema([*changed, pa.field("extra", pa.int8())])
    assert differing_columns(found, IMAGE_ROWS) == ["extra", "seed", "width"]


def test_columns_that_came_later_or_are_optional_may_be_absent() -> None:
    earlier = pa.schema([field for field in IMAGE_ROWS if field.name != "unusable"])
    assert differing_columns(earlier, IMAGE_ROWS) == []
    without_depth = pa.schema([field for field in LABEL_ROWS if field.name != "depth"])
    assert differing_columns(without_depth, LABEL_ROWS) == ["depth"]
    assert differing_columns(without_depth, LABEL_ROWS, ["depth"]) == []


def test_a_shard_of_depth_holds_its_columns_and_is_completed_with_nulls() -> None:
    names = stored_columns(["depth"])
    assert "depth" in names and "label" not in names and names[0] == "index"
    table = expected_columns("labels", tuple(names)).empty_table()
    whole = completed(pa.Table.from_pylist([{"index": 3}], schema=table.schema))
    assert whole.schema == LABEL_ROWS
    assert whole.column("index").to_pylist() == [3] and whole.column("label").null_count == 1
    assert stored_columns(list(TASKS)) == LABEL_ROWS.names


def test_why_a_row_is_not_shown() -> None:
    table = pa.table({"unsafe": [False, True, False], "unusable": [None, None, "constant"]})
    assert unusable(table) == [None, "unsafe", "constant"]
    assert unusable(table.drop_columns("unusable")) == [None, "unsafe", None]
