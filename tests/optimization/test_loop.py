"""The training loop on a small regression: every value is worked out by hand or compared with a plain run."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from accelerate.state import AcceleratorState, GradientState, PartialState
from safetensors.torch import load_file
from torch import nn

from dataset_dm.errors import ConfigError, DivergedError
from dataset_dm.optimization.config import LoopConfig
from dataset_dm.optimization.interruptions import Interrupted
from dataset_dm.optimization.loop import Loop
from tests.optimization.regression import batches, equal, linear, network, regression, settings


@pytest.fixture(autouse=True)
def global_generator_is_untouched() -> Iterator[None]:
    before = torch.get_rng_state()
    yield
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize("config", [settings(), settings(accumulate=2), settings(precision="bf16")], ids=str)
def test_two_steps_then_resume_to_four_equals_straight_four(tmp_path: Path, config: LoopConfig) -> None:
    nets = network(), network(), network()
    straight = regression(nets[0], config, folder=tmp_path / "straight").run()
    regression(nets[1], config, folder=tmp_path / "resumed").run(stop_at=2)
    resumed = regression(nets[2], config, folder=tmp_path / "resumed").run(resume=True)
    assert equal(nets[0], nets[2]) and not equal(nets[0], nets[1])
    assert straight.step == resumed.step == 4 and straight.history == resumed.history
    assert [entry["step"] for entry in straight.history] == [2, 4] and not nets[0].training
    files = [sorted(file.name for file in (tmp_path / each).iterdir()) for each in ("straight", "resumed")]
    assert files[0] == files[1] == ["00000004.state.safetensors", "state.json"]
    states = [load_file(tmp_path / each / files[0][0]) for each in ("straight", "resumed")]
    assert all(torch.equal(states[0][name], states[1][name]) for name in states[0])


def test_a_resume_at_every_step_is_the_same_training(tmp_path: Path) -> None:
    straight, config = network(), settings(evaluate_every=3)
    regression(straight, config).run()
    for stop in (1, 2, 3, None):
        net = network()
        regression(net, config, folder=tmp_path).run(resume=stop != 1, stop_at=stop)
    assert equal(straight, net)


def test_accumulated_micro_batches_equal_one_larger_batch() -> None:
    nets = linear(3), linear(3)
    for net, (batch, accumulate) in zip(nets, ((4, 1), (2, 2)), strict=True):
        config = settings(batch=batch, accumulate=accumulate)
        at = batches(config)
        loss = lambda x, _, net=net: {"loss": (net(x) - 2 * x.sum(1, keepdim=True)).square().mean()}  # noqa: E731
        Loop(modules={"net": net}, config=config, batch_at=at, loss=loss).run()
    assert torch.allclose(nets[0].weight, nets[1].weight, atol=1e-6) and nets[0].weight[0, 0] != 1


@pytest.fixture
def one() -> nn.Linear:
    """A single weight of 1."""
    return linear(1)


def shrink(net: nn.Linear, **more: object) -> Loop:
    plain = {"steps": 1, "warmup": 0, "schedule": "constant", "weight_decay": 0.0, "evaluate_every": 1}
    config = settings(**{**plain, **more.pop("config", {})})
    loss = lambda _, generator: {"loss": net.weight.square().sum()}  # noqa: E731
    return Loop(modules={"net": net}, config=config, batch_at=lambda index: index, loss=loss, **more)


def test_the_average_is_kept_and_has_a_short_memory_at_first(one: nn.Linear) -> None:
    shrink(one).run()
    # Adam's first step is the learning rate, whatever the gradient: 1 → 0.9; the average forgets nine tenths of the 1
    assert one.weight.item() == pytest.approx(0.1 * 1.0 + 0.9 * 0.9, abs=1e-5)


def test_without_an_average_the_last_weights_are_kept(one: nn.Linear) -> None:
    shrink(one, config={"ema_decay": 0}).run()
    assert one.weight.item() == pytest.approx(0.9, abs=1e-5)


def test_the_evaluation_sees_the_average_and_the_best_is_kept(one: nn.Linear) -> None:
    scores, seen = iter([0.5, 0.9, 0.1]), []

    def evaluate() -> dict[str, float]:
        assert not one.training
        seen.append(one.weight.item())
        return {"score": next(scores)}

    progress = shrink(one, evaluate=evaluate, config={"steps": 3}).run()
    assert (progress.best, progress.best_step, progress.evals_since_best) == (0.9, 2, 1)
    assert one.weight.item() == seen[1] and seen[0] == pytest.approx(0.91, abs=1e-5)
    assert [entry["score"] for entry in progress.history] == [0.5, 0.9, 0.1]


def test_the_mean_of_the_last_scores_chooses(one: nn.Linear) -> None:
    scores = iter([0.2, 0.8, 0.6, 0.1])
    evaluate = lambda: {"score": next(scores)}  # noqa: E731
    progress = shrink(one, evaluate=evaluate, config={"steps": 4, "score_window": 2}).run()
    assert progress.best_step == 3 and progress.best == pytest.approx(0.7)  # means 0.2, 0.5, 0.7, 0.35


def test_evaluations_without_a_better_score_end_the_training(one: nn.Linear) -> None:
    scores = iter([0.5, 0.4, 0.3, 0.9])
    config = {"steps": 4, "early_stop_evals": 2}
    progress = shrink(one, evaluate=lambda: {"score": next(scores)}, config=config).run()
    assert progress.step == 3 and progress.evals_since_best == 2


def test_gradients_are_clipped(one: nn.Linear) -> None:
    norms = []
    net = one
    loop = shrink(net, config={"max_grad_norm": 0.5}, on_step=lambda progress: norms.append(net.weight.grad.item()))
    loop.run()
    assert norms == [pytest.approx(0.5, abs=1e-4)]  # the gradient of w² at 1 is 2


def test_groups_have_their_own_rates_and_frozen_weights_stay() -> None:
    net = nn.Sequential(*(linear(1) for _ in range(3)))
    net[2].requires_grad_(False)
    groups = [{"params": [net[0].weight], "lr": 0.2}, {"params": [net[1].weight]}]
    config = LoopConfig(steps=1, warmup=0, schedule="constant", weight_decay=0, learning_rate=0.1, ema_decay=0)
    loss = lambda x, generator: {"loss": sum(layer.weight.sum() for layer in net)}  # noqa: E731
    Loop(modules={"net": net}, config=config, batch_at=lambda index: index, loss=loss, groups=groups).run()
    assert [layer.weight.item() for layer in net] == [pytest.approx(0.8), pytest.approx(0.9), 1.0]


def test_not_a_number_ends_the_training_with_the_step_before(tmp_path: Path) -> None:
    nets = network(), network()
    config = settings(ema_decay=0)
    regression(nets[0], config, folder=tmp_path / "good").run(stop_at=2)
    loop = regression(nets[1], config, folder=tmp_path / "bad")
    spoilt = lambda index: loop.batch_at(index) * (float("nan") if index == 2 else 1)  # noqa: E731
    bad = Loop(**{**vars(loop), "batch_at": spoilt})
    with pytest.raises(DivergedError, match=r"loss nan or its gradients .* in step 3; the state after step 2 is kept"):
        bad.run()
    states = [load_file(tmp_path / each / "00000002.state.safetensors") for each in ("good", "bad")]
    assert all(torch.equal(states[0][name], states[1][name]) for name in states[0]), "batch norm's buffers too"
    assert all(torch.isfinite(value).all() for value in nets[1].state_dict().values())


def test_ctrl_c_ends_the_step_and_saves(tmp_path: Path) -> None:
    straight, net = network(), network()
    regression(straight, settings()).run()

    def press(progress: object) -> None:
        os.kill(os.getpid(), signal.SIGINT)

    handler = signal.getsignal(signal.SIGINT)
    with pytest.raises(Interrupted) as caught:
        regression(net, settings(), folder=tmp_path, on_step=press).run()
    assert caught.value.step == 1 and signal.getsignal(signal.SIGINT) is handler
    regression(net, settings(), folder=tmp_path).run(resume=True)
    assert equal(straight, net)


def test_trainings_of_different_precision_leave_accelerate_as_it_was() -> None:
    kinds = (PartialState, AcceleratorState, GradientState)
    before = [dict(kind._shared_state) for kind in kinds]
    for precision in ("fp32", "bf16", "fp32"):
        net = network()
        regression(net, settings(precision=precision)).run()
        assert all(value.dtype == torch.float32 for value in net.parameters())
    assert [dict(kind._shared_state) for kind in kinds] == before
    with pytest.raises(ConfigError, match="precision: got 'fp16', expected fp32 or bf16 on a CPU"):
        regression(network(), settings(precision="fp16")).run()


def test_a_training_by_the_clock_ends_by_it(one: nn.Linear) -> None:
    progress = shrink(one, config={"steps": 10**9, "seconds": 0.2, "evaluate_every": 0}).run()
    assert progress.seconds >= 0.2 and 0 < progress.step < 10**6
