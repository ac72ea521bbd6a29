"""Device and float type of a model: names and "auto" resolved to torch's types.

torch is imported inside the functions, so that a plan can be made without it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dataset_dm.arguments.table import DTYPES
from dataset_dm.checks import check_choice
from dataset_dm.errors import ConfigError, explain

if TYPE_CHECKING:
    import torch


def resolve_device(device: str | torch.device = "auto") -> torch.device:
    """The torch device of a name; "auto" is a GPU where torch sees one, else the CPU.

    Raises:
        ConfigError: no such device, or a GPU that torch does not see.
    """
    import torch

    if device == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        resolved = torch.device(device)
    except (RuntimeError, TypeError) as error:
        raise ConfigError(explain("device", got=device, expected="'auto', 'cpu', 'cuda' or 'cuda:N'")) from error
    if resolved.type == "cuda" and (resolved.index or 0) >= torch.cuda.device_count():
        expected = f"one of the {torch.cuda.device_count()} GPUs that torch sees"
        raise ConfigError(explain("device", got=str(device), expected=expected, remedy="take 'cpu' or 'auto'"))
    return resolved


def resolve_dtype(dtype: str | torch.dtype, device: torch.device) -> torch.dtype:
    """The float type of a name; "auto" is float16 on a GPU, else float32.

    Raises:
        ConfigError: none of "auto", "float32", "float16" and "bfloat16".
    """
    import torch

    if dtype == "auto":
        dtype = torch.float16 if device.type == "cuda" else torch.float32
    name = str(dtype).removeprefix("torch.") if isinstance(dtype, torch.dtype) else dtype
    return getattr(torch, check_choice("dtype", name, ("auto", *DTYPES)))
