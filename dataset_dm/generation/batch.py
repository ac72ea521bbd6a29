"""One batch between the sampler and the annotator: images, latents, and why an image is unusable."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import torch
from einops import reduce
from jaxtyping import Float, UInt8

from dataset_dm.labels.images import decode_png
from dataset_dm.labels.records import Prompt
from dataset_dm.store.schema import unusable

UNSAFE, NOT_FINITE, CONSTANT = "unsafe", "not_finite", "constant"
# Levels of 255 by which equal images may differ between machines: within them, an image has one colour only.
_SPREAD = 2


@dataclass(slots=True)
class Drawn:
    """Samples of one batch; lists and tensors are aligned.

    Args:
        prompts, seeds, attempts: of every sample.
        unusable: why no set can show the image, None for a usable one.
        levels: the VAE-decoder maps recorded on the way, by name; None when they must be read again.
    """

    prompts: list[Prompt]
    seeds: list[int]
    attempts: list[int]
    images: UInt8[torch.Tensor, "b H W 3"]
    latents: Float[torch.Tensor, "b c h w"]
    unusable: list[str | None]
    levels: Mapping[str, Float[torch.Tensor, "b _ _ _"]] | None

    def part(self, wanted: slice) -> Drawn:
        """Some of the samples."""
        return Drawn(
            self.prompts[wanted],
            self.seeds[wanted],
            self.attempts[wanted],
            self.images[wanted],
            self.latents[wanted],
            self.unusable[wanted],
            None if self.levels is None else {name: level[wanted] for name, level in self.levels.items()},
        )

    def replace(self, positions: Sequence[int], resampled: Drawn) -> None:
        """Puts resampled samples in their places."""
        at = torch.tensor(positions)
        self.images[at], self.latents[at] = resampled.images, resampled.latents
        for name, level in (self.levels or {}).items():
            level[at.to(level.device)] = (resampled.levels or {})[name]
        for row, position in enumerate(positions):
            self.seeds[position], self.attempts[position] = resampled.seeds[row], resampled.attempts[row]
            self.unusable[position] = resampled.unusable[row]

    def make_finite(self) -> None:
        """Replaces latents that are not finite by zeros and their images by black ones, which no set shows.

        The annotator then reads the levels of the whole batch again, as it does when stored rows are relabelled.
        """
        broken = [position for position, wrong in enumerate(self.unusable) if wrong == NOT_FINITE]
        if broken:
            self.images[broken], self.latents[broken] = 0, 0
            self.levels = None


def what_is_wrong(
    images: UInt8[torch.Tensor, "b H W 3"], latents: Float[torch.Tensor, "b c h w"], unsafe: Sequence[bool]
) -> list[str | None]:
    """For each image the reason why it is unusable, None for a usable one.

    Args:
        unsafe: what the pipeline's own safety checker flagged; such an image is black too.

    "not_finite": the latents have NaN or infinite values. "constant": one colour from edge to edge, such as black.
    """
    finite = reduce(torch.isfinite(latents), "b c h w -> b", torch.all)
    highest, lowest = (reduce(images, "b h w c -> b c", how).int() for how in ("max", "min"))
    plain = (highest - lowest <= _SPREAD).all(dim=1)
    return [
        UNSAFE if flagged else NOT_FINITE if not sound else CONSTANT if same else None
        for flagged, sound, same in zip(unsafe, finite.tolist(), plain.tolist(), strict=True)
    ]


def from_rows(rows: pa.Table) -> Drawn:
    """A batch as it was after the sampler, from its stored rows alone."""
    columns = {name: rows.column(name).to_pylist() for name in rows.column_names if name != "image"}
    images = np.stack([decode_png(image["bytes"]) for image in rows.column("image").to_pylist()])
    latents = [
        torch.frombuffer(bytearray(data), dtype=getattr(torch, dtype)).reshape(shape)
        for data, dtype, shape in zip(
            columns["latents"], columns["latents_dtype"], columns["latents_shape"], strict=True
        )
    ]
    named = [None if classes is None else tuple(classes) for classes in columns["requested"]]
    return Drawn(
        [Prompt(text, classes) for text, classes in zip(columns["prompt"], named, strict=True)],
        columns["seed"],
        columns["attempt"],
        torch.from_numpy(images),
        torch.stack(latents),
        unusable(rows),
        None,
    )
