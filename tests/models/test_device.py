"""Devices and float types by name."""

import pytest
import torch

from dataset_dm.errors import ConfigError
from dataset_dm.models.device import resolve_device, resolve_dtype

GPU = torch.cuda.is_available()


def test_auto_is_a_gpu_where_there_is_one() -> None:
    expected = torch.device("cuda" if GPU else "cpu")
    assert resolve_device() == resolve_device("auto") == expected
    assert resolve_device(torch.device("cpu")) == resolve_device("cpu") == torch.device("cpu")


def test_a_device_that_torch_does_not_know() -> None:
    with pytest.raises(ConfigError, match="device: got 'tpu9', expected 'auto', 'cpu', 'cuda' or 'cuda:N'"):
        resolve_device("tpu9")


def test_a_gpu_that_is_not_there() -> None:
    with pytest.raises(ConfigError, match="GPUs that torch sees; take 'cpu' or 'auto'"):
        resolve_device("cuda:99")


def test_float_types() -> None:
    cpu, gpu = torch.device("cpu"), torch.device("cuda")
    assert [resolve_dtype(name, cpu) for name in ("auto", "float32", "bfloat16", torch.float16)] == [
        torch.float32,
        torch.float32,
        torch.bfloat16,
        torch.float16,
    ]
    assert resolve_dtype("auto", gpu) == torch.float16
    for wrong in ("flaot16", torch.float64):
        with pytest.raises(ConfigError, match="dtype: got 'fl.*expected auto or float32 or float16 or bfloat16"):
            resolve_dtype(wrong, cpu)
