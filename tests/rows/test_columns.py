"""Columns of a config from stored rows."""

import pyarrow as pa

from dataset_dm.labels.records import arrow_schema
from dataset_dm.plan.configs import recipe
from dataset_dm.rows.columns import assemble, shown_classes
from dataset_dm.rows.reader import Rows
from dataset_dm.store.plans import read
from tests.store.conftest import home, stored  # noqa: F401  (fixtures: a store with two samples)


def test_the_columns_of_a_config_in_its_order(stored) -> None:  # noqa: F811
    plan = stored.plan
    images, labels = read(plan, stored.images, stored.labels, "train", 0)
    for config in ("semantic", "instance", "all"):
        plain = recipe("voc_synth", config).features(plan.classes)
        provenance = Rows(plan, recipe("voc_synth", config).features)._provenance("train")
        table = assemble(plain, plan.classes, images, labels, provenance)
        assert table.schema == arrow_schema(dict(plain)) and table.num_rows == 2
        rows = table.to_pylist()
        assert [row["prompt"] for row in rows] == images.column("prompt").to_pylist()
        assert [row["provenance"]["seed"] for row in rows] == images.column("seed").to_pylist()
        assert {row["provenance"]["generator"] for row in rows} == {"miniature"}
        assert [row["quality"]["confidence"] for row in rows] == labels.column("confidence").to_pylist()
        if "semantic_class_to_id" in plain:
            assert rows[0]["semantic_class_to_id"]["aeroplane"] == 1


def test_classes_of_rows_by_hand() -> None:
    by_label = pa.table({"classes": [[1, 3], None]})
    assert shown_classes(by_label) == [[1, 3], []]
    by_objects = pa.table({"objects": [{"category": [2, 0, 2]}, {"category": []}]})
    assert shown_classes(by_objects) == [[1, 3], []]
    assert shown_classes(pa.table({"depth_map": [1]})) == [[]]
