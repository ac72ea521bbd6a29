"""Provenance: one column for every field, in the stored order."""

from dataclasses import fields

from dataset_dm.labels.provenance import PROVENANCE, Provenance
from dataset_dm.labels.records import arrow_schema

STORED = (  # the order of the columns of stored rows: later ones follow
    "index split seed attempt generator revision generator_hash adapter annotator annotator_revision annotator_hash "
    "steps guidance scheduler width height dtype splice seeds prompts adapter_hash batch_size tasks classes min_score "
    "image_version label_version"
).split()


def test_columns_keep_their_order() -> None:
    assert list(PROVENANCE)[: len(STORED)] == STORED == [one.name for one in fields(Provenance)][: len(STORED)]


def test_types_of_the_columns() -> None:
    struct = arrow_schema({"provenance": PROVENANCE}).field("provenance").type
    types = {entry.name: str(entry.type) for entry in struct}
    assert (types["index"], types["attempt"], types["width"]) == ("int64", "int32", "int32")
    assert types["guidance"] == "double"
    assert types["seeds"].startswith("list<") and "struct<text: string" in types["prompts"]
