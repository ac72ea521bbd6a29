"""Sampling images by the diffusers pipeline's own call, with one seed for each sample."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any

import torch
from einops import rearrange
from jaxtyping import Float, UInt8
from torch import Tensor

from dataset_dm.checks import check_int, check_keys, check_number
from dataset_dm.diffusion.backbone import Backbone
from dataset_dm.diffusion.loading import quiet
from dataset_dm.diffusion.schedulers import check_scheduler_name, fresh_scheduler
from dataset_dm.diffusion.taps import TapRequest, tap
from dataset_dm.errors import ConfigError, explain

_HIGHEST_SEED = 2**63 - 1


@dataclass(frozen=True, kw_only=True)
class SamplerConfig:
    """Settings of the sampler.

    Args:
        steps: denoising steps, at least 1.
        guidance: classifier-free guidance scale; 1 or less, or None, is no guidance.
        scheduler: a scheduler class of diffusers by name; None keeps the pipeline's own.

    Raises:
        ConfigError: a value of a wrong type or out of range, an unknown scheduler.
    """

    steps: int = 30
    guidance: float | None = 7.5
    scheduler: str | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "steps", check_int("sampler: steps", self.steps, 1))
        if self.guidance is not None:
            check_number("sampler: guidance", self.guidance, 0, expected="a number from 0 on, or None")
        if self.scheduler is not None:
            if not isinstance(self.scheduler, str):
                raise ConfigError(
                    explain("sampler: scheduler", got=self.scheduler, expected="a class name of diffusers")
                )
            check_scheduler_name(self.scheduler)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any], default: SamplerConfig | None = None) -> SamplerConfig:
        """`default` (or the class's defaults) with some values replaced; ConfigError for unknown keys."""
        check_keys("SamplerConfig", values, [entry.name for entry in fields(cls)])
        return replace(default or cls(), **values)

    def to_dict(self) -> dict[str, Any]:
        """A JSON-ready dict; :meth:`from_dict` reads it back."""
        return asdict(self)


@dataclass(frozen=True)
class Samples:
    """One batch of generated images.

    Args:
        images: RGB, on the CPU.
        latents: final latents as the pipeline's VAE step receives them, on the CPU, in its float type.
        unsafe: flags of the pipeline's own safety checker (such an image is black); all False without one.
        levels: tapped levels by name, float32, on the model's device; empty without taps.
        class_attention: class evidence of the last step, or None.
    """

    images: UInt8[Tensor, "b H W 3"]
    latents: Float[Tensor, "b c h w"]
    unsafe: list[bool]
    levels: dict[str, Float[Tensor, "b _ _ _"]] = field(default_factory=dict)
    class_attention: Float[Tensor, "b k a _ _"] | None = None


def default_sampler(backbone: Backbone) -> SamplerConfig:
    """The generator's own default, as a plan has it: see `models.generators.PipelineFacts.sampler`."""
    return SamplerConfig.from_dict(backbone.facts.sampler)


def sample(
    backbone: Backbone,
    prompts: Sequence[str],
    seeds: Sequence[int],
    sampler: SamplerConfig | None = None,
    size: tuple[int, int] | None = None,
    taps: TapRequest | None = None,
) -> Samples:
    """One image for each prompt, generated in one batch by the pipeline's own call.

    Args:
        backbone: the model.
        prompts: b texts; one over the tokenizer's length warns once.
        seeds: b whole numbers from 0 to 2^63 − 1; each fixes its own image, independent of the rest of the batch.
        sampler: steps, guidance, scheduler; None takes :func:`default_sampler`.
        size: (H, W), multiples of `backbone.size_multiple`; None takes the native size.
        taps: maps to record: levels of the VAE's decoder, and of the UNet's last step (its conditional half).

    Raises:
        ConfigError: unequal numbers of prompts and seeds, a bad seed, size or scheduler.

    Example:
        >>> sample(backbone, ["a red car"], seeds=[7]).images.shape  # doctest: +SKIP
    """
    sampler = sampler or default_sampler(backbone)
    height, width = backbone.native_size if size is None else backbone.check_size(size)
    generators = _generators(prompts, seeds)
    backbone.warn_long_prompts(prompts)
    latest: dict[str, Tensor] = {}

    def keep(pipe: Any, step: int, timestep: Any, values: dict[str, Tensor]) -> dict[str, Tensor]:
        latest["latents"] = values["latents"]
        return {}

    reading = nullcontext() if taps is None else tap(backbone, replace(taps, samples=len(prompts)))
    with quiet(), _scheduler(backbone, sampler), reading as read:
        output = backbone.pipe(
            prompt=list(prompts),
            height=height,
            width=width,
            num_inference_steps=sampler.steps,
            guidance_scale=1.0 if sampler.guidance is None else float(sampler.guidance),
            generator=generators,
            output_type="pt",
            callback_on_step_end=keep,
        )
    flags = getattr(output, "nsfw_content_detected", None)
    return Samples(
        images=to_uint8(output.images),
        latents=latest["latents"].detach().cpu(),
        unsafe=[bool(flag) for flag in flags] if flags else [False] * len(prompts),
        levels={} if read is None else read.levels,
        class_attention=None if read is None else read.class_attention,
    )


def to_uint8(images: Float[Tensor, "b 3 h w"]) -> UInt8[Tensor, "b h w 3"]:
    """Images in [0, 1] as uint8 on the CPU, rounded as diffusers rounds for PIL."""
    return rearrange((images.float() * 255).round().to(torch.uint8), "b c h w -> b h w c").cpu().contiguous()


def _generators(prompts: Sequence[str], seeds: Sequence[int]) -> list[torch.Generator]:
    if isinstance(prompts, str) or not prompts or not all(isinstance(prompt, str) for prompt in prompts):
        raise ConfigError(explain("prompts", got=prompts, expected="a list of at least one text"))
    if len(prompts) != len(seeds):
        raise ConfigError(explain("seeds", got=len(seeds), expected=f"one for each of the {len(prompts)} prompts"))
    # on the CPU for every device: equal seeds give equal noise everywhere
    return [torch.Generator("cpu").manual_seed(check_int("seed", seed, 0, _HIGHEST_SEED)) for seed in seeds]


@contextmanager
def _scheduler(backbone: Backbone, sampler: SamplerConfig) -> Iterator[None]:
    """Gives the pipeline a fresh scheduler inside the block."""
    before = backbone.pipe.scheduler
    backbone.pipe.scheduler = fresh_scheduler(backbone.pipe, sampler.scheduler, sampler.steps)
    try:
        yield
    finally:
        backbone.pipe.scheduler = before
