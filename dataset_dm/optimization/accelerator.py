"""An Accelerator of one's own: accelerate keeps its state in process-wide singletons."""

from __future__ import annotations

import threading

import torch
from accelerate import Accelerator
from accelerate.optimizer import AcceleratedOptimizer
from accelerate.state import AcceleratorState, GradientState, PartialState
from accelerate.utils import GradientAccumulationPlugin

from dataset_dm.errors import ConfigError, explain

_SINGLETONS = (PartialState, AcceleratorState, GradientState)
_LOCK = threading.Lock()


def own_accelerator(
    optimizer: torch.optim.Optimizer, device: torch.device, precision: str, accumulate: int
) -> tuple[Accelerator, AcceleratedOptimizer]:
    """An Accelerator on exactly this device, and the optimizer as it prepares it.

    Its state is shared neither with the caller's Accelerator nor with that of another training, so trainings with
    different precisions work in one process. Under `accelerate launch` each process computes on its own device.

    Raises:
        ConfigError: fp16 on a CPU.
    """
    if precision == "fp16" and device.type == "cpu":
        raise ConfigError(explain("training: precision", got=precision, expected="fp32 or bf16 on a CPU"))
    with _LOCK:
        before = [vars(kind)["_shared_state"] for kind in _SINGLETONS]
        for kind in _SINGLETONS:
            kind._shared_state = {}
        try:
            state = PartialState(cpu=device.type == "cpu")
            if state.num_processes == 1:
                state.device = device  # accelerate would take the first GPU
            accelerator = Accelerator(
                cpu=device.type == "cpu",
                mixed_precision="no" if precision == "fp32" else precision,
                gradient_accumulation_plugin=GradientAccumulationPlugin(accumulate, sync_with_dataloader=False),
            )
            return accelerator, accelerator.prepare_optimizer(optimizer, device_placement=False)
        finally:
            for kind, shared in zip(_SINGLETONS, before, strict=True):
                kind._shared_state = shared
