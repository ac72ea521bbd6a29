"""Presence of a class in an image, by how much naming it improves the denoising.

Attention shows where a class would be, not whether it is present: on Miniature no measure of it separates present
classes from absent ones among those requested (area under the ROC curve 0.74 at best). Denoising does: the noised
latents are predicted without text and with "a photo of a {class}" for every requested class, and the share of each
class's change that agrees with the true target is fitted by least squares, all classes at once, so that similar classes
are told apart. In theory it is 1 for a present class and 0 for an absent one. After the diffusion classifier of Li et
al. 2023, like the contrast maps, but one number for each class, and for requested classes only.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from einops import rearrange
from jaxtyping import Float
from torch import Tensor

from dataset_dm.diffusion.attention import Attention, ClassPrompt, class_prompt, record
from dataset_dm.diffusion.backbone import Backbone
from dataset_dm.diffusion.class_contrast import NAMED, prediction_target
from dataset_dm.diffusion.families import Conditioning
from dataset_dm.diffusion.features import check_timestep
from dataset_dm.diffusion.noise import draw_noise
from dataset_dm.diffusion.schedulers import noise_schedule
from dataset_dm.errors import ConfigError, explain

# Relative to a class's own change: classes with nearly equal changes share what they explain.
RIDGE = 0.1


@dataclass(frozen=True)
class Evidence:
    """Attention and presence of b images.

    Args:
        attention: class maps and cell affinities.
        explained: of each image, for every requested class, the share of the change by naming it that is right:
            float32 [k], about 0 for absent classes and 1 for present ones, not bounded.
    """

    attention: Attention
    explained: tuple[Float[Tensor, " _"], ...]


@dataclass(frozen=True)
class Pass:
    """One noise level: latents noised to it, the true target, and the UNet's prediction without a class."""

    timestep: int
    noised: Float[Tensor, "b c h w"]
    target: Float[Tensor, "b c h w"]
    plain: Float[Tensor, "b c h w"]


def read_evidence(
    backbone: Backbone,
    latents: Float[Tensor, "b c h w"],
    classes: Sequence[Sequence[str]],
    seeds: Sequence[int],
    *,
    timesteps: Sequence[int],
    together: bool = True,
) -> Evidence:
    """Attention and presence of the requested classes, by 1 + (their number) passes for each image and timestep.

    The passes do not read the image's prompt, so that an image that does not follow its prompt is read correctly.

    Args:
        latents: clean latents.
        classes: the class words of each image, at least one.
        seeds: b sample seeds; the noise is that of the labelling pass.
        timesteps: noise levels of the passes.
        together: whether an image's classes are in one text, see `class_prompt`.

    Raises:
        ConfigError: unequal counts, an image without classes, a noise level that the schedule lacks.
    """
    if len(classes) != len(latents) or not all(classes):
        expected = f"at least one class for each of the {len(latents)} images"
        raise ConfigError(explain("classes asked for", got=classes, expected=expected))
    prompts = {words: class_prompt(backbone, words, together=together) for words in map(tuple, classes)}
    attention, passes = read_attention(
        backbone, latents, [prompts[tuple(words)] for words in classes], seeds, timesteps=timesteps
    )
    return Evidence(attention, explained(backbone, passes, classes))


@torch.no_grad()
def read_attention(
    backbone: Backbone,
    latents: Float[Tensor, "b c h w"],
    prompts: Sequence[ClassPrompt],
    seeds: Sequence[int],
    *,
    timesteps: Sequence[int],
    texts: Sequence[str] | None = None,
) -> tuple[Attention, list[Pass]]:
    """One recorded pass for each timestep.

    Args:
        latents, seeds, timesteps: as for `read_evidence`.
        prompts: b class prompts.
        texts: b prompts of the passes; None: unprompted.
    """
    latents = latents.to(device=backbone.device, dtype=backbone.dtype)
    size = (latents.shape[-2] * backbone.vae_stride, latents.shape[-1] * backbone.vae_stride)
    schedule, noise = noise_schedule(backbone.pipe), draw_noise(latents, seeds)
    text = _encode(backbone, [""] * len(latents) if texts is None else texts)
    passes = []
    with record(backbone, prompts, size) as attention:
        for timestep in timesteps:
            at = torch.full((len(latents),), check_timestep(backbone, timestep), device=latents.device)
            noised = schedule.add_noise(latents, noise, at)
            plain = backbone.predict(noised, timestep, text)
            passes.append(Pass(timestep, noised, prediction_target(schedule, latents, noise, at), plain))
    return attention, passes


@torch.no_grad()
def explained(
    backbone: Backbone, passes: Sequence[Pass], classes: Sequence[Sequence[str]]
) -> tuple[Float[Tensor, " _"], ...]:
    """`Evidence.explained` of each image's classes, fitted over all passes."""
    counts = [len(words) for words in classes]
    owners = [row for row, count in enumerate(counts) for _ in range(count)]
    texts = [NAMED.format(word) for words in classes for word in words]
    grams: list[Tensor] = [torch.zeros(count, count, device=backbone.device) for count in counts]
    agreed: list[Tensor] = [torch.zeros(count, device=backbone.device) for count in counts]
    for one in passes:
        wrong = rearrange(one.target.float() - one.plain.float(), "b c h w -> b (c h w)")
        changes = []
        for start in range(0, len(owners), len(counts)):  # batches no larger than that of the images
            rows, prompts = owners[start : start + len(counts)], texts[start : start + len(counts)]
            named = backbone.predict(one.noised[rows], one.timestep, _encode(backbone, prompts))
            changes += [*rearrange(named.float() - one.plain[rows].float(), "b c h w -> b (c h w)")]
        for row, change in enumerate(torch.stack(changes).split(counts)):
            weight = change.square().sum(dim=1).mean().clamp_min(1e-12)  # noise levels count alike
            grams[row] += change @ change.T / weight
            agreed[row] += change @ wrong[row] / weight
    return tuple(
        torch.linalg.solve(gram + torch.diag(RIDGE * gram.diag() + 1e-6), right)
        for gram, right in zip(grams, agreed, strict=True)
    )


def _encode(backbone: Backbone, texts: Sequence[str]) -> Conditioning:
    """Each text is encoded alone: in a batch its rounding would depend on the others."""
    alone = {text: backbone.family.encode([text]) for text in texts}
    states = torch.cat([alone[text].states for text in texts])
    pooled = [alone[text].pooled for text in texts]
    return Conditioning(states, None if pooled[0] is None else torch.cat(pooled))
