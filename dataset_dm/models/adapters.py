"""LoRA adapters: the safetensors file, to load and to hash, of a file, a folder or a Hub id."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from dataset_dm.errors import ModelError, explain, reason_of
from dataset_dm.models.reference import PICKLED, SAFETENSORS, Source, find, model_name, split_revision

# diffusers' file name, preferred in a folder with several safetensors files
LORA = "pytorch_lora_weights.safetensors"


def find_adapter(given: object) -> Source:
    """The LoRA `given`; for a folder, `path` (and so the hash) is that of the file in it.

    Raises:
        ModelError: no such file, folder or Hub id, pickled weights, or a folder that does not have exactly one adapter.
    """
    name = model_name("adapter", given)
    there = Path(name).expanduser().exists()
    if not there and Path(split_revision(name)[0]).suffix in (SAFETENSORS, *PICKLED):  # the name of a file, not an id
        raise ModelError(explain("adapter", got=name, expected="a LoRA file, its folder, or a Hub id"))
    found = find(name, what="adapter", expected="a LoRA file, its folder, or a Hub id such as 'owner/name@revision'")
    return found if found.path is None else replace(found, path=_lora_file(found.path, name))


def adapter_file(found: Source) -> Path:
    """The safetensors file of an adapter; a Hub id is downloaded once. Raises ModelError when it cannot be fetched."""
    if found.path is not None:
        return found.path
    from huggingface_hub import snapshot_download

    try:
        folder = snapshot_download(found.name, revision=found.revision, allow_patterns=[f"*{SAFETENSORS}"])
    except (OSError, ValueError) as error:
        raise ModelError(f"adapter {found.reference!r}: cannot be fetched ({reason_of(error)})") from error
    return _lora_file(Path(folder), found.reference)


def _lora_file(path: Path, given: str) -> Path:
    if path.is_dir():
        files = sorted(path.glob(f"*{SAFETENSORS}"))
        preferred = [file for file in files if file.name == LORA] or files
        if len(preferred) != 1:
            expected = f"exactly one {SAFETENSORS} file"
            raise ModelError(explain(f"adapter {given!r}", got=[file.name for file in files], expected=expected))
        return preferred[0]
    if path.suffix != SAFETENSORS:
        expected = f"a {SAFETENSORS} file; pickled weights are not read"
        raise ModelError(explain("adapter", got=given, expected=expected))
    return path
