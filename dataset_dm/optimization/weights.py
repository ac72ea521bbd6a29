"""The weights that a training changes, and their moving average."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

import torch
from jaxtyping import Shaped
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn


class Weights(nn.Module):
    """The trainable parameters of several modules, and their persistent buffers; they share the modules' memory.

    Frozen parameters are left out, so the average and the checkpoint of an adapter are as small as the adapter.
    """

    def __init__(self, modules: Mapping[str, nn.Module]) -> None:
        super().__init__()
        seen: set[int] = set()
        for module_name, module in modules.items():
            for name, value in module.state_dict(keep_vars=True).items():
                is_parameter = isinstance(value, nn.Parameter)
                if id(value) in seen or (is_parameter and not value.requires_grad):
                    continue
                seen.add(id(value))
                key = f"{module_name}.{name}".replace(".", "/")  # torch allows no dot in a name
                self.register_parameter(key, value) if is_parameter else self.register_buffer(key, value)

    def copy(self) -> dict[str, Shaped[Tensor, "*_"]]:
        """Name → a copy of its present value."""
        return {name: value.detach().clone() for name, value in self.state_dict().items()}

    @torch.no_grad()
    def load(self, values: Mapping[str, Shaped[Tensor, "*_"]]) -> None:
        """Puts values in, in place."""
        for name, value in self.state_dict(keep_vars=True).items():
            value.copy_(values[name])

    @contextmanager
    def holding(self, values: Mapping[str, Shaped[Tensor, "*_"]]) -> Iterator[None]:
        """Has these values within the block, and its own again afterwards."""
        own = self.copy()
        self.load(values)
        try:
            yield
        finally:
            self.load(own)


def moving_average(weights: Weights, decay: float) -> AveragedModel:
    """Exponential moving average of parameters and buffers; update it after every step.

    The average begins at the present weights. Its decay at step s is at most (1 + s) / (10 + s): it forgets fast at
    first, when the weights are still poor.
    """

    def average(kept: Sequence[Tensor], now: Sequence[Tensor], count: Tensor | int) -> None:
        step = int(count) - 1  # the first update copies
        get_ema_multi_avg_fn(min(decay, (1 + step) / (10 + step)))(kept, now, count)

    averaged = AveragedModel(weights, multi_avg_fn=average, use_buffers=True)
    averaged.update_parameters(weights)
    return averaged


def parameter_groups(modules: Mapping[str, nn.Module], weight_decay: float) -> list[dict[str, object]]:
    """Weight decay for matrices and kernels; none for norms, biases, gates and embeddings."""
    named = Weights(modules).named_parameters()
    decayed: list[Tensor] = []
    rest: list[Tensor] = []
    for name, value in named:
        (decayed if value.ndim >= 2 and "embed" not in name else rest).append(value)
    groups = [{"params": decayed, "weight_decay": weight_decay}, {"params": rest, "weight_decay": 0.0}]
    return [group for group in groups if group["params"]]
