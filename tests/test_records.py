"""Columns: the plain form, the Arrow schema and `datasets.Features` are one and the same."""

import datasets
import pyarrow as pa

from dataset_dm.records import (
    PROVENANCE,
    Provenance,
    Quality,
    Sample,
    arrow_schema,
    features,
    semantic_features,
    to_row,
)

CLASSES = ("cat", "dog")


def test_features_are_those_of_the_design() -> None:
    made = features(semantic_features(CLASSES))
    assert list(made) == ["image", "label", "classes", "prompt", "quality", "provenance"]
    assert made["image"] == made["label"] == datasets.Image()
    assert made["classes"].feature.names == ["background", "cat", "dog"]


def test_the_schema_made_without_datasets_is_the_one_that_datasets_makes() -> None:
    plain = semantic_features(CLASSES)
    schema = arrow_schema(plain)
    assert schema.remove_metadata() == features(plain).arrow_schema.remove_metadata()
    assert datasets.Features.from_arrow_schema(schema) == features(plain)


def test_the_stored_form_is_one_that_old_versions_read() -> None:
    # "List" is unknown to datasets 3.x, "Sequence" is read by all
    metadata = arrow_schema(semantic_features(CLASSES)).metadata[b"huggingface"].decode()
    assert '"_type": "List"' not in metadata and '"_type": "Sequence"' in metadata


def test_provenance_dataclass_and_columns_agree() -> None:
    assert list(Provenance.__dataclass_fields__) == list(PROVENANCE)


def test_a_sample_becomes_a_row_of_the_schema() -> None:
    provenance = Provenance(
        index=3,
        split="train",
        seed=2**53 - 1,
        attempt=0,
        generator="miniature",
        revision=None,
        generator_hash="0" * 16,
        adapter=None,
        annotator="miniature",
        annotator_revision=None,
        annotator_hash="1" * 16,
        steps=20,
        guidance=None,
        scheduler=None,
        width=8,
        height=4,
        dtype="float32",
    )
    sample = Sample(b"image", b"label", ("dog",), "a dog", Quality(0.5, 0.25, (0.0, 1.0)), provenance)
    schema = arrow_schema(semantic_features(CLASSES))
    row = pa.Table.from_pylist([to_row(sample, {"cat": 1, "dog": 2})], schema=schema).to_pylist()[0]
    assert row["classes"] == [2]
    assert row["quality"] == {"confidence": 0.5, "uncertain": 0.25, "presence": [0.0, 1.0]}
    assert row["provenance"]["seed"] == 2**53 - 1 and row["provenance"]["guidance"] is None
    assert row["image"] == {"bytes": b"image", "path": None}
