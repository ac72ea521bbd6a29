"""Schedulers by name: a fresh one for each call, with noise that the seeds fix."""

import pytest
import torch

from dataset_dm.diffusion import Backbone, SamplerConfig, sample
from dataset_dm.diffusion.schedulers import check_scheduler_name, fresh_scheduler, is_seedless, noise_schedule
from dataset_dm.errors import ConfigError


def test_a_scheduler_with_unseeded_noise_is_refused_by_name(backbone: Backbone) -> None:
    with pytest.raises(ConfigError, match="DPMSolverSDEScheduler draws noise .* takes no generator"):
        sample(backbone, ["a dog"], [1], SamplerConfig(scheduler="DPMSolverSDEScheduler"))


def test_seedless_schedulers_are_recognised_by_their_step() -> None:
    from diffusers import EulerAncestralDiscreteScheduler, HeunDiscreteScheduler

    class Restless(HeunDiscreteScheduler):
        def step(self, model_output, timestep, sample):
            return sample + torch.randn_like(sample)

    assert is_seedless(Restless)
    assert not is_seedless(HeunDiscreteScheduler)  # no noise at all
    assert not is_seedless(EulerAncestralDiscreteScheduler)  # noise, but seeded


def test_steps_that_a_scheduler_does_not_support(backbone: Backbone) -> None:
    if backbone.pipe.scheduler.config.timestep_spacing != "trailing":
        pytest.skip("this generator's schedule suits PNDM")
    with pytest.raises(ConfigError, match="PNDMScheduler does not work with 3 steps"):
        sample(backbone, ["a dog"], [1], SamplerConfig(steps=3, scheduler="PNDMScheduler"))


def test_a_fresh_scheduler_keeps_the_pipelines_noise_schedule(backbone: Backbone) -> None:
    own = backbone.pipe.scheduler
    same, other = fresh_scheduler(backbone.pipe, None, 3), fresh_scheduler(backbone.pipe, "DDIMScheduler", 3)
    assert same is not own and type(same) is type(own)
    assert type(other).__name__ == "DDIMScheduler" and len(other.timesteps) == 3
    assert torch.equal(other.betas, own.betas)


def test_an_unknown_name_gets_the_closest() -> None:
    check_scheduler_name("LCMScheduler")
    with pytest.raises(ConfigError, match="unknown scheduler 'DDIMSheduler'; did you mean 'DDIMScheduler'"):
        check_scheduler_name("DDIMSheduler")


def test_the_training_schedule_mixes_latents_and_noise_by_its_betas(backbone: Backbone) -> None:
    """x_t = sqrt(a) x_0 + sqrt(1 - a) noise, with a the product of 1 - beta up to t."""
    schedule = noise_schedule(backbone.pipe)
    kept = float((1 - schedule.betas[:101]).prod())
    noised = schedule.add_noise(torch.full((1, 1), 2.0), torch.full((1, 1), 3.0), torch.tensor([100]))
    assert float(noised) == pytest.approx(2 * kept**0.5 + 3 * (1 - kept) ** 0.5, rel=1e-5)
