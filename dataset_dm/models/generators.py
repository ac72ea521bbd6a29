"""A text-to-image pipeline from its configs alone: where it is, what size it draws, how it likes to be sampled.

`dataset_dm.diffusion` answers the same of a loaded one; a plan must not need to load it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from dataset_dm.errors import ConfigError, GeneratorError, ModelError, explain
from dataset_dm.miniature import locate
from dataset_dm.models.reference import Source, find

MINIATURE = "miniature"
# a generator's own hint, {"steps": …, "guidance": …}, beside its model_index.json
_HINTS = "sampler.json"
_SAMPLER = {"steps": 30, "guidance": 7.5}
# distilled models: told the guidance as an input, or sampled by these schedulers
_FEW_STEPS = {"steps": 4, "guidance": 7.5}
_FEW_STEPS_UNGUIDED = {"steps": 4, "guidance": None}
_FEW_STEP_SCHEDULERS = ("LCMScheduler", "TCDScheduler")


def find_generator(given: object) -> Source:
    """The text-to-image pipeline; GeneratorError when the path is no pipeline folder, or holds pickled weights only."""
    known = {MINIATURE: Path(locate(MINIATURE))}
    try:
        source = find(model_name("generator", given), what="generator", known=known)
    except ModelError as error:
        raise GeneratorError(str(error)) from error
    if source.path is not None:
        _check_pipeline(source.path, given)
    return source


def _check_pipeline(folder: Path, given: object) -> None:
    if not (folder / "model_index.json").is_file():
        expected = "a folder saved by diffusers' save_pretrained (it holds model_index.json)"
        raise GeneratorError(
            explain("generator", got=given, expected=expected, remedy="give the pipeline's own folder")
        )
    for part in ("unet", "vae", "text_encoder"):
        inside = folder / part
        if inside.is_dir() and not any(inside.glob("*.safetensors")):
            pickled = any(inside.glob("*.bin")) or any(inside.glob("*.ckpt"))
            what = f"generator {str(folder)!r}: {part} has {'pickled' if pickled else 'no'} weights only"
            remedy = (
                "save it again with save_pretrained(…, safe_serialization=True): pickle can run code and is refused"
            )
            raise GeneratorError(explain(what.replace("no weights only", "no weights"), remedy=remedy))


def default_sampler(generator: Source, scheduler: str | None) -> dict[str, Any]:
    """As `dataset_dm.diffusion.default_sampler`, from the configs alone."""
    hints = generator.read_json(_HINTS)
    if hints is not None:
        return {**_SAMPLER, **hints}
    if (generator.read_json("unet/config.json") or {}).get("time_cond_proj_dim") is not None:
        return _FEW_STEPS
    return _FEW_STEPS_UNGUIDED if scheduler in _FEW_STEP_SCHEDULERS else _SAMPLER


def native_size(generator: Source) -> tuple[int, tuple[int, int]]:
    """(what sides must be multiples of, (H, W)) of a pipeline, from its configs."""
    unet, vae = generator.read_json("unet/config.json"), generator.read_json("vae/config.json")
    if unet is None or vae is None or "sample_size" not in unet:
        what = f"generator {generator.name!r}: no UNet with an autoencoder in it"
        raise GeneratorError(explain(what, expected="a UNet pipeline of diffusers such as Stable Diffusion"))
    cell = 2 ** (len(vae.get("block_out_channels", (0,) * 4)) - 1)
    coarsest = cell * 2 ** (len(unet.get("block_out_channels", (0,) * 4)) - 1)
    sides = unet["sample_size"]
    height, width = (sides, sides) if isinstance(sides, int) else sides
    return coarsest, (int(height) * cell, int(width) * cell)


def model_name(what: str, value: object) -> str:
    """A model's name, path or id as text; ConfigError for anything else."""
    if isinstance(value, Path):
        return str(value)
    if not isinstance(value, str) or not value.strip():
        raise ConfigError(explain(what, got=value, expected="a name, a path or a Hub id"))
    return value.strip()
