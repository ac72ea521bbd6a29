"""Depth: metres by hand-worked values, whatever file they come in; what cannot be a depth is named."""

import numpy as np
import pytest
from PIL import Image

from dataset_dm.errors import ConfigError, DataError
from dataset_dm.readers import SampleError, open_labelled
from dataset_dm.readers.depth_file import read_depth
from tests.readers.little_sets import HEIGHT, WIDTH, millimetres, sample_image, write_pfm


def metres() -> np.ndarray:
    values = np.full((HEIGHT, WIDTH), 1.0, np.float32)
    values[:, 4:], values[0, 0] = 2.5, 0
    return values


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


@pytest.mark.parametrize("little", [True, False])
def test_pfm_rows_are_bottom_up_in_either_byte_order(tmp_path, little):
    rising = np.arange(HEIGHT * WIDTH, dtype=np.float32).reshape(HEIGHT, WIDTH)
    write_pfm(tmp_path / "a.pfm", rising, little)
    assert np.array_equal(read_depth(tmp_path / "a.pfm", "a"), rising)


def test_npy_and_float_tiff_are_metres(tmp_path):
    np.save(tmp_path / "a.npy", metres().astype(np.float64)[..., None])
    Image.fromarray(metres()).save(tmp_path / "a.tiff")
    for name in ("a.npy", "a.tiff"):
        assert np.array_equal(read_depth(tmp_path / name, name), metres())


def test_whole_numbers_without_a_known_unit_are_refused(tmp_path):
    Image.fromarray(np.full((4, 4), 200, np.uint8)).save(tmp_path / "a.png")
    with pytest.raises(SampleError, match="a: depth has whole numbers of 8 bits, nothing says .*depth_scale="):
        read_depth(tmp_path / "a.png", "a", unit=0.001)
    assert read_depth(tmp_path / "a.png", "a", 0.05)[0, 0] == 10


@pytest.mark.parametrize("value", [np.nan, np.inf, -1.0])
@pytest.mark.parametrize("kind", ["npy", "pfm", "tiff"])
def test_an_impossible_depth_names_file_and_pixel(nyu, kind, value):
    wrong = metres()
    wrong[2, 3] = value
    (nyu / "depth" / "00001.png").unlink()
    file = nyu / "depth" / f"00001.{kind}"
    if kind == "npy":
        np.save(file, wrong)
    elif kind == "pfm":
        write_pfm(file, wrong)
    else:
        Image.fromarray(wrong).save(file)
    with pytest.raises(
        SampleError, match=rf"image '00001' \(00001.{kind}\): depth is {value} in row 2, column 3"
    ) as caught:
        open_labelled(nyu)[1]
    assert caught.value.reason == "impossible depth" and "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.pfm", b"Pf\n8 6\n-1.0\n1234", "depth has 1 numbers, its header says 8×6"),
        ("a.pfm", b"Pf\n8\n-1.0\n1234", "depth cannot be read as PFM"),
        ("a.pfm", b"Pf\n8 6", "depth cannot be read as PFM .its header is incomplete"),
        ("a.pfm", b"PF\n1 1\n-1.0\n" + bytes(12), "depth is a colour PFM, expected a grey one"),
        ("a.npy", b"\x93NUMPY\x01\x00", "depth cannot be read"),
        ("a.png", b"\x89PNG\r\n", "depth cannot be read"),
    ],
)
def test_a_damaged_file_is_named(tmp_path, name, content, said):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(SampleError, match=f"a: {said}"):
        read_depth(tmp_path / name, "a")


def test_a_colour_image_is_no_depth(nyu):
    sample_image().save(nyu / "depth" / "00000.png")
    with pytest.raises(SampleError, match=r"depth has shape \(6, 8, 3\) of uint8, expected one number a pixel"):
        open_labelled(nyu)[0]


def test_sizes_must_agree(nyu):
    Image.fromarray(millimetres()[:3]).save(nyu / "depth" / "00002.png")
    with pytest.raises(SampleError, match="depth is 8×3, its image 8×6"):
        open_labelled(nyu)[2]


@pytest.mark.parametrize(("folder", "said"), [("color", "sample '00001' has no image"), ("depth", "has no depth")])
def test_a_missing_partner_is_named(nyu, folder, said):
    next((nyu / folder).glob("00001.*")).unlink()
    with pytest.raises(SampleError, match=f"{said}.*{folder}/00001"):
        open_labelled(nyu)


def test_pairs_are_found_by_number_and_split(tmp_path):
    for split, count in (("train", 2), ("val", 1)):
        for folder in ("rgb", "depth"):
            (tmp_path / split / folder).mkdir(parents=True)
        for i in range(count):
            sample_image().save(tmp_path / split / "rgb" / f"rgb_{i:04d}.png")
            Image.fromarray(millimetres()).save(tmp_path / split / "depth" / f"sync_depth_{i:04d}.png")
    assert len(open_labelled(tmp_path)) == 2 and len(open_labelled(tmp_path, split="val")) == 1
    with pytest.raises(DataError, match="no split 'vla'; there are: train, val; did you mean 'val'"):
        open_labelled(tmp_path, split="vla", format="nyu")


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
