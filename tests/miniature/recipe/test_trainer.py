"""The recipe's training loop: schedule by hand, exact resume, average."""

import math
from pathlib import Path

import pytest
import torch
from torch import nn

from dataset_dm.miniature.recipe.trainer import Schedule, Trainer


def trained(folder: Path, *stops: int | None) -> nn.Linear:
    """A small regression trained in as many calls as there are stops, each a fresh trainer that resumes."""
    net = nn.Linear(3, 1)
    for stop in stops:
        torch.manual_seed(5)
        net = nn.Linear(3, 1)
        trainer = Trainer(
            {"net": net}, Schedule(steps=8, batch=4, lr=0.1, warmup=2, save_every=100), folder, torch.device("cpu")
        )
        trainer.resume()

        def loss(step, net=net):
            x = torch.randn(4, 3, generator=step.generator)
            return (net(x) - x.sum(1, keepdim=True)).square().mean(), {}

        trainer.run(loss, stop_at=stop)
    return net


def test_resumed_training_takes_the_same_steps_as_one_in_one_go(tmp_path):
    straight = trained(tmp_path / "straight", None)
    resumed = trained(tmp_path / "resumed", 2, 5, None)
    assert torch.equal(straight.weight, resumed.weight)
    assert torch.equal(straight.bias, resumed.bias)


def test_learning_rate_by_hand():
    schedule = Schedule(steps=100, batch=1, lr=1.0, warmup=10)
    assert schedule.rate(0, 0.0) == pytest.approx(0.1)
    assert schedule.rate(50, 0.5) == pytest.approx(0.51)
    assert schedule.rate(99, 1.0) == pytest.approx(0.02)


def test_a_schedule_in_seconds_ends_by_the_clock(tmp_path):
    net = nn.Linear(1, 1)
    schedule = Schedule(steps=10**9, batch=1, lr=0.1, seconds=0.2)
    trainer = Trainer({"net": net}, schedule, tmp_path, torch.device("cpu"))
    trainer.run(lambda step: (net.weight.square().sum(), {}))
    assert trainer.progress >= 1
    assert 0 < trainer.step < 10**6


def test_average_follows_the_weights_with_a_short_memory_at_first(tmp_path):
    net = nn.Linear(1, 1, bias=False)
    with torch.no_grad():
        net.weight.fill_(1.0)
    schedule = Schedule(steps=1, batch=1, lr=0.1, warmup=1, weight_decay=0.0)
    trainer = Trainer({"net": net}, schedule, tmp_path, torch.device("cpu"))
    trainer.run(lambda step: (net.weight.square().sum(), {}))
    moved = net.weight.item()  # Adam's first step is the learning rate, whatever the gradient
    assert moved == pytest.approx(0.9, abs=1e-3)
    trainer.load_average()
    assert net.weight.item() == pytest.approx(0.1 * 1.0 + 0.9 * moved, abs=1e-4)
    assert math.isfinite(net.weight.item())
