"""The columns of stored shards: image rows as drawn, label rows as read; both in index order."""

from __future__ import annotations

import pyarrow as pa

_IMAGE = pa.struct([pa.field("bytes", pa.binary()), pa.field("path", pa.string())])
IMAGE_ROWS = pa.schema(
    [
        ("index", pa.int64()),
        ("attempt", pa.int32()),
        ("seed", pa.int64()),
        ("prompt", pa.string()),
        ("requested", pa.list_(pa.string())),
        ("image", _IMAGE),
        ("latents", pa.binary()),
        ("latents_dtype", pa.string()),
        ("latents_shape", pa.list_(pa.int32())),
        ("width", pa.int32()),
        ("height", pa.int32()),
        ("unsafe", pa.bool_()),
    ]
)
# `label` has 255 where the annotator is unsure, `full` is the same without; `classes` are the ids found in `label`
LABEL_ROWS = pa.schema(
    [
        ("index", pa.int64()),
        ("label", _IMAGE),
        ("full", _IMAGE),
        ("classes", pa.list_(pa.int64())),
        ("presence", pa.list_(pa.float32())),
        ("confidence", pa.float32()),
        ("uncertain", pa.float32()),
    ]
)
