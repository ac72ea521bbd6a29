"""Content hash of a model folder: equal bytes → equal fingerprint, wherever the folder lies."""

import hashlib
import json
import re
from functools import lru_cache
from pathlib import Path

# what a pipeline reads: configs, weights, tokenizer tables; never read: READMEs, pictures, pickled copies
_READ_SUFFIXES = {".json", ".safetensors", ".txt", ".model"}
_CHUNK = 1 << 22


def folder_fingerprint(folder: Path) -> str:
    """sha256 over the sorted (relative path, bytes) of what a pipeline folder loads, its first 16 hex digits.

    Args:
        folder: holds `model_index.json` and one subfolder a component; other files and subfolders are left out.
    """
    index = json.loads((folder / "model_index.json").read_text())
    components = {name for name in index if (folder / name).is_dir()}
    paths = [folder / "model_index.json"]
    for name in components:
        paths += [path for path in (folder / name).rglob("*") if path.is_file() and path.suffix in _READ_SUFFIXES]
    return _combine(folder, paths)


def file_fingerprint(path: Path) -> str:
    """sha256 of one file or, for a folder, of its safetensors files; the first 16 hex digits."""
    if path.is_dir():
        return _combine(path, [file for file in path.rglob("*.safetensors") if file.is_file()])
    return _digest_now(path)[:16]


def _combine(folder: Path, paths: list[Path]) -> str:
    total = hashlib.sha256()
    for name, path in sorted((path.relative_to(folder).as_posix(), path) for path in paths):
        total.update(f"{name}\0{_digest_now(path)}\n".encode())
    return total.hexdigest()[:16]


def _digest_now(path: Path) -> str:
    target = path.resolve()
    if target.parent.name == "blobs" and re.fullmatch(r"[0-9a-f]{64}", target.name):
        return target.name  # the Hub's cache names large files by their sha256: nothing to read
    stat = target.stat()
    return _digest(str(target), stat.st_mtime_ns, stat.st_size)


@lru_cache(maxsize=4096)
def _digest(path: str, mtime_ns: int, size: int) -> str:
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()
