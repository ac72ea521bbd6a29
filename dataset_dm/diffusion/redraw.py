"""Regenerates a row's image from its provenance and prompt, with stock diffusers and no sampler of this package."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import diffusers
import numpy as np
import torch
from diffusers import AutoPipelineForText2Image
from jaxtyping import UInt8

from dataset_dm.diffusion.loading import _DTYPE_ARGUMENT, load_adapter, quiet
from dataset_dm.errors import DataError, explain
from dataset_dm.models.adapters import find_adapter

TOLERANCE = 2  # of 255: difference by another batch size, device or number of threads
NEEDED = ("seed", "steps", "guidance", "width", "height")


def redraw(
    pipeline: str, prompt: str, provenance: Mapping[str, Any], *, device: str = "cpu"
) -> UInt8[np.ndarray, "h w 3"]:
    """The image, RGB, that a row's provenance describes.

    Args:
        pipeline: folder or Hub id of the generator.
        prompt: the row's prompt.
        provenance: the row's provenance.
        device: where to compute; "cpu" or a CUDA device.

    Raises:
        DataError: the provenance lacks one of `NEEDED`.
    """
    for key in NEEDED:
        if key not in provenance:
            raise DataError(explain(f"provenance: no {key!r}", got=sorted(provenance), expected=", ".join(NEEDED)))
    dtype = getattr(torch, provenance.get("dtype") or "float32")
    with quiet():
        pipe = AutoPipelineForText2Image.from_pretrained(
            pipeline, revision=provenance.get("revision"), use_safetensors=True, **{_DTYPE_ARGUMENT: dtype}
        ).to(device)
        pipe.set_progress_bar_config(disable=True)
        if provenance.get("adapter"):
            load_adapter(pipe, find_adapter(provenance["adapter"]))
        scheduler = provenance.get("scheduler")
        if scheduler and scheduler != type(pipe.scheduler).__name__:
            pipe.scheduler = getattr(diffusers, scheduler).from_config(pipe.scheduler.config)
        guidance = provenance["guidance"]
        output = pipe(
            prompt,
            num_inference_steps=int(provenance["steps"]),
            guidance_scale=1.0 if guidance is None else float(guidance),
            height=int(provenance["height"]),
            width=int(provenance["width"]),
            generator=torch.Generator("cpu").manual_seed(int(provenance["seed"])),
            output_type="np",
        )
    return (output.images[0] * 255).round().astype(np.uint8)
