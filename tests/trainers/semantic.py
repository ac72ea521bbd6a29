"""SegFormer on `image` and `label`: `python -m tests.trainers.semantic`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from transformers import SegformerConfig, SegformerForSemanticSegmentation

from tests.trainers.training import SIDE, Batch, Recipe, image_processor, main, stacked

PROCESSOR = image_processor("Segformer", size={"height": SIDE, "width": SIDE})


def class_names(rows: Any) -> Sequence[str]:
    """Background first. The example script reads the same names from the pushed set's `id2label.json`."""
    return rows.features["classes"].feature.names


def network(names: Sequence[str]) -> SegformerForSemanticSegmentation:
    """A SegFormer of 0.2 M parameters; 255 is what its loss leaves out."""
    config = SegformerConfig(
        depths=[1, 1, 1, 1],
        hidden_sizes=[16, 32, 48, 64],
        num_attention_heads=[1, 2, 3, 4],
        decoder_hidden_size=64,
        id2label=dict(enumerate(names)),
        semantic_loss_ignore_index=255,
    )
    return SegformerForSemanticSegmentation(config)


def inputs(rows: Batch) -> Batch:
    """Pictures float [3 h w], class maps int64 [h w]."""
    return dict(PROCESSOR(rows["image"], segmentation_maps=rows["label"], return_tensors="pt"))


SEMANTIC = Recipe(
    task="semantic",
    dataset="dataset_dm/voc_synth",
    config="semantic",
    class_names=class_names,
    network=network,
    inputs=inputs,
    collate=lambda rows: stacked(rows, "pixel_values", "labels"),
)

if __name__ == "__main__":
    main(SEMANTIC)
