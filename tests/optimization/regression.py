"""A small regression to train."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from dataset_dm.optimization.config import LoopConfig
from dataset_dm.optimization.loop import Loop


def settings(**more: object) -> LoopConfig:
    plain = {"steps": 4, "batch": 4, "learning_rate": 0.1, "warmup": 2, "evaluate_every": 2, "ema_decay": 0.9}
    return LoopConfig(**{**plain, **more})


def network() -> nn.Sequential:
    """With dropout, which draws from torch's global generator, and a batch norm, which has buffers."""
    with torch.random.fork_rng():
        torch.manual_seed(5)
        return nn.Sequential(nn.Linear(3, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Dropout(0.5), nn.Linear(8, 1))


def linear(inputs: int) -> nn.Linear:
    """Weights of 1, no bias."""
    with torch.random.fork_rng():
        net = nn.Linear(inputs, 1, bias=False)
    with torch.no_grad():
        net.weight.fill_(1.0)
    return net


def batches(config: LoopConfig) -> Callable[[int], Tensor]:
    """Rows index · batch … of an endless table."""

    def row(number: int) -> Tensor:
        return torch.randn(3, generator=torch.Generator().manual_seed(number))

    return lambda index: torch.stack([row(index * config.batch + i) for i in range(config.batch)])


def regression(net: nn.Module, config: LoopConfig, **more: object) -> Loop:
    def loss(x: Tensor, generator: torch.Generator) -> dict[str, Tensor]:
        noise = 0.1 * torch.randn(len(x), 1, generator=generator)
        squared = (net(x) - x.sum(1, keepdim=True) - noise).square().mean()
        return {"loss": squared, "squared": squared.detach()}

    return Loop(modules={"net": net}, config=config, batch_at=batches(config), loss=loss, **more)


def equal(one: nn.Module, other: nn.Module) -> bool:
    pairs = zip(one.state_dict().values(), other.state_dict().values(), strict=True)
    return all(torch.equal(a, b) for a, b in pairs)
