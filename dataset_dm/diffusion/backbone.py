"""The frozen text-to-image model: loaded once, asked by the sampler, the taps and the noising."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import torch
from diffusers import DiffusionPipeline
from torch import Tensor

from dataset_dm.diffusion.families import StableDiffusion, family_of
from dataset_dm.diffusion.levels import AttentionTap, LevelTap, attention_layers, unet_levels, vae_levels
from dataset_dm.diffusion.loading import fetch_folder, load_adapter, load_pipeline, quiet
from dataset_dm.errors import ConfigError, did_you_mean, explain
from dataset_dm.hypercolumns import Level
from dataset_dm.models.reference import fingerprint

_DTYPES = {"float32": torch.float32, "float16": torch.float16, "bfloat16": torch.bfloat16}


@dataclass(eq=False)
class Backbone:
    """A text-to-image pipeline of diffusers with a UNet, ready to sample from and to read from.

    Made by :meth:`load`. Weights are frozen and never change afterwards, so what is derived from them is remembered.

    Args:
        source: the path or Hub id as it was given, with its `@revision`.
        folder: where the files lie.
        revision: the resolved commit of a Hub id, None for a folder.
        adapter: the LoRA's path or id, or None.
        pipe: the pipeline itself.
        family: what differs between UNet families.
        device: where the model computes.
        dtype: its float type.
        fingerprint: content hash of the pipeline without adapter, 16 hex digits.
        adapter_fingerprint: content hash of the adapter, or None.
    """

    source: str
    folder: Path
    revision: str | None
    adapter: str | None
    pipe: DiffusionPipeline
    family: StableDiffusion
    device: torch.device
    dtype: torch.dtype
    fingerprint: str
    adapter_fingerprint: str | None
    # remembered by (template, class): see class_text; by (layer, template, class): see taps
    class_states: dict[tuple[str, str], tuple[Tensor, Tensor]] = field(default_factory=dict, repr=False)
    class_keys: dict[tuple[str, str, str], Tensor] = field(default_factory=dict, repr=False)
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
        """Loads a pipeline by folder or Hub id; safetensors only, no remote code.

        Args:
            source: a folder, or `owner/name` with an optional `@revision`.
            adapter: a LoRA: a safetensors file, a folder with one, or a Hub id with an optional `@revision`.
            dtype: "float32", "float16", "bfloat16", or "auto": float16 on a GPU, else float32.
            device: "auto" takes a GPU where there is one.

        Raises:
            GeneratorError: no such pipeline, pickled weights, or an unsupported family.
            ModelError: the adapter is missing or does not fit.
            ConfigError: unknown dtype or device.
            MissingExtra: an adapter without peft.

        Example:
            >>> backbone = Backbone.load("path/to/pipeline")  # doctest: +SKIP
        """
        at = _device(device)
        number = _dtype(dtype, at)
        folder, revision = fetch_folder(str(source))
        pipe = load_pipeline(folder, dtype=number, device=at)
        lora = None if adapter is None else load_adapter(pipe, str(adapter))
        return cls(
            source=str(source),
            folder=folder,
            revision=revision,
            adapter=None if adapter is None else str(adapter),
            pipe=pipe,
            family=family_of(pipe, at),
            device=at,
            dtype=number,
            fingerprint=fingerprint(folder),
            adapter_fingerprint=None if lora is None else fingerprint(lora),
        )

    @cached_property
    def vae_stride(self) -> int:
        """Image pixels for one latent cell."""
        return 2 ** (len(self.pipe.vae.config.block_out_channels) - 1)

    @cached_property
    def native_size(self) -> tuple[int, int]:
        """(H, W) of the images it was trained on."""
        size = self.pipe.unet.config.sample_size
        height, width = (size, size) if isinstance(size, int) else size
        return height * self.vae_stride, width * self.vae_stride

    @cached_property
    def size_multiple(self) -> int:
        """Image sides must be multiples of this, so that every level's grid fits its stride."""
        return max(tap.level.stride for tap in self.level_taps.values())

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

    def encode_text(self, prompts: Sequence[str]) -> Tensor:
        """Text states of the prompts [b n d], padded and cut to `max_tokens`; a prompt that is cut warns once."""
        self.warn_long_prompts(prompts)
        with torch.no_grad(), quiet():
            return self.family.encode(prompts).states

    def token_count(self, prompt: str) -> int:
        """Tokens of the prompt, start and end included, before any cut."""
        return len(self.pipe.tokenizer(prompt, truncation=False, verbose=False)["input_ids"])

    def warn_long_prompts(self, prompts: Sequence[str]) -> None:
        """One UserWarning for each prompt, once, whose end the text encoder will not read."""
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
        """`size` (H, W) if the model can draw it, else ConfigError with the nearest size that it can."""
        if len(size) != 2 or any(isinstance(side, bool) or not isinstance(side, int) or side < 1 for side in size):
            raise ConfigError(explain("size", got=size, expected="(height, width), two whole numbers of at least 1"))
        step = self.size_multiple
        if any(side % step for side in size):
            near = tuple(max(step, round(side / step) * step) for side in size)
            raise ConfigError(explain("size", got=tuple(size), expected=f"multiples of {step}", remedy=f"take {near}"))
        return size[0], size[1]


def _device(device: str | torch.device) -> torch.device:
    if device == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        at = torch.device(device)
    except (RuntimeError, TypeError) as error:
        raise ConfigError(explain("device", got=device, expected="'auto', 'cpu', 'cuda' or 'cuda:N'")) from error
    if at.type == "cuda" and (at.index or 0) >= torch.cuda.device_count():
        expected = f"one of the {torch.cuda.device_count()} GPUs that torch sees"
        raise ConfigError(explain("device", got=str(device), expected=expected, remedy="take 'cpu' or 'auto'"))
    return at


def _dtype(dtype: str | torch.dtype, device: torch.device) -> torch.dtype:
    if isinstance(dtype, torch.dtype) and dtype in _DTYPES.values():
        return dtype
    if dtype == "auto":
        return torch.float16 if device.type == "cuda" else torch.float32
    if dtype not in _DTYPES:
        close = did_you_mean(str(dtype), _DTYPES)
        raise ConfigError(explain("dtype", got=dtype, expected="auto, " + ", ".join(_DTYPES)) + close)
    return _DTYPES[str(dtype)]
