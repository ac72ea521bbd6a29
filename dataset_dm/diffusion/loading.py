"""From a path or a Hub id to a checked pipeline in memory: safetensors only, no remote code, quiet."""

import json
import re
import textwrap
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

from dataset_dm.errors import ConfigError, GeneratorError, MissingExtra, ModelError, explain
from dataset_dm.models.pretrained import check_complete, load_whole

_LONGEST_QUOTE = 160  # characters of a library's message that ours repeats
_PICKLES = {".bin", ".pt", ".pth", ".ckpt", ".pkl", ".msgpack", ".h5"}
_HUB_ID = re.compile(r"\w[\w.-]*/\w[\w.-]*")
# whatever a damaged or foreign folder makes the libraries raise; all of it becomes one line for the user
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
    """No progress bars and no notices of the two libraries for the duration; errors and our own warnings still show."""
    libraries = (diffusers.utils.logging, transformers.utils.logging)
    before = [(library.get_verbosity(), library.is_progress_bar_enabled()) for library in libraries]
    for library in libraries:
        library.set_verbosity_error()
        library.disable_progress_bar()
    try:
        with warnings.catch_warnings():
            # schedulers of diffusers mix tensors and arrays in a way that numpy 2 frowns upon
            warnings.filterwarnings("ignore", message="__array(__|_wrap__) ", category=DeprecationWarning)
            yield
    finally:
        for library, (verbosity, bar) in zip(libraries, before, strict=True):
            library.set_verbosity(verbosity)
            if bar:
                library.enable_progress_bar()


def first_line(error: BaseException) -> str:
    """The first line of a library's message, shortened, for ours to quote."""
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return textwrap.shorten(lines[0], _LONGEST_QUOTE, placeholder=" …")


def split_revision(source: str) -> tuple[str, str | None]:
    """`"name@revision"` → (name, revision); a path that exists is left whole.

    >>> split_revision("some/model@v1")
    ('some/model', 'v1')
    """
    if Path(source).expanduser().exists() or "@" not in source:
        return source, None
    name, revision = source.rsplit("@", 1)
    if not name or not revision:
        raise ConfigError(explain("model id", got=source, expected="name@revision with neither part empty"))
    return name, revision


def fetch_folder(source: str) -> tuple[Path, str | None]:
    """The local folder of a pipeline and, for a Hub id, the resolved commit.

    Args:
        source: a folder, or `owner/name` with an optional `@revision`. A Hub id is downloaded once (safetensors only);
            offline mode is respected.

    Raises:
        GeneratorError: there is no such folder or id, or it cannot be fetched.
    """
    folder = Path(source).expanduser()
    if folder.is_dir():
        return folder, None
    name, revision = split_revision(source)
    if Path(name).expanduser().is_dir():
        raise GeneratorError(
            explain(f"generator {source!r}", expected="no @revision on a local folder", remedy=f"write {name!r}")
        )
    if folder.exists() or not _HUB_ID.fullmatch(name):
        remedy = "check the path, or give a Hub id as owner/name"
        raise GeneratorError(explain("generator", got=source, expected="a pipeline folder that exists", remedy=remedy))
    try:
        with quiet():
            cached = DiffusionPipeline.download(name, revision=revision, use_safetensors=True)
    except _LOAD_ERRORS as error:
        raise GeneratorError(
            f"generator {source!r}: cannot be fetched from the Hub ({type(error).__name__}: {first_line(error)}); "
            "check id, revision and network, or give a local folder; only safetensors weights are taken"
        ) from error
    commit = Path(cached).name
    return Path(cached), commit


def check_folder(folder: Path) -> None:
    """Refuses, before anything heavy is loaded, a folder that is no diffusers pipeline or whose weights are pickled.

    Raises:
        GeneratorError: with what is missing and what to do.
    """
    index_file = folder / "model_index.json"
    if not index_file.is_file():
        remedy = "give the folder that pipeline.save_pretrained wrote"
        raise GeneratorError(
            f"generator {str(folder)!r}: not a diffusers pipeline, it has no model_index.json; {remedy}"
        )
    try:
        index = json.loads(index_file.read_text(encoding="utf-8"))
    except ValueError as error:
        raise GeneratorError(
            f"generator {str(folder)!r}: model_index.json is not JSON ({first_line(error)})"
        ) from error
    if not isinstance(index, dict) or not isinstance(index.get("_class_name"), str):
        raise GeneratorError(
            f"generator {str(folder)!r}: model_index.json names no stock pipeline class; remote code is not run"
        )
    for name, entry in index.items():
        if not isinstance(entry, list) or len(entry) != 2 or entry[0] is None:
            continue
        part = folder / name
        if not part.is_dir():
            raise GeneratorError(f"generator {str(folder)!r}: incomplete, the folder {name!r} is missing")
        suffixes = {path.suffix for path in part.iterdir()}
        if suffixes & _PICKLES and ".safetensors" not in suffixes:
            raise GeneratorError(
                f"generator {str(folder)!r}: {name!r} has pickled weights only "
                f"({', '.join(sorted(suffixes & _PICKLES))}), expected safetensors; "
                "convert them with pipeline.save_pretrained(…, safe_serialization=True)"
            )


def load_pipeline(folder: Path, *, dtype: torch.dtype, device: torch.device) -> DiffusionPipeline:
    """The pipeline in eval mode, without gradients and without a progress bar.

    Raises:
        GeneratorError: the folder is damaged, or its family is not supported.
    """
    check_folder(folder)
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
            f"generator {str(folder)!r}: cannot be loaded ({type(error).__name__}: {first_line(error)}); "
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
    index = json.loads((folder / "model_index.json").read_text(encoding="utf-8"))
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


def load_adapter(pipe: DiffusionPipeline, adapter: str) -> Path:
    """Puts a LoRA (a safetensors file, a folder with one, or a Hub id[@revision]) onto the pipeline; returns its file.

    Raises:
        MissingExtra: peft is not installed.
        ModelError: there is no such adapter, it is pickled, or it does not fit the pipeline.
    """
    if find_spec("peft") is None:
        raise MissingExtra(f"adapter {adapter!r} needs peft; install dataset-dm[lora]")
    file = _adapter_file(adapter)
    try:
        with quiet():
            pipe.load_lora_weights(str(file.parent), weight_name=file.name, use_safetensors=True)
    except _LOAD_ERRORS as error:
        raise ModelError(
            f"adapter {adapter!r}: does not fit this generator ({type(error).__name__}: {first_line(error)}); "
            "expected a LoRA trained for it"
        ) from error
    if not pipe.get_active_adapters():
        raise ModelError(f"adapter {adapter!r}: no layer of it fits this generator; expected a LoRA trained for it")
    return file


def _adapter_file(adapter: str) -> Path:
    path = Path(adapter).expanduser()
    if not path.exists():
        name, revision = split_revision(adapter)
        if not _HUB_ID.fullmatch(name) or Path(name).suffix in _PICKLES | {".safetensors"}:
            raise ModelError(explain("adapter", got=adapter, expected="a LoRA file, its folder, or a Hub id"))
        from huggingface_hub import snapshot_download

        try:
            path = Path(snapshot_download(name, revision=revision, allow_patterns=["*.safetensors"]))
        except (OSError, ValueError) as error:
            raise ModelError(f"adapter {adapter!r}: cannot be fetched ({first_line(error)})") from error
    if path.is_dir():
        files = sorted(path.glob("*.safetensors"))
        preferred = [file for file in files if file.name == "pytorch_lora_weights.safetensors"] or files
        if len(preferred) != 1:
            expected = "exactly one .safetensors file"
            raise ModelError(explain(f"adapter {adapter!r}", got=[file.name for file in files], expected=expected))
        path = preferred[0]
    if path.suffix != ".safetensors":
        raise ModelError(explain("adapter", got=adapter, expected="a .safetensors file; pickled weights are not read"))
    return path
