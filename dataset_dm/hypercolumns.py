"""Hypercolumns: names and tensors of a frozen generator's inner maps, the interface between generator and decoder.

`dataset_dm.diffusion` fills :class:`Features`, `dataset_dm.decoder` reads them; neither imports the other. Needs torch
only.

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
CONTRAST_MAPS = 4  # maps per class and contrast timestep, without the attention


@dataclass(frozen=True)
class Level:
    """One map of the generator.

    Args:
        name: its name in `diffusion.levels`, such as ``"unet.up.3.layer.2"``.
        source: the part of the generator: ``"unet"``, ``"vae"`` (its decoder) or ``"image"`` (the image itself).
        channels: number of channels, at least 1.
        stride: image pixels per cell of the map, at least 1.
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
    """The maps that a decoder was trained on; a labelling pass must read the same ones.

    Args:
        generator: content hash of the generator (``Backbone.fingerprint``).
        levels: the maps, in the decoder's input order.
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
        """The differences between the wanted spec ``self`` and the available one, in one line; None if they are equal.

        Args:
            other: the available spec.
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
        class_text: one text embedding per class [k d].
        spec: describes the tensors.
        contrast: contrast evidence of each class [b k m h w]; NaN for samples without it (prompted reading); None if
            the spec has none.
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
        """(H, W) of the images, from the first level's grid and stride."""
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
        """The features on another device or in another float type."""

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
    """Attention maps of several layers on the largest of their grids.

    Args:
        maps: one tensor [b k a_i h_i w_i] per layer, a_i its heads.

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
    """The levels of each side that the other lacks."""

    def describe(levels: tuple[Level, ...], others: tuple[Level, ...]) -> str:
        extra = [
            f"{level.name} ({level.channels} channels, stride {level.stride})"
            for level in levels
            if level not in others
        ]
        return ", ".join(extra) or f"the same {len(levels)} in another order"

    return describe(wanted, got), describe(got, wanted)
