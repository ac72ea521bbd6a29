"""Text-to-image pipelines by their configs: location, image size, default sampler. Needs neither torch nor diffusers.

A plan reads the configs from files, a loaded `dataset_dm.diffusion.Backbone` has them in memory; both use
`PipelineFacts`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dataset_dm.errors import GeneratorError, ModelError, explain
from dataset_dm.models.embedded import MINIATURE, locate
from dataset_dm.models.reference import INDEX, PICKLED, SAFETENSORS, Source, find, is_pipeline, model_name

# a generator's own default, {"steps": …, "guidance": …}, beside its model_index.json
HINTS = "sampler.json"
_SAMPLER = {"steps": 30, "guidance": 7.5}
# distilled models: the guidance is an input of the UNet, or one of these schedulers is used
_FEW_STEPS = {"steps": 4, "guidance": 7.5}
_FEW_STEPS_UNGUIDED = {"steps": 4, "guidance": None}
_FEW_STEP_SCHEDULERS = ("LCMScheduler", "TCDScheduler")
# diffusers' defaults of `block_out_channels`, for configs that leave it out
_UNET_BLOCKS, _VAE_BLOCKS = (320, 640, 1280, 1280), (64,)
# components that hold weights in every supported pipeline
_WEIGHTED = ("unet", "vae", "text_encoder")


@dataclass(frozen=True, kw_only=True)
class PipelineFacts:
    """Sizes and the default sampler of a UNet pipeline, from its configs.

    Args:
        unet: the UNet's config.
        vae: the autoencoder's config.
        scheduler: class name of the pipeline's own scheduler; None if its config names none.
        hints: the generator's own default sampler, from `sampler.json`; None without.
    """

    unet: Mapping[str, Any]
    vae: Mapping[str, Any]
    scheduler: str | None
    hints: Mapping[str, Any] | None

    @property
    def vae_stride(self) -> int:
        """Image pixels per latent cell."""
        return 2 ** (len(self.vae.get("block_out_channels", _VAE_BLOCKS)) - 1)

    @property
    def size_multiple(self) -> int:
        """Image sides must be multiples of this, so that every UNet level's grid fits its stride."""
        return self.vae_stride * 2 ** (len(self.unet.get("block_out_channels", _UNET_BLOCKS)) - 1)

    @property
    def native_size(self) -> tuple[int, int]:
        """(H, W) in pixels of the training images."""
        sides = self.unet["sample_size"]
        height, width = (sides, sides) if isinstance(sides, int) else sides
        return int(height) * self.vae_stride, int(width) * self.vae_stride

    @property
    def sampler(self) -> dict[str, Any]:
        """Default `steps` and `guidance`: the generator's own hints, 4 steps for distilled models, else 30 and 7.5."""
        if self.hints is not None:
            return {**_SAMPLER, **self.hints}
        if self.unet.get("time_cond_proj_dim") is not None:
            return dict(_FEW_STEPS)
        return dict(_FEW_STEPS_UNGUIDED if self.scheduler in _FEW_STEP_SCHEDULERS else _SAMPLER)


def find_generator(given: object) -> Source:
    """The text-to-image pipeline `given`: "miniature", a folder, or a Hub id with an optional `@revision`.

    Raises:
        GeneratorError: not found, not a pipeline folder, or with pickled weights only.
    """
    known = {MINIATURE: Path(locate(MINIATURE))}
    try:
        found = find(model_name("generator", given), what="generator", known=known)
    except ModelError as error:
        raise GeneratorError(str(error)) from error
    if found.path is not None:
        check_pipeline(found.path)
    return found


def pipeline_facts(generator: Source) -> PipelineFacts:
    """The facts of a pipeline, from its config files; of a Hub id only those files are downloaded.

    Raises:
        GeneratorError: no UNet with an autoencoder in it.
    """
    unet, vae = generator.read_json("unet/config.json"), generator.read_json("vae/config.json")
    if unet is None or vae is None or "sample_size" not in unet:
        what = f"generator {generator.name!r}: no UNet with an autoencoder in it"
        raise GeneratorError(explain(what, expected="a UNet pipeline of diffusers such as Stable Diffusion"))
    scheduler = (generator.read_json("scheduler/scheduler_config.json") or {}).get("_class_name")
    return PipelineFacts(unet=unet, vae=vae, scheduler=scheduler, hints=generator.read_json(HINTS))


def check_pipeline(folder: Path, *, complete: bool = False) -> None:
    """Refuses a folder that is not a stock diffusers pipeline or whose weights are pickled.

    Args:
        complete: whether every component's folder must exist: needed to load a pipeline, not to plan.

    Raises:
        GeneratorError: not such a pipeline, a missing component, or pickled weights.
    """
    what = f"generator {str(folder)!r}"
    if not is_pipeline(folder):
        expected = f"a folder saved by diffusers' save_pretrained (it holds {INDEX})"
        raise GeneratorError(explain(what, expected=expected, remedy="give the pipeline's own folder"))
    for part in _components(folder, what):
        if (folder / part).is_dir():
            _check_weights(folder / part, what)
        elif complete:
            raise GeneratorError(f"{what}: incomplete, the folder {part!r} is missing")


def _components(folder: Path, what: str) -> list[str]:
    """Names of the components in a pipeline's index."""
    try:
        index = json.loads((folder / INDEX).read_text(encoding="utf-8"))
    except ValueError as error:
        raise GeneratorError(f"{what}: {INDEX} is not JSON ({error})") from error
    if not isinstance(index, dict) or not isinstance(index.get("_class_name"), str):
        raise GeneratorError(f"{what}: {INDEX} names no stock pipeline class; remote code is not run")
    pairs = {name: entry for name, entry in index.items() if isinstance(entry, list) and len(entry) == 2}
    return [name for name, (library, _) in pairs.items() if library is not None]


def _check_weights(part: Path, what: str) -> None:
    suffixes = {file.suffix for file in part.iterdir()}
    pickled = sorted(suffixes.intersection(PICKLED))
    if SAFETENSORS in suffixes or not (pickled or part.name in _WEIGHTED):
        return
    found = f"pickled weights only ({', '.join(pickled)})" if pickled else "no weights"
    remedy = "save it again with save_pretrained(…, safe_serialization=True): pickle can run code and is refused"
    raise GeneratorError(f"{what}: {part.name!r} has {found}, expected safetensors; {remedy}")
