"""Splits of the world, and the scenes that its version stands for."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from dataset_dm.miniature.world import SPLITS, WORLD_VERSION, index_of, labelled
from dataset_dm.miniature.world.scene import compose

STORED = Path(__file__).parents[2] / "fixtures" / f"world_{WORLD_VERSION}.npz"
SCENES = [("train", 0, "day"), ("test", 7, "day"), ("validation", 3, "night"), ("pretrain", 11, "fog")]


@pytest.mark.parametrize("split, index, style", SCENES)
def test_the_version_stands_for_these_scenes(split: str, index: int, style: str) -> None:
    """The last bits of a render depend on the processor's BLAS; everything else needs another WORLD_VERSION."""
    stored = np.load(STORED)
    scene, rendering = labelled(split, index, style)
    name = f"{split}-{index}-{style}"
    assert list(scene.captions) == stored[f"{name}-captions"].tolist()
    assert np.abs(rendering.image.astype(int) - stored[f"{name}-image"].astype(int)).max() <= 2
    assert (rendering.class_map == stored[f"{name}-class_map"]).mean() >= 0.999
    same = rendering.class_map == stored[f"{name}-class_map"]
    np.testing.assert_allclose(rendering.depth[same], stored[f"{name}-depth"][same], rtol=2e-3)


def test_splits_share_no_scene() -> None:
    assert index_of("train", 0) == SPLITS["train"].start == SPLITS["pretrain"].stop
    with pytest.raises(ValueError, match="split: got 'valid'"):
        index_of("valid", 0)
    with pytest.raises(ValueError, match="got -1"):
        index_of("test", -1)


def test_splits_never_meet() -> None:
    ranges = sorted(SPLITS.values(), key=lambda one: one.start)
    assert all(first.stop <= second.start for first, second in zip(ranges, ranges[1:], strict=False))
    assert index_of("train", 0) == SPLITS["train"].start
    scene, rendering = labelled("test", 2, size=(32, 32))
    assert scene.camera == compose(0, index_of("test", 2)).camera and rendering.image.shape == (32, 32, 3)


@pytest.mark.parametrize(("split", "i"), [("dev", 0), ("train", -1), ("train", 10**8)])
def test_bad_split_or_index(split: str, i: int) -> None:
    with pytest.raises(ValueError, match="expected"):
        index_of(split, i)
