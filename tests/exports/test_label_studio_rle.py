"""Label Studio's run lengths: a stream worked out by hand, round trips, what breaks off."""

import numpy as np
import pytest

from dataset_dm.exports import label_studio_rle


def test_a_stream_written_by_hand() -> None:
    """2 pixels, the first painted: 8 values of 8 bits; sizes of counts 3, 4, 8, 16."""
    head = f"{8:032b}" + f"{7:05b}" + "".join(f"{bits - 1:04b}" for bits in (3, 4, 8, 16))
    bits = head + "1" + "00" + f"{3:03b}" + f"{255:08b}" + "1" + "00" + f"{3:03b}" + f"{0:08b}"
    bits += "0" * (-len(bits) % 8)
    data = [int(bits[i : i + 8], 2) for i in range(0, len(bits), 8)]
    mask = np.array([[True, False]])
    assert label_studio_rle.encode(mask) == data
    np.testing.assert_array_equal(label_studio_rle.decode(data, (1, 2)), mask)


def test_values_that_are_not_repeated_are_read_too() -> None:
    """As the tool's own packer writes them: one block of 8 plain values, soft alpha below and above one half."""
    head = f"{8:032b}" + f"{7:05b}" + "".join(f"{bits - 1:04b}" for bits in (3, 4, 8, 16))
    values = [0, 0, 0, 127, 9, 9, 9, 128]
    bits = head + "0" + "00" + f"{7:03b}" + "".join(f"{value:08b}" for value in values)
    bits += "0" * (-len(bits) % 8)
    data = [int(bits[i : i + 8], 2) for i in range(0, len(bits), 8)]
    np.testing.assert_array_equal(label_studio_rle.decode(data, (1, 2)), [[False, True]])


@pytest.mark.parametrize("size", [(1, 1), (20, 24), (300, 200)])
def test_round_trip(size: tuple[int, int]) -> None:
    mask = np.zeros(size, bool)
    mask[: size[0] // 2, size[1] // 3 :] = True
    for one in (mask, ~mask, mask & False):
        np.testing.assert_array_equal(label_studio_rle.decode(label_studio_rle.encode(one), size), one)


def test_another_size_or_a_short_stream_is_an_error() -> None:
    data = label_studio_rle.encode(np.ones((4, 5), bool))
    with pytest.raises(ValueError, match="20 pixels, expected 24"):
        label_studio_rle.decode(data, (4, 6))
    for cut in range(len(data)):
        with pytest.raises((ValueError, IndexError)):
            label_studio_rle.decode(data[:cut], (4, 5))
