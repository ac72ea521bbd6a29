"""Depth files as metres: values worked out by hand for every format; impossible values name the pixel."""

import numpy as np
import pytest
from PIL import Image

from dataset_dm.readers import SampleError, open_labelled
from dataset_dm.readers.depth_file import read_depth
from tests.readers.little_sets import HEIGHT, WIDTH, metres, sample_image, write_pfm


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
        ("a.pfm", b"Pf\n8 6\n-1.0\n1234", "depth has 1 numbers, its header states 8×6"),
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
