"""Mask2Former on `image`, `annotation` and `semantic_class_to_id`: `python -m tests.trainers.instance`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from transformers import (
    Mask2FormerConfig,
    Mask2FormerForUniversalSegmentation,
    SwinConfig,
)

from tests.trainers.training import SIDE, Batch, Recipe, image_processor, main, stacked

# as the example script with its option to take the background away: ids of classes then count from 0
PROCESSOR = image_processor(
    "Mask2Former", size={"height": SIDE, "width": SIDE}, do_reduce_labels=True, ignore_index=255
)


def class_names(rows: Any) -> Sequence[str]:
    """From the first row's table of ids, without the background."""
    ids = next(iter(rows))["semantic_class_to_id"]
    return [name for name, number in sorted(ids.items(), key=lambda entry: entry[1]) if number != 0]


def network(names: Sequence[str]) -> Mask2FormerForUniversalSegmentation:
    """A Mask2Former of 0.4 M parameters on a small Swin."""
    swin = SwinConfig(
        image_size=SIDE,
        embed_dim=16,
        depths=[1, 1, 1, 1],
        num_heads=[1, 2, 4, 8],
        window_size=4,
        out_features=["stage1", "stage2", "stage3", "stage4"],
    )
    config = Mask2FormerConfig(
        backbone_config=swin,
        feature_size=32,
        mask_feature_size=32,
        hidden_dim=32,
        encoder_feedforward_dim=64,
        encoder_layers=1,
        decoder_layers=3,
        dim_feedforward=64,
        num_attention_heads=4,
        num_queries=16,
        train_num_points=256,
        id2label=dict(enumerate(names)),
    )
    return Mask2FormerForUniversalSegmentation(config)


def inputs(rows: Batch) -> Batch:
    """Pictures float [3 h w], one mask [n h w] and one class [n] an object."""
    made: Batch = {"pixel_values": [], "mask_labels": [], "class_labels": []}
    for image, annotation in zip(rows["image"], rows["annotation"], strict=True):
        both = np.asarray(annotation)[..., :2]
        classes = {int(thing): int(kind) for kind, thing in np.unique(both.reshape(-1, 2), axis=0)}
        one = PROCESSOR([image], [both[..., 1]], instance_id_to_semantic_id=classes, return_tensors="pt")
        for name, values in made.items():
            values.append(one[name][0])
    return made


def collate(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Pictures in one tensor; every picture has its own number of objects."""
    lists = {name: [row[name] for row in rows] for name in ("mask_labels", "class_labels")}
    return {**stacked(rows, "pixel_values"), **lists}


INSTANCE = Recipe(
    task="instance",
    dataset="dataset_dm/coco_synth",
    config="instance",
    class_names=class_names,
    network=network,
    inputs=inputs,
    collate=collate,
    idle=("swin.layernorm",),
)

if __name__ == "__main__":
    main(INSTANCE)
