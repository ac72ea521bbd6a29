"""What makes an image unusable."""

import pytest
import torch

from dataset_dm.generation.batch import what_is_wrong


def test_reasons_by_hand() -> None:
    images = torch.zeros(6, 4, 4, 3, dtype=torch.uint8)
    images[0, 2, 1, 1] = 3  # one pixel, one channel, just beyond what machines differ by
    images[1, 2, 1, 1] = 2
    images[2] = torch.tensor([200, 10, 90], dtype=torch.uint8)  # one colour
    images[3, 0] = 255
    images[4, 0] = 255
    latents = torch.zeros(6, 4, 2, 2)
    latents[3, 3, 1, 1] = float("nan")
    latents[4, 0, 0, 0] = float("-inf")
    unsafe = [False] * 5 + [True]
    expected = [None, "constant", "constant", "not_finite", "not_finite", "unsafe"]
    assert what_is_wrong(images, latents, unsafe) == expected


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32])
def test_every_float_type(dtype: torch.dtype) -> None:
    images = torch.arange(2 * 4 * 4 * 3, dtype=torch.uint8).reshape(2, 4, 4, 3)
    latents = torch.ones(2, 4, 2, 2, dtype=dtype)
    latents[1] *= 1e38  # too large for 16 bits of half precision
    wrong = what_is_wrong(images, latents, [False, False])
    assert wrong == [None, "not_finite" if dtype == torch.float16 else None]
