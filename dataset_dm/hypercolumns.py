"""Hypercolumns: what a frozen generator's inner maps are called, and how they travel to a decoder.

The diffusion room fills :class:`Features`; the decoder room reads them. Neither knows the other, both know this file.
It needs numpy and torch only.

Axis names: b batch, c channels, h w (feature grid), H W (image), k classes, a attention maps, d text width.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any, Literal, get_args

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import functional

Source = Literal["unet", "vae", "image"]
CONTRAST_MAPS = 4  # maps a class and contrast timestep, without the attention


@dataclass(frozen=True)
class Level:
    """One map that is read from the generator.

    Args:
        name: how the diffusion room calls it, such as ``"unet.up.3.resnet.2"``.
        source: the part it comes from: ``"unet"``, ``"vae"`` (the decoder half) or ``"image"`` (the image itself).
        channels: number of channels, at least 1.
        stride: image pixels for one cell of the map, at least 1.
    """

    name: str
    source: Source
    channels: int
    stride: int

    def __post_init__(self) -> None:
        if self.source not in get_args(Source):
            raise ValueError(f"level {self.name!r}: source {self.source!r} is none of {', '.join(get_args(Source))}")
        if self.channels < 1 or self.stride < 1:
            raise ValueError(
                f"level {self.name!r}: channels {self.channels} and stride {self.stride} must be at least 1"
            )


@dataclass(frozen=True)
class FeatureSpec:
    """What a decoder was trained on; a labelling pass must deliver the very same.

    Args:
        generator: content hash of the generator (``Backbone.fingerprint``).
        levels: the maps, in the order in which they are read.
        attention: names of the cross-attention layers whose class evidence is recorded; empty for none.
        attention_heads: class-evidence maps over all recorded layers (the ``a`` axis of ``class_attention``).
        text_width: width of the text states, ``d`` of ``class_text``.
        timestep: noise level of the labelling pass.
        native_size: the generator's own image size (H, W).
        contrast: noise levels of the contrast that an unprompted pass reads for each class; empty for none.
    """

    generator: str
    levels: tuple[Level, ...]
    attention: tuple[str, ...]
    attention_heads: int
    text_width: int
    timestep: int
    native_size: tuple[int, int]
    contrast: tuple[int, ...] = ()

    @property
    def contrast_maps(self) -> int:
        """Contrast maps of one class (the ``m`` axis)."""
        return (CONTRAST_MAPS + len(self.attention)) * len(self.contrast)

    def to_dict(self) -> dict[str, Any]:
        """A JSON-ready dict; :meth:`from_dict` reads it back to an equal spec."""
        plain: dict[str, Any] = {entry.name: getattr(self, entry.name) for entry in fields(self)}
        plain["levels"] = [{entry.name: getattr(level, entry.name) for entry in fields(Level)} for level in self.levels]
        plain["attention"] = list(self.attention)
        plain["native_size"] = list(self.native_size)
        plain["contrast"] = list(self.contrast)
        return plain

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> FeatureSpec:
        """The inverse of :meth:`to_dict`."""
        values = dict(plain)
        values["levels"] = tuple(Level(**level) for level in values["levels"])
        values["attention"] = tuple(values["attention"])
        height, width = values["native_size"]
        values["native_size"] = (int(height), int(width))
        values["contrast"] = tuple(values.get("contrast", ()))
        return cls(**values)

    def mismatch(self, other: FeatureSpec) -> str | None:
        """Why features of ``other`` do not suit a reader of ``self``: one line naming both sides, or None if they do.

        Args:
            other: the spec that would be delivered; ``self`` is the one that is wanted.
        """
        wrong = []
        for entry in fields(self):
            wanted, got = getattr(self, entry.name), getattr(other, entry.name)
            if wanted == got:
                continue
            if entry.name == "levels":
                wanted, got = _difference(wanted, got)
            wrong.append(f"{entry.name}: wanted {wanted}, got {got}")
        return "; ".join(wrong) or None

    def names(self, source: Source | None = None) -> tuple[str, ...]:
        """Level names, all of them or those of one source."""
        return tuple(level.name for level in self.levels if source in (None, level.source))


@dataclass(frozen=True)
class Features:
    """The inner maps of one batch.

    Args:
        levels: level name → float tensor [b c h w].
        class_attention: evidence of each class [b k a h w], all recorded layers on one grid; None if not recorded.
            ``k`` is the class list of the call, without background; each class is independent of the others.
        class_text: one text embedding a class [k d].
        spec: what the tensors are.
        contrast: how much of the image naming each class explains [b k m h w]; NaN for samples without it (prompted
            reading); None if the spec has none.
    """

    levels: dict[str, Float[Tensor, "b _ _ _"]]
    class_attention: Float[Tensor, "b k _ _ _"] | None
    class_text: Float[Tensor, "k d"]
    spec: FeatureSpec = field(compare=False)
    contrast: Float[Tensor, "b k _ _ _"] | None = None

    @property
    def batch(self) -> int:
        """Number of images, b."""
        if self.levels:
            return next(iter(self.levels.values())).shape[0]
        return 0 if self.class_attention is None else self.class_attention.shape[0]

    @property
    def image_size(self) -> tuple[int, int]:
        """(H, W) of the image that the maps belong to, from the first level's grid and stride."""
        level = self.spec.levels[0]
        height, width = self.levels[level.name].shape[-2:]
        return height * level.stride, width * level.stride

    def select(self, indices: Sequence[int] | Int[Tensor, " _"]) -> Features:
        """The images at these batch positions, in this order."""
        index = torch.as_tensor(indices, dtype=torch.long)
        return replace(
            self,
            levels={name: value[index.to(value.device)] for name, value in self.levels.items()},
            class_attention=_at(self.class_attention, index, 0),
            contrast=_at(self.contrast, index, 0),
        )

    def select_classes(self, indices: Sequence[int] | Int[Tensor, " _"]) -> Features:
        """The classes at these positions of the class list, in this order."""
        index = torch.as_tensor(indices, dtype=torch.long)
        return replace(
            self,
            class_attention=_at(self.class_attention, index, 1),
            class_text=_at(self.class_text, index, 0),
            contrast=_at(self.contrast, index, 1),
        )

    def to(self, device: torch.device | str | None = None, dtype: torch.dtype | None = None) -> Features:
        """The same features elsewhere or in another float type."""

        def move(value: Tensor) -> Tensor:
            return value.to(device=device, dtype=dtype)

        return replace(
            self,
            levels={name: move(value) for name, value in self.levels.items()},
            class_attention=None if self.class_attention is None else move(self.class_attention),
            class_text=move(self.class_text),
            contrast=None if self.contrast is None else move(self.contrast),
        )


def _at(value: Tensor | None, index: Tensor, axis: int) -> Tensor | None:
    return None if value is None else value.index_select(axis, index.to(value.device))


def gather_attention(maps: Sequence[Float[Tensor, "b k _ _ _"]]) -> Float[Tensor, "b k a h w"]:
    """Puts attention maps of several layers on the largest grid among them.

    Args:
        maps: one tensor [b k a_i h_i w_i] a layer, a_i its heads.

    Returns:
        [b k a h w] with a the sum of the heads; smaller grids are enlarged bilinearly.
    """
    if not maps:
        raise ValueError("gather_attention: no maps given")
    grid = max((tuple(value.shape[-2:]) for value in maps), key=lambda size: size[0] * size[1])

    def enlarge(value: Tensor) -> Tensor:
        if tuple(value.shape[-2:]) == grid:
            return value
        flat = functional.interpolate(value.flatten(0, 1), size=grid, mode="bilinear", align_corners=False)
        return flat.unflatten(0, value.shape[:2])

    return torch.cat([enlarge(value) for value in maps], dim=2)


def _difference(wanted: tuple[Level, ...], got: tuple[Level, ...]) -> tuple[str, str]:
    """Only the levels that differ, so that the message stays readable."""

    def describe(levels: tuple[Level, ...], others: tuple[Level, ...]) -> str:
        extra = [
            f"{level.name} ({level.channels} channels, stride {level.stride})"
            for level in levels
            if level not in others
        ]
        return ", ".join(extra) or f"the same {len(levels)} in another order"

    return describe(wanted, got), describe(got, wanted)
