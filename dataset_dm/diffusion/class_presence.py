"""Is a class in the picture at all? Whether naming it helps the generator to denoise the picture.

Attention shows where a class is looked for, not whether it is there: on Miniature no measure of it tells classes that
are in a picture from others that were asked for (area under the ROC curve 0.74 at best). Denoising does: the noised
latents are predicted with no text and with "a photo of a {class}" for every class that was asked for, and the share of
each class's change that the true target bears out is fitted by least squares, all classes at once, so that a cat does
not pass for a dog. In theory 1 where the class is there and 0 where it is not. After the diffusion classifier of Li et
al. 2023, as the contrast maps are, but a number a class, for classes that were asked for alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from einops import rearrange
from torch import Tensor

from dataset_dm.diffusion.attention import Attention, ClassPrompt, class_prompt, record
from dataset_dm.diffusion.backbone import Backbone
from dataset_dm.diffusion.class_contrast import NAMED
from dataset_dm.diffusion.class_contrast import prediction_target as prediction_target
from dataset_dm.diffusion.families import Conditioning
from dataset_dm.diffusion.features import check_timestep
from dataset_dm.diffusion.noise import draw_noise
from dataset_dm.diffusion.schedulers import noise_schedule
from dataset_dm.errors import ConfigError, explain

# Of a class's own size: classes that say nearly the same share what they explain instead of fighting over it.
RIDGE = 0.1


@dataclass(frozen=True)
class Evidence:
    """What attention labels are made of, for b pictures.

    Args:
        attention: where each class is looked for.
        explained: of each picture, for every class asked for, the share of what naming it changes that is right:
            float32 [k], about 0 for absent classes and 1 for present ones, not bounded.
    """

    attention: Attention
    explained: tuple[Tensor, ...]


@dataclass(frozen=True)
class Pass:
    """A noise level: latents noised to it, the true target and what the UNet says with no class named, [b c h w]."""

    timestep: int
    noised: Tensor
    target: Tensor
    plain: Tensor


def read_evidence(
    backbone: Backbone,
    latents: Tensor,
    asked: Sequence[Sequence[str]],
    seeds: Sequence[int],
    *,
    timesteps: Sequence[int],
    together: bool = True,
) -> Evidence:
    """Attention and presence of the classes asked for: 1 + (their number) passes a picture and timestep.

    The passes are told nothing but a class at a time, so a prompt that the picture does not follow misleads nobody.

    Args:
        latents: clean latents [b c h w].
        asked: the class words of each picture, at least one.
        seeds: b sample seeds; the noise is the labelling pass's own.
        timesteps: noise levels of the passes.
        together: whether a picture's classes are in one text, see `class_prompt`.

    Raises:
        ConfigError: unequal counts, a picture of which nothing is asked, a noise level that the schedule lacks.
    """
    if len(asked) != len(latents) or not all(asked):
        expected = f"at least one class for each of the {len(latents)} pictures"
        raise ConfigError(explain("classes asked for", got=asked, expected=expected))
    prompts = {words: class_prompt(backbone, words, together=together) for words in map(tuple, asked)}
    attention, passes = read_attention(
        backbone, latents, [prompts[tuple(words)] for words in asked], seeds, timesteps=timesteps
    )
    return Evidence(attention, explained(backbone, passes, asked))


@torch.no_grad()
def read_attention(
    backbone: Backbone,
    latents: Tensor,
    prompts: Sequence[ClassPrompt],
    seeds: Sequence[int],
    *,
    timesteps: Sequence[int],
    told: Sequence[str] | None = None,
) -> tuple[Attention, list[Pass]]:
    """One pass a timestep, recorded.

    Args:
        latents, seeds, timesteps: as for `read_evidence`.
        prompts: b class prompts.
        told: the texts that the passes are told; None tells nothing.
    """
    latents = latents.to(device=backbone.device, dtype=backbone.dtype)
    size = (latents.shape[-2] * backbone.vae_stride, latents.shape[-1] * backbone.vae_stride)
    schedule, noise = noise_schedule(backbone.pipe), draw_noise(latents, seeds)
    text = _encode(backbone, [""] * len(latents) if told is None else told)
    passes = []
    with record(backbone, prompts, size) as attention:
        for timestep in timesteps:
            at = torch.full((len(latents),), check_timestep(backbone, timestep), device=latents.device)
            noised = schedule.add_noise(latents, noise, at)
            plain = _predict(backbone, noised, timestep, text)
            passes.append(Pass(timestep, noised, prediction_target(schedule, latents, noise, at), plain))
    return attention, passes


@torch.no_grad()
def explained(backbone: Backbone, passes: Sequence[Pass], asked: Sequence[Sequence[str]]) -> tuple[Tensor, ...]:
    """What naming each class explains, fitted over all passes; see `Evidence`."""
    counts = [len(words) for words in asked]
    owners = [row for row, count in enumerate(counts) for _ in range(count)]
    texts = [NAMED.format(word) for words in asked for word in words]
    grams: list[Tensor] = [torch.zeros(count, count, device=backbone.device) for count in counts]
    borne: list[Tensor] = [torch.zeros(count, device=backbone.device) for count in counts]
    for one in passes:
        wrong = rearrange(one.target.float() - one.plain.float(), "b c h w -> b (c h w)")
        changes = []
        for start in range(0, len(owners), len(counts)):  # never more at once than pictures
            rows, said = owners[start : start + len(counts)], texts[start : start + len(counts)]
            named = _predict(backbone, one.noised[rows], one.timestep, _encode(backbone, said))
            changes += [*rearrange(named.float() - one.plain[rows].float(), "b c h w -> b (c h w)")]
        for row, change in enumerate(torch.stack(changes).split(counts)):
            weight = change.square().sum(dim=1).mean().clamp_min(1e-12)  # noise levels count alike
            grams[row] += change @ change.T / weight
            borne[row] += change @ wrong[row] / weight
    return tuple(
        torch.linalg.solve(gram + torch.diag(RIDGE * gram.diag() + 1e-6), right)
        for gram, right in zip(grams, borne, strict=True)
    )


def _predict(backbone: Backbone, noised: Tensor, timestep: int, text: Conditioning) -> Tensor:
    size = (noised.shape[-2] * backbone.vae_stride, noised.shape[-1] * backbone.vae_stride)
    return backbone.pipe.unet(noised, timestep, **backbone.family.unet_arguments(text, size), return_dict=False)[0]


def _encode(backbone: Backbone, texts: Sequence[str]) -> Conditioning:
    """Each text by itself: in a batch its rounding would depend on the others."""
    alone = {text: backbone.family.encode([text]) for text in texts}
    states = torch.cat([alone[text].states for text in texts])
    pooled = [alone[text].pooled for text in texts]
    return Conditioning(states, None if pooled[0] is None else torch.cat(pooled))
