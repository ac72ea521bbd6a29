"""The parity pass: image → latents → noise at t → one conditional UNet pass, read by taps.

Training on real images and annotating generated ones share this function, so that an annotator reads equal features.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import nullcontext

import torch
from einops import rearrange
from jaxtyping import Float, UInt8
from torch import Tensor

from dataset_dm.checks import check_int
from dataset_dm.diffusion.backbone import Backbone
from dataset_dm.diffusion.class_contrast import read_contrast
from dataset_dm.diffusion.class_text import ClassText
from dataset_dm.diffusion.families import vae_in
from dataset_dm.diffusion.loading import quiet
from dataset_dm.diffusion.noise import draw_noise
from dataset_dm.diffusion.sampler import to_uint8
from dataset_dm.diffusion.schedulers import noise_schedule
from dataset_dm.diffusion.taps import TapRequest, Taps, tap
from dataset_dm.errors import AnnotatorMismatch, ConfigError, explain
from dataset_dm.hypercolumns import Features, FeatureSpec

IMAGE_LEVEL = "image"


@torch.no_grad()
def encode_images(backbone: Backbone, images: UInt8[Tensor, "b H W 3"]) -> Float[Tensor, "b c h w"]:
    """The generator's latents of images (the posterior's mode, so that nothing is random).

    Args:
        images: RGB; sides are multiples of `backbone.size_multiple`.

    Returns:
        Latents in the model's float type, on its device, scaled as the sampler's are.
    """
    pixels = to_pixels(images).to(backbone.device)
    backbone.check_size((pixels.shape[-2], pixels.shape[-1]))
    vae = backbone.pipe.vae
    half = vae.dtype == torch.float16 and vae.config.force_upcast  # half precision overflows in such a VAE
    with vae_in(backbone.pipe, torch.float32) if half else nullcontext():
        latents = vae.encode(pixels.to(vae.dtype)).latent_dist.mode()
        return backbone.family.from_vae(latents).to(backbone.dtype)


def to_pixels(images: UInt8[Tensor, "b H W 3"]) -> Float[Tensor, "b 3 H W"]:
    """RGB images as float32 in [−1, 1]: the preprocessing of the VAE and of the level "image"."""
    if images.dtype != torch.uint8 or images.ndim != 4 or images.shape[-1] != 3:
        got = f"{images.dtype} {tuple(images.shape)}"
        raise ConfigError(f"images: got {got}, expected uint8 of shape (b, H, W, 3), RGB")
    return rearrange(images, "b H W c -> b c H W").float() / 127.5 - 1


@torch.no_grad()
def decode_latents(backbone: Backbone, latents: Float[Tensor, "b c h w"]) -> Float[Tensor, "b 3 H W"]:
    """Images of latents, float32 in [0, 1], by the arithmetic of the pipeline's last step."""
    pipe = backbone.pipe
    lifted = backbone.family.decodes_in_float32()
    with vae_in(pipe, torch.float32) if lifted else nullcontext():
        scaled = backbone.family.to_vae(latents.to(device=backbone.device, dtype=pipe.vae.dtype))
        image = pipe.vae.decode(scaled, return_dict=False)[0]
    return (image / 2 + 0.5).clamp(0, 1).float()


@torch.no_grad()
def add_noise(
    backbone: Backbone, latents: Float[Tensor, "b c h w"], timestep: int, seeds: Sequence[int]
) -> Float[Tensor, "b c h w"]:
    """Latents noised to `timestep` of the training schedule; each sample's noise comes from its own seed.

    Args:
        timestep: 0 (least noise) up to the schedule's length less one.
        seeds: b sample seeds; the noise's own are derived by :func:`.noise.labelling_seed`.
    """
    check_timestep(backbone, timestep)
    at = torch.full((len(latents),), timestep, device=latents.device)
    return noise_schedule(backbone.pipe).add_noise(latents, draw_noise(latents, seeds), at)


def check_timestep(backbone: Backbone, timestep: int) -> int:
    """`timestep` if the training schedule has it, else ConfigError."""
    length = noise_schedule(backbone.pipe).config.num_train_timesteps
    return check_int("timestep", timestep, 0, length - 1)


@torch.no_grad()
def read_features(
    backbone: Backbone,
    latents: Float[Tensor, "b c h w"],
    prompts: Sequence[str],
    class_text: ClassText,
    spec: FeatureSpec,
    seeds: Sequence[int],
    vae_levels: Mapping[str, Float[Tensor, "b _ _ _"]] | None = None,
    images: UInt8[Tensor, "b H W 3"] | None = None,
    unprompted: Sequence[bool] | None = None,
) -> Features:
    """Features by one conditional UNet pass on the noised latents: the levels and the class evidence of `spec`.

    Args:
        latents: clean latents, from :func:`encode_images` or `Samples.latents`.
        prompts: b texts; "" for none.
        class_text: the classes to find, from :func:`encode_classes`.
        spec: what the decoder was trained on; it must have been made for this generator.
        seeds: b sample seeds, for the noise.
        vae_levels: VAE-decoder levels recorded while sampling; None decodes the latents again, with the same result.
        images: for the level "image"; None takes the decoded latents.
        unprompted: b flags, whether the prompt names no class; for these samples the contrast maps of the spec are read
            (further UNet passes); None: for no sample.

    Returns:
        Features in float32 on the model's device.

    Raises:
        AnnotatorMismatch: `spec` was made for another generator.
        ConfigError: unequal counts, unknown levels.
    """
    if spec.generator != backbone.fingerprint:
        raise AnnotatorMismatch(
            f"features: wanted those of generator {spec.generator}, got generator {backbone.fingerprint} "
            f"({backbone.source!r}); load the generator that the annotator was trained for"
        )
    if len(prompts) != len(latents):
        raise ConfigError(explain("prompts", got=len(prompts), expected=f"one for each of the {len(latents)} latents"))
    latents = latents.to(device=backbone.device, dtype=backbone.dtype)
    read = _unet_pass(backbone, latents, prompts, class_text, spec, seeds)
    found = {**read.levels, **_vae_pass(backbone, latents, spec, vae_levels, images)}
    return Features(
        levels={name: found[name] for name in spec.names()},
        class_attention=read.class_attention,
        class_text=class_text.mean,
        spec=spec,
        contrast=_contrast(backbone, latents, class_text, spec, seeds, unprompted) if spec.contrast else None,
    )


def _contrast(
    backbone: Backbone,
    latents: Tensor,
    class_text: ClassText,
    spec: FeatureSpec,
    seeds: Sequence[int],
    unprompted: Sequence[bool] | None,
) -> Tensor:
    """Contrast maps [b k m h w] of the unprompted samples, NaN for the others."""
    shape = (len(latents), len(class_text), spec.contrast_maps, *latents.shape[-2:])
    maps = torch.full(shape, torch.nan, device=latents.device)
    rows = [row for row, flag in enumerate(unprompted or ()) if flag]
    if rows:
        own = [seeds[row] for row in rows]
        maps[rows] = read_contrast(backbone, latents[rows], class_text, spec.contrast, own, spec.attention)
    return maps


def _unet_pass(
    backbone: Backbone,
    latents: Tensor,
    prompts: Sequence[str],
    class_text: ClassText,
    spec: FeatureSpec,
    seeds: Sequence[int],
) -> Taps:
    request = TapRequest(levels=spec.names("unet"), class_text=class_text, attention=spec.attention)
    backbone.warn_long_prompts(prompts)
    noised = add_noise(backbone, latents, spec.timestep, seeds)
    with quiet():
        text = backbone.family.encode(prompts)
    with tap(backbone, request) as taps:
        backbone.predict(noised, spec.timestep, text)
    return taps


def _vae_pass(
    backbone: Backbone,
    latents: Tensor,
    spec: FeatureSpec,
    recorded: Mapping[str, Tensor] | None,
    images: Tensor | None,
) -> dict[str, Tensor]:
    """VAE-decoder levels and the image level; the latents are decoded only if one of them was not recorded."""
    names, image_names = spec.names("vae"), spec.names("image")
    found = {} if recorded is None else {name: recorded[name].to(backbone.device) for name in names if name in recorded}
    if any(name not in found for name in names) or (image_names and images is None):
        with tap(backbone, TapRequest(levels=names)) as taps:
            decoded = decode_latents(backbone, latents)
        found = taps.levels
        images = to_uint8(decoded) if images is None else images
    if image_names:
        assert images is not None
        found = {**found, **dict.fromkeys(image_names, to_pixels(images).to(backbone.device))}
    return found
