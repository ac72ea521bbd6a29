"""GLPN on `image` and `depth_map`: `python -m tests.trainers.depth`."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from PIL import Image
from transformers import GLPNConfig, GLPNForDepthEstimation

from tests.trainers.training import SIDE, Batch, Recipe, image_processor, main, stacked

PROCESSOR = image_processor("GLPN")


def network(names: Sequence[str]) -> GLPNForDepthEstimation:
    """A GLPN of 0.3 M parameters; its loss leaves out pixels of 0 metres, which are unknown."""
    config = GLPNConfig(
        depths=[1, 1, 1, 1],
        hidden_sizes=[16, 32, 48, 64],
        num_attention_heads=[1, 2, 3, 4],
        decoder_hidden_size=32,
        max_depth=20,
    )
    return GLPNForDepthEstimation(config)


def inputs(rows: Batch) -> Batch:
    """Pictures float [3 h w], metres float32 [h w]. A depth map is a PIL image of mode F, which PIL can resize."""
    size = (SIDE, SIDE)
    pictures = PROCESSOR([image.resize(size) for image in rows["image"]], return_tensors="pt")
    metres = [np.asarray(depth.resize(size, Image.Resampling.NEAREST)) for depth in rows["depth_map"]]
    return {"pixel_values": list(pictures["pixel_values"]), "labels": [torch.tensor(depth) for depth in metres]}


DEPTH = Recipe(
    task="depth",
    dataset="dataset_dm/nyu_synth",
    config="depth",
    class_names=lambda rows: (),
    network=network,
    inputs=inputs,
    collate=lambda rows: stacked(rows, "pixel_values", "labels"),
)

if __name__ == "__main__":
    main(DEPTH)
