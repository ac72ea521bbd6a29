"""From a model that was found to a checked pipeline in memory: safetensors only, no remote code, no output."""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

import diffusers
import torch
import transformers
from diffusers import AutoencoderKL, DiffusionPipeline, UNet2DConditionModel
from safetensors import SafetensorError

from dataset_dm.errors import GeneratorError, MissingExtra, ModelError, reason_of
from dataset_dm.models.adapters import adapter_file
from dataset_dm.models.generators import check_pipeline
from dataset_dm.models.pretrained import check_complete, load_whole
from dataset_dm.models.reference import INDEX, Source

# what the libraries raise on a damaged or foreign folder; each becomes one line for the user
_LOAD_ERRORS = (
    OSError,
    ValueError,
    RuntimeError,
    TypeError,
    KeyError,
    AttributeError,
    ImportError,
    SafetensorError,
)
# diffusers renamed the argument; the old name warns
_DTYPE_ARGUMENT = "dtype" if tuple(map(int, diffusers.__version__.split(".")[:2])) >= (0, 42) else "torch_dtype"


@contextmanager
def quiet() -> Iterator[None]:
    """Silences progress bars and notices of diffusers and transformers; errors and this package's warnings remain."""
    libraries = (diffusers.utils.logging, transformers.utils.logging)
    before = [(library.get_verbosity(), library.is_progress_bar_enabled()) for library in libraries]
    for library in libraries:
        library.set_verbosity_error()
        library.disable_progress_bar()
    try:
        with warnings.catch_warnings():
            # schedulers of diffusers mix tensors and arrays in a way that numpy 2 deprecates
            warnings.filterwarnings("ignore", message="__array(__|_wrap__) ", category=DeprecationWarning)
            yield
    finally:
        for library, (verbosity, bar) in zip(libraries, before, strict=True):
            library.set_verbosity(verbosity)
            if bar:
                library.enable_progress_bar()


def fetch_folder(found: Source) -> Path:
    """The local folder of a pipeline; a Hub id is downloaded once (safetensors only), and offline mode is respected.

    Raises:
        GeneratorError: it cannot be fetched.
    """
    if found.path is not None:
        return found.path
    try:
        with quiet():
            return Path(DiffusionPipeline.download(found.name, revision=found.revision, use_safetensors=True))
    except _LOAD_ERRORS as error:
        raise GeneratorError(
            f"generator {found.reference!r}: cannot be fetched from the Hub "
            f"({type(error).__name__}: {reason_of(error)}); "
            "check id, revision and network, or give a local folder; only safetensors weights are taken"
        ) from error


def load_pipeline(folder: Path, *, dtype: torch.dtype, device: torch.device) -> DiffusionPipeline:
    """The pipeline in eval mode, without gradients and without a progress bar.

    Raises:
        GeneratorError: the folder is damaged, or its family is not supported.
    """
    check_pipeline(folder, complete=True)
    arguments = {_DTYPE_ARGUMENT: dtype, "use_safetensors": True, "local_files_only": True}
    try:
        with quiet():
            encoders = _text_encoders(folder, dtype)
            pipe = DiffusionPipeline.from_pretrained(str(folder), **arguments, **encoders)
            _use_fast_tokenizers(pipe, folder)
        for name, part in pipe.components.items():  # diffusers leaves what a file lacks without memory
            if isinstance(part, torch.nn.Module):
                lacking = [key for key, weight in part.state_dict().items() if weight.is_meta]
                check_complete(name, lacking, f"diffusers {diffusers.__version__}")
    except _LOAD_ERRORS as error:
        raise GeneratorError(
            f"generator {str(folder)!r}: cannot be loaded ({type(error).__name__}: {reason_of(error)}); "
            "save it again with pipeline.save_pretrained"
        ) from error
    _check_family(folder, pipe)
    with quiet():
        pipe.to(device)
    pipe.set_progress_bar_config(disable=True)
    for part in pipe.components.values():
        if isinstance(part, torch.nn.Module):
            part.eval().requires_grad_(False)
    return pipe


def _text_encoders(folder: Path, dtype: torch.dtype) -> dict[str, torch.nn.Module]:
    """The pipeline's text encoders; diffusers would not look whether they are complete."""
    index = json.loads((folder / INDEX).read_text(encoding="utf-8"))
    found = {}
    for name in ("text_encoder", "text_encoder_2"):
        library, kind = index.get(name) or (None, None)
        if library == "transformers":
            found[name] = load_whole(getattr(transformers, kind), folder / name, local_files_only=True).to(dtype)
    return found


def _use_fast_tokenizers(pipe: DiffusionPipeline, folder: Path) -> None:
    """transformers before 5 opens a slow tokenizer where a pipeline names one; only its fast twin gives offsets."""
    for name in ("tokenizer", "tokenizer_2"):
        tokenizer = getattr(pipe, name, None)
        if tokenizer is not None and not tokenizer.is_fast:
            setattr(pipe, name, transformers.AutoTokenizer.from_pretrained(str(folder / name), local_files_only=True))


def _check_family(folder: Path, pipe: DiffusionPipeline) -> None:
    unet, vae = getattr(pipe, "unet", None), getattr(pipe, "vae", None)
    kind = type(pipe).__name__
    expected = (
        "a text-to-image pipeline of the Stable Diffusion 1, 2 or XL family (UNet2DConditionModel, AutoencoderKL)"
    )
    reason = ""
    if not isinstance(unet, UNet2DConditionModel) or not isinstance(vae, AutoencoderKL):
        reason = f"has unet {type(unet).__name__}, vae {type(vae).__name__}"
    elif unet.config.in_channels != vae.config.latent_channels:
        reason = f"its UNet takes {unet.config.in_channels} channels, its latents have {vae.config.latent_channels}"
    elif getattr(pipe, "tokenizer", None) is None or getattr(pipe, "text_encoder", None) is None:
        reason = "has no tokenizer or text_encoder"
    elif unet.config.addition_embed_type not in (None, "text_time") or unet.config.encoder_hid_dim_type is not None:
        reason = f"its UNet wants {unet.config.addition_embed_type or unet.config.encoder_hid_dim_type} conditioning"
    if reason:
        raise GeneratorError(f"generator {str(folder)!r}: {kind} {reason}; expected {expected}")


def load_adapter(pipe: DiffusionPipeline, adapter: Source) -> None:
    """Loads a LoRA into the pipeline.

    Raises:
        MissingExtra: peft is not installed.
        ModelError: the adapter cannot be fetched, or does not fit the pipeline.
    """
    what = f"adapter {adapter.reference!r}"
    if find_spec("peft") is None:
        raise MissingExtra(f"{what} needs peft; install dataset-dm[lora]")
    file = adapter_file(adapter)
    try:
        with quiet():
            pipe.load_lora_weights(str(file.parent), weight_name=file.name, use_safetensors=True)
    except _LOAD_ERRORS as error:
        raise ModelError(
            f"{what}: does not fit this generator ({type(error).__name__}: {reason_of(error)}); "
            "expected a LoRA trained for it"
        ) from error
    if not pipe.get_active_adapters():
        raise ModelError(f"{what}: no layer of it fits this generator; expected a LoRA trained for it")
