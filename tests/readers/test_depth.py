"""Depth: metres by hand-worked values, whatever file they come in; what cannot be a depth is named."""

import numpy as np
import pytest
from PIL import Image

from dataset_dm.errors import ConfigError, DataError
from dataset_dm.readers import SampleError, open_labelled
from tests.readers.little_sets import HEIGHT, WIDTH, metres, millimetres, sample_image


def test_millimetres_become_metres_and_zero_stays_unknown(nyu):
    found = open_labelled(nyu)
    assert len(found) == 3 and found.kinds == ("depth",) and found.classes == ()
    sample = found[1]
    assert sample.depth.dtype == np.float32 and np.array_equal(sample.depth, metres())
    assert sample.image[0, 0].tolist() == [51, 51, 51] and sample.label is None and sample.instances is None


def test_a_stated_scale_counts(nyu):
    found = open_labelled(nyu, depth_scale=0.01)
    assert found[0].depth.max() == 25.0
    assert found.source != open_labelled(nyu).source, "features of one are not the other's"
    with pytest.raises(ConfigError, match="depth_scale: got -1, expected metres of one unit"):
        open_labelled(nyu, depth_scale=-1)


def test_sizes_must_agree(nyu):
    Image.fromarray(millimetres()[:3]).save(nyu / "depth" / "00002.png")
    with pytest.raises(SampleError, match="depth is 8×3, its image 8×6"):
        open_labelled(nyu)[2]


def test_kitti_pairs_are_256th_of_a_metre(tmp_path):
    for folder in ("image", "groundtruth_depth"):
        (tmp_path / folder).mkdir()
    sample_image().save(tmp_path / "image" / "drive_0002_sync_image_0000000005_image_02.png")
    far = Image.fromarray(np.full((HEIGHT, WIDTH), 80 * 256, np.uint16))
    far.save(tmp_path / "groundtruth_depth" / "drive_0002_sync_groundtruth_depth_0000000005_image_02.png")
    assert open_labelled(tmp_path)[0].depth.max() == 80.0


def kitti(root, drives):
    for split, drive, frames in drives:
        images = root / split / drive / "image_02" / "data"
        depths = root / split / drive / "proj_depth" / "groundtruth" / "image_02"
        images.mkdir(parents=True)
        depths.mkdir(parents=True)
        for i in range(frames):
            sample_image().save(images / f"{i:010d}.png")
            if i:  # a drive's first images have no depth
                Image.fromarray(np.full((HEIGHT, WIDTH), 256 * i, np.uint16)).save(depths / f"{i:010d}.png")
    return root


def test_kitti_drives_give_what_has_a_depth(tmp_path):
    root = kitti(tmp_path, [("train", "drive_0001_sync", 3), ("val", "drive_0002_sync", 2)])
    found = open_labelled(root)
    assert [sample.depth.max() for sample in (found[0], found[1])] == [1.0, 2.0] and len(found) == 2
    assert len(open_labelled(root, split="val")) == 1
    with pytest.raises(DataError, match="no split 'test'; there are: train, val"):
        open_labelled(root, split="test")


def test_a_kitti_depth_without_its_image_is_named(tmp_path):
    root = kitti(tmp_path, [("train", "drive_0001_sync", 3)])
    (root / "train" / "drive_0001_sync" / "image_02" / "data" / "0000000002.png").unlink()
    with pytest.raises(SampleError, match="sample 'drive_0001_sync/image_02/0000000002' has no image"):
        open_labelled(root)
