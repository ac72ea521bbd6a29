"""What is trained, averaged and decayed."""

import torch
from torch import nn

from dataset_dm.optimization.weights import Weights, moving_average, parameter_groups


def test_frozen_parameters_are_left_out_and_shared_ones_are_there_once() -> None:
    with torch.random.fork_rng():
        base, tied = nn.Linear(2, 2), nn.Linear(2, 2, bias=False)
    base.weight.requires_grad_(False)
    tied.weight = nn.Parameter(torch.ones(2, 2))
    weights = Weights({"base": base, "a": tied, "b": tied, "norm": nn.BatchNorm1d(2)})
    assert [name for name, _ in weights.named_parameters()] == ["base/bias", "a/weight", "norm/weight", "norm/bias"]
    assert [name for name, _ in weights.named_buffers()] == [
        "norm/running_mean", "norm/running_var", "norm/num_batches_tracked",
    ]  # fmt: skip
    weights.load({**weights.copy(), "a/weight": torch.zeros(2, 2)})
    assert not tied.weight.any(), "the modules' own memory"
    with weights.holding({**weights.copy(), "a/weight": torch.ones(2, 2)}):
        assert tied.weight.all()
    assert not tied.weight.any()


def test_the_average_by_hand() -> None:
    norm = nn.BatchNorm1d(1)
    weights = Weights({"norm": norm})
    averaged = moving_average(weights, 0.15)
    values = []
    for value in (2.0, 3.0):
        norm.running_mean.fill_(value)
        averaged.update_parameters(weights)
        values.append(averaged.module.state_dict()["norm/running_mean"].item())
    first = 0.1 * 0 + 0.9 * 2  # decay 1/10 at step 0
    second = 0.15 * first + 0.85 * 3  # 2/11 is above the decay asked for
    assert torch.tensor(values).allclose(torch.tensor([first, second]))


def test_matrices_decay_and_the_rest_does_not() -> None:
    with torch.random.fork_rng():
        net = nn.ModuleDict({"embedding": nn.Embedding(2, 2), "linear": nn.Linear(2, 2)})
    decayed, rest = parameter_groups({"net": net}, 0.3)
    assert [value is net["linear"].weight for value in decayed["params"]] == [True] and decayed["weight_decay"] == 0.3
    assert len(rest["params"]) == 2 and rest["weight_decay"] == 0
