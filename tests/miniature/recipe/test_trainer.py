"""The recipe's training: exact resume, and states of earlier versions."""

from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from dataset_dm.errors import ConfigError
from dataset_dm.miniature.recipe.trainer import train
from dataset_dm.optimization.config import LoopConfig


def trained(folder: Path, *steps: int) -> nn.Linear:
    """A small regression trained in as many calls as there are numbers of steps; each resumes the one before."""
    for count in steps:
        with torch.random.fork_rng():
            torch.manual_seed(5)
            net = nn.Linear(3, 1)

        def loss(index: int, generator: torch.Generator, net: nn.Linear = net) -> dict[str, Tensor]:
            x = torch.randn(4, 3, generator=generator)
            return {"loss": (net(x) - x.sum(1, keepdim=True)).square().mean()}

        config = LoopConfig(steps=count, learning_rate=0.1, warmup=2, schedule="constant_with_warmup")
        train({"net": net}, loss, config, folder)
    return net


def test_a_stage_that_is_called_again_goes_on(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    straight = trained(tmp_path / "straight", 8)
    resumed = trained(tmp_path / "resumed", 2, 5, 8)
    assert torch.equal(straight.weight, resumed.weight) and torch.equal(straight.bias, resumed.bias)
    assert "straight step 8 (100%)  loss " in capsys.readouterr().out


def test_a_state_of_an_earlier_version_is_refused(tmp_path: Path) -> None:
    (tmp_path / "state.safetensors").write_bytes(b"")
    with pytest.raises(ConfigError, match="state.safetensors was written by an earlier version; remove it"):
        trained(tmp_path, 1)
