"""A decoder on disk: `config.json` and `model.safetensors`, nothing that runs code on loading."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load_file, save
from torch import Tensor

from dataset_dm.decoder.config import PDecoderConfig
from dataset_dm.errors import ModelError, UserError
from dataset_dm.files import write_atomically
from dataset_dm.sources import find

CONFIG, WEIGHTS = "config.json", "model.safetensors"


def write_checkpoint(
    folder: str | Path, config: PDecoderConfig, weights: Mapping[str, Tensor], *, half: bool = False
) -> Path:
    """Writes both files, each through a temporary name, and returns the folder.

    Args:
        half: store floats as float16; a decoder loses nothing that can be measured.
    """
    folder = Path(folder)
    kept = {name: value.detach().cpu().contiguous() for name, value in weights.items()}
    if half:
        kept = {name: value.half() if value.is_floating_point() else value for name, value in kept.items()}
    write_atomically(folder / WEIGHTS, save(kept))
    text = json.dumps(config.to_dict(), indent=2, ensure_ascii=False) + "\n"
    write_atomically(folder / CONFIG, text.encode("utf-8"))
    return folder


def read_checkpoint(source: str | Path) -> tuple[PDecoderConfig, dict[str, Tensor]]:
    """Config and weights of a folder or Hub id; ModelError with one line when they cannot be read."""
    folder = locate_checkpoint(source)
    if not (folder / CONFIG).is_file():
        raise ModelError(f"decoder {str(source)!r}: no {CONFIG} in it; expected a folder written by `dataset-dm train`")
    if not (folder / WEIGHTS).is_file():
        raise ModelError(f"decoder {str(source)!r}: no {WEIGHTS} in it; only safetensors are loaded, never pickle")
    try:
        config = PDecoderConfig.from_dict(json.loads((folder / CONFIG).read_text(encoding="utf-8")))
    except (UserError, ValueError, TypeError, KeyError) as error:
        raise ModelError(f"decoder {str(source)!r}: {CONFIG} cannot be read: {error}") from error
    try:
        return config, load_file(folder / WEIGHTS)
    except (SafetensorError, OSError) as error:
        raise ModelError(
            f"decoder {str(source)!r}: {WEIGHTS} cannot be read: {error}; fetch or train it again"
        ) from error


def locate_checkpoint(source: str | Path) -> Path:
    """The local folder of a path or Hub id (``id@revision``), downloaded unless offline mode forbids it."""
    found = find(str(source), what="decoder", known={})
    if found.path is not None:
        return found.path
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError

    try:
        return Path(snapshot_download(found.name, revision=found.revision, allow_patterns=[CONFIG, WEIGHTS]))
    except (HfHubHTTPError, HFValidationError, OSError) as error:
        reason = " ".join(str(error).split())[:160]
        raise ModelError(f"decoder {str(source)!r}: neither a folder nor to be had from the Hub ({reason})") from error


def checkpoint_hash(source: str | Path) -> str:
    """16 hex digits that fix the decoder's bytes: the annotator's share of a label fingerprint."""
    return find(str(source), what="decoder", known={}).fingerprint()
