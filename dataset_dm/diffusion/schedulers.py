"""Samplers by name: the pipeline's own scheduler, or another of diffusers built from its config."""

import inspect

import diffusers
from diffusers import DDPMScheduler, DiffusionPipeline, SchedulerMixin
from diffusers.schedulers import KarrasDiffusionSchedulers

from dataset_dm.diffusion.loading import quiet
from dataset_dm.errors import ConfigError, did_you_mean, reason_of

_FEW_STEPS = ("LCMScheduler", "TCDScheduler")  # made for distilled models; diffusers does not list them as compatible


def scheduler_names() -> tuple[str, ...]:
    """Scheduler classes that a UNet pipeline can be given by name."""
    return tuple(sorted({*(entry.name for entry in KarrasDiffusionSchedulers), *_FEW_STEPS}))


def check_scheduler_name(name: str) -> None:
    """Raises ConfigError unless diffusers has a UNet scheduler of that name."""
    if name not in scheduler_names():
        close = did_you_mean(name, scheduler_names()) or f"; known are {', '.join(scheduler_names())}"
        raise ConfigError(f"sampler: unknown scheduler {name!r}{close}")


def fresh_scheduler(pipe: DiffusionPipeline, name: str | None, steps: int) -> SchedulerMixin:
    """A new scheduler with the pipeline's noise schedule; `name` None means the pipeline's own class.

    New for every call, because schedulers keep state between steps. Its time steps are set once as a check.

    Raises:
        ConfigError: unknown, not buildable from this config, or with noise that no seed fixes.
    """
    if name is None or name == type(pipe.scheduler).__name__:
        kind = type(pipe.scheduler)
    else:
        check_scheduler_name(name)
        kind = getattr(diffusers, name)
    if is_seedless(kind):
        raise ConfigError(
            f"sampler: {kind.__name__} draws noise but its step takes no generator, so a seed would not fix the image; "
            "choose another, such as 'EulerAncestralDiscreteScheduler' or 'DPMSolverMultistepScheduler'"
        )
    try:
        with quiet():
            scheduler = kind.from_config(pipe.scheduler.config)
            scheduler.set_timesteps(steps)  # some refuse few steps, or this generator's schedule, only here
    except (ValueError, IndexError, NotImplementedError, ImportError, TypeError) as error:
        raise ConfigError(
            f"sampler: {kind.__name__} does not work with {steps} steps on this generator ({reason_of(error)}); "
            "choose another scheduler or number of steps"
        ) from error
    return scheduler


def is_seedless(kind: type) -> bool:
    """Whether this scheduler class adds noise in a `step` that takes no generator."""
    if kind.__name__ == "DPMSolverSDEScheduler":  # by name too: without its extra it is a stub that has no step
        return True
    step = getattr(kind, "step", None)
    if step is None or "generator" in inspect.signature(step).parameters:
        return False
    source = inspect.getsource(step)
    return "randn" in source or "noise_sampler" in source


def noise_schedule(pipe: DiffusionPipeline) -> DDPMScheduler:
    """The training-time noise schedule of the pipeline, independent of its own sampler.

    Its `add_noise` gives the UNet's training inputs; sigma-space samplers would need a further rescaling.
    """
    with quiet():
        return DDPMScheduler.from_config(pipe.scheduler.config)
