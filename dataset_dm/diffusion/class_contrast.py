"""Contrast evidence: where naming a class lowers the denoising error, for unprompted reading.

A prompted reading names the classes to look for. An unprompted one (a real photo, a prompt without a class) names none,
and the generator's maps then hold little about classes. Contrast evidence adds it: the same noised latents are denoised
once without text and once with "a photo of a {class}" for every class of the list, and the reduction of the error is
measured cell by cell. All classes are tried in every image, so that the list gives no label away. After the diffusion
classifier of Li et al., "Your Diffusion Model is Secretly a Zero-Shot Classifier", 2023, which compares whole images;
here the gain is kept as a map.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from diffusers import DDPMScheduler
from einops import reduce
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import functional

from dataset_dm.diffusion.backbone import Backbone
from dataset_dm.diffusion.class_text import ClassText
from dataset_dm.diffusion.noise import draw_noise
from dataset_dm.diffusion.schedulers import noise_schedule
from dataset_dm.diffusion.taps import TapRequest, tap
from dataset_dm.errors import GeneratorError, explain
from dataset_dm.hypercolumns import CONTRAST_MAPS, gather_attention

NAMED = "a photo of a {}"
NEIGHBOURHOOD = 5  # cells; one cell's gain is mostly noise


@torch.no_grad()
def read_contrast(
    backbone: Backbone,
    latents: Float[Tensor, "b c h w"],
    class_text: ClassText,
    timesteps: Sequence[int],
    seeds: Sequence[int],
    attention: Sequence[str] = (),
) -> Float[Tensor, "b k m h w"]:
    """Contrast maps of every class, by (1 + k) UNet passes for each timestep.

    Args:
        latents: clean latents.
        class_text: the k classes.
        timesteps: noise levels of the passes.
        seeds: b sample seeds; the noise is that of the labelling pass.
        attention: cross-attention layers whose evidence of a class is kept from the pass that names it.

    Returns:
        float32; for each timestep CONTRAST_MAPS + one for each layer: signed roots of the gain (error without the name
        less error with it) of the cell, its neighbourhood and the whole image, the root of the change of the
        prediction, then the attention, mean of the layer's heads.
    """
    latents = latents.to(device=backbone.device, dtype=backbone.dtype)
    schedule = noise_schedule(backbone.pipe)
    noise = draw_noise(latents, seeds)
    texts = ["", *(NAMED.format(name) for name in class_text.names)]
    plain, *named = [backbone.family.encode([text]).repeated(len(latents)) for text in texts]
    found = []
    for timestep in timesteps:
        at = torch.full((len(latents),), timestep, device=latents.device)
        noised, target = schedule.add_noise(latents, noise, at), prediction_target(schedule, latents, noise, at)
        first = backbone.predict(noised, timestep, plain)
        before, maps = _error(first, target), []
        for position, text in enumerate(named):
            with tap(backbone, TapRequest(class_text=class_text.select([position]), attention=attention)) as taps:
                other = backbone.predict(noised, timestep, text)
            maps.append(_maps(before - _error(other, target), _error(other, first)))
            if attention:
                # heads averaged: on objects as good as every head apart, at a fraction of the memory
                layers = gather_attention([taps.evidence[name].mean(2, keepdim=True) for name in attention])[:, 0]
                attended = functional.interpolate(layers, maps[-1].shape[-2:], mode="bilinear")
                maps[-1] = torch.cat([maps[-1], attended], dim=1)
        found.append(torch.stack(maps, dim=1))
    return torch.cat(found, dim=2)


def _error(one: Tensor, other: Tensor) -> Tensor:
    """Mean squared difference of each cell, float32 [b h w]."""
    return reduce((one.float() - other.float()).square(), "b c h w -> b h w", "mean")


def _maps(gain: Tensor, change: Tensor) -> Tensor:
    """[b h w] each → the CONTRAST_MAPS maps of one class and timestep [b m h w]."""
    margin = NEIGHBOURHOOD // 2
    around = functional.avg_pool2d(
        functional.pad(gain[:, None], (margin,) * 4, mode="replicate"), NEIGHBOURHOOD, stride=1
    )[:, 0]
    whole = gain.mean(dim=(-2, -1), keepdim=True).expand_as(gain)
    maps = torch.stack([gain, around, whole, change], dim=1)
    assert maps.shape[1] == CONTRAST_MAPS
    return maps.sign() * maps.abs().sqrt()


def prediction_target(
    schedule: DDPMScheduler,
    latents: Float[Tensor, "b c h w"],
    noise: Float[Tensor, "b c h w"],
    timesteps: Int[Tensor, " b"],
) -> Float[Tensor, "b c h w"]:
    """The UNet's training target: the noise, the velocity or the latents, as the schedule's `prediction_type` says."""
    kind = schedule.config.prediction_type
    if kind == "epsilon":
        return noise
    if kind == "v_prediction":
        return schedule.get_velocity(latents, noise, timesteps)
    if kind == "sample":
        return latents
    raise GeneratorError(explain("prediction_type", got=kind, expected="epsilon, v_prediction or sample"))
