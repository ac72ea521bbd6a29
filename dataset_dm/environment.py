"""What equal bytes depend on besides the plan; written into every manifest."""

from __future__ import annotations

import platform
from importlib.metadata import version
from typing import Any

import torch

from dataset_dm import __version__
from dataset_dm.plan import GenerationPlan

# whose versions may move the last bits
_LIBRARIES = ("torch", "diffusers", "transformers", "numpy")


def environment(plan: GenerationPlan, device: torch.device) -> dict[str, Any]:
    """Device model, dtype, batch, threads a worker and library versions."""
    return {
        "device": torch.cuda.get_device_name(device) if device.type == "cuda" else _processor(),
        "dtype": plan.dtype,
        "batch": plan.batch_size,
        "threads": torch.get_num_threads(),
        "versions": {"dataset_dm": __version__, **{name: version(name) for name in _LIBRARIES}},
    }


def _processor() -> str:
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            names = [line.partition(":")[2].strip() for line in file if line.startswith("model name")]
    except OSError:
        names = []
    return names[0] if names else platform.processor() or platform.machine()
