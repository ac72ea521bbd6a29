"""The frozen text-to-image model that sampler, taps and the labelling pass share."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import torch
from diffusers import DiffusionPipeline
from jaxtyping import Float
from torch import Tensor

from dataset_dm.diffusion.families import Conditioning, StableDiffusion, family_of
from dataset_dm.diffusion.levels import AttentionTap, LevelTap, attention_layers, unet_levels, vae_levels
from dataset_dm.diffusion.loading import fetch_folder, load_adapter, load_pipeline, quiet
from dataset_dm.errors import ConfigError, explain
from dataset_dm.hypercolumns import Level
from dataset_dm.models.adapters import find_adapter
from dataset_dm.models.device import resolve_device, resolve_dtype
from dataset_dm.models.generators import HINTS, PipelineFacts, find_generator
from dataset_dm.models.reference import Source, fingerprint


@dataclass(eq=False)
class Backbone:
    """A text-to-image pipeline of diffusers with a UNet: weights, text encoder, and the maps that can be read from it.

    Made by :meth:`load`. Weights are frozen, so that everything derived from them is cached.

    Args:
        source: the path or Hub id as it was given, with its `@revision`.
        found: the pipeline as it was found.
        lora: the adapter as it was found, or None.
        folder: the local folder of the pipeline's files.
        pipe: the pipeline itself.
        family: what differs between UNet families.
        facts: sizes and the default sampler, from the pipeline's configs.
        fingerprint: content hash of the pipeline without adapter, 16 hex digits; the same for a folder and for a Hub id
            with the same files. A plan's hash of a Hub id is that of its commit, see `Source.fingerprint`.
        adapter_fingerprint: hash of the adapter, as in a plan, or None.
    """

    source: str
    found: Source
    lora: Source | None
    folder: Path
    pipe: DiffusionPipeline
    family: StableDiffusion
    facts: PipelineFacts
    fingerprint: str
    adapter_fingerprint: str | None
    # caches by class, see class_text, and by (layer, class), see taps
    class_states: dict[str, tuple[Tensor, Tensor]] = field(default_factory=dict, repr=False)
    class_keys: dict[tuple[str, str], Tensor] = field(default_factory=dict, repr=False)
    _long_prompts: set[str] = field(default_factory=set, repr=False)

    @classmethod
    def load(
        cls,
        source: str | Path,
        *,
        adapter: str | Path | None = None,
        dtype: str | torch.dtype = "float32",
        device: str | torch.device = "auto",
    ) -> Backbone:
        """Load a pipeline by name, folder or Hub id; safetensors only, no remote code.

        Args:
            source: "miniature", a folder, or `owner/name` with an optional `@revision`.
            adapter: a LoRA: a safetensors file, a folder with one, or a Hub id with an optional `@revision`.
            dtype: "float32", "float16", "bfloat16", or "auto": float16 on a GPU, else float32.
            device: "auto" takes a GPU where there is one.

        Raises:
            GeneratorError: no such pipeline, pickled weights, or an unsupported family.
            ModelError: the adapter is missing or does not fit.
            ConfigError: unknown dtype or device.
            MissingExtra: an adapter without peft.

        Examples:
            >>> backbone = Backbone.load("miniature", device="cpu")
            >>> backbone.native_size, backbone.fingerprint == Backbone.load("miniature", device="cpu").fingerprint
            ((128, 128), True)
        """
        where = resolve_device(device)
        number = resolve_dtype(dtype, where)
        found = find_generator(source)
        lora = None if adapter is None else find_adapter(adapter)
        folder = fetch_folder(found)
        pipe = load_pipeline(folder, dtype=number, device=where)
        if lora is not None:
            load_adapter(pipe, lora)
        return cls(
            source=str(source),
            found=found,
            lora=lora,
            folder=folder,
            pipe=pipe,
            family=family_of(pipe, where),
            facts=PipelineFacts(
                unet=pipe.unet.config,
                vae=pipe.vae.config,
                scheduler=type(pipe.scheduler).__name__,
                hints=found.read_json(HINTS),
            ),
            fingerprint=fingerprint(folder),
            adapter_fingerprint=None if lora is None else lora.fingerprint(),
        )

    @property
    def revision(self) -> str | None:
        """The resolved commit of a Hub id, None for a folder."""
        return self.found.revision

    @property
    def adapter(self) -> str | None:
        """The LoRA's path or Hub id with its commit, or None."""
        return None if self.lora is None else self.lora.reference

    @property
    def device(self) -> torch.device:
        """Where the model computes."""
        return self.family.device

    @property
    def dtype(self) -> torch.dtype:
        """The model's float type."""
        return self.pipe.unet.dtype

    @property
    def vae_stride(self) -> int:
        """Image pixels for one latent cell."""
        return self.facts.vae_stride

    @property
    def native_size(self) -> tuple[int, int]:
        """(H, W) of the images it was trained on."""
        return self.facts.native_size

    @property
    def size_multiple(self) -> int:
        """Image sides must be multiples of this, so that every level's grid fits its stride."""
        return self.facts.size_multiple

    @property
    def text_width(self) -> int:
        """d: width of a text state."""
        return int(self.pipe.unet.config.cross_attention_dim)

    @property
    def max_tokens(self) -> int:
        """Longest text, start and end token included."""
        return int(self.pipe.tokenizer.model_max_length)

    @cached_property
    def level_taps(self) -> dict[str, LevelTap]:
        """Every level by name, UNet first, with the module to hook."""
        taps = unet_levels(self.pipe.unet, self.vae_stride) + vae_levels(self.pipe.vae, self.vae_stride)
        return {tap.level.name: tap for tap in taps}

    @cached_property
    def attention_taps(self) -> dict[str, AttentionTap]:
        """Every cross-attention layer by name."""
        return {tap.name: tap for tap in attention_layers(self.pipe.unet, self.vae_stride)}

    def levels(self) -> tuple[Level, ...]:
        """Every level that can be tapped, UNet first, then the VAE's decoder; the table is in `levels.py`."""
        return tuple(tap.level for tap in self.level_taps.values())

    def encode_text(self, prompts: Sequence[str]) -> Float[Tensor, "b n d"]:
        """Text states of the prompts, padded and cut to n = `max_tokens` tokens; a prompt that is cut warns once."""
        self.warn_long_prompts(prompts)
        with torch.no_grad(), quiet():
            return self.family.encode(prompts).states

    def predict(self, noised: Float[Tensor, "b c h w"], timestep: int, text: Conditioning) -> Float[Tensor, "b c h w"]:
        """The UNet's output for noised latents at one noise level: one conditional pass, no guidance."""
        size = (noised.shape[-2] * self.vae_stride, noised.shape[-1] * self.vae_stride)
        return self.pipe.unet(noised, timestep, **self.family.unet_arguments(text, size), return_dict=False)[0]

    def token_count(self, prompt: str) -> int:
        """Tokens of the prompt, start and end included, before any cut."""
        return len(self.pipe.tokenizer(prompt, truncation=False, verbose=False)["input_ids"])

    def warn_long_prompts(self, prompts: Sequence[str]) -> None:
        """Warns once for each prompt whose end the text encoder cuts off (UserWarning)."""
        for prompt in prompts:
            if prompt in self._long_prompts or (count := self.token_count(prompt)) <= self.max_tokens:
                continue
            self._long_prompts.add(prompt)
            warnings.warn(
                f"prompt {prompt!r} has {count} tokens, the text encoder reads {self.max_tokens}; its end is cut off",
                UserWarning,
                stacklevel=3,
            )

    def check_size(self, size: tuple[int, int]) -> tuple[int, int]:
        """`size` (H, W) if the model can generate it, else ConfigError with the nearest valid size."""
        if len(size) != 2 or any(isinstance(side, bool) or not isinstance(side, int) or side < 1 for side in size):
            raise ConfigError(explain("size", got=size, expected="(height, width), two whole numbers of at least 1"))
        step = self.size_multiple
        if any(side % step for side in size):
            near = tuple(max(step, round(side / step) * step) for side in size)
            raise ConfigError(explain("size", got=tuple(size), expected=f"multiples of {step}", remedy=f"take {near}"))
        return size[0], size[1]
