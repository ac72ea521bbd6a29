"""What a computation depends on besides its plan: what equal bytes depend on, written into every manifest; memory."""

from __future__ import annotations

import platform
from importlib.metadata import version
from typing import Any

import torch

from dataset_dm.plan.generation_plan import GenerationPlan
from dataset_dm.registry import __version__

# whose versions may move the last bits
_LIBRARIES = ("torch", "diffusers", "transformers", "numpy")

# what oneDNN (CPU) and cuBLAS say when they cannot have the memory they need
_SCARCE = ("could not create a primitive", "CUBLAS_STATUS_ALLOC_FAILED")


def environment(plan: GenerationPlan, device: torch.device) -> dict[str, Any]:
    """Device model, dtype, batch, threads a worker and library versions."""
    return {
        "device": torch.cuda.get_device_name(device) if device.type == "cuda" else _processor(),
        "dtype": plan.dtype,
        "batch": plan.batch_size,
        "threads": torch.get_num_threads(),
        "versions": {"dataset_dm": __version__, **{name: version(name) for name in _LIBRARIES}},
    }


def lacks_memory(error: Exception) -> bool:
    """Whether an error means that the device, or this machine, has too little memory for what was tried."""
    from accelerate.utils.memory import should_reduce_batch_size

    # torch has a class of its own for GPUs only; on the CPU, and in libraries beneath, there is but the text
    said = any(text in str(error) for text in _SCARCE)
    return isinstance(error, (torch.OutOfMemoryError, MemoryError)) or said or should_reduce_batch_size(error)


def _processor() -> str:
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            names = [line.partition(":")[2].strip() for line in file if line.startswith("model name")]
    except OSError:
        names = []
    return names[0] if names else platform.processor() or platform.machine()
