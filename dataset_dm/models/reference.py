"""Models by name, path or Hub id, and what identifies their bytes; needs neither torch nor diffusers.

A plan must know whether the weights are the ones a shard was made with, without loading them: reading a finished set
never touches the generator.
"""

from __future__ import annotations

import functools
import hashlib
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dataset_dm.errors import ModelError, StoreError, explain
from dataset_dm.files.home import home

# what decides a model's output; cards, pictures and training leftovers do not
_DECISIVE = (".json", ".safetensors", ".txt", ".model", ".jinja")
# files from here on are hashed once and remembered by size and time; smaller ones are hashed in no time
_REMEMBER_FROM = 64 * 2**20
_BLOCK = 2**20
_COMMIT = re.compile(r"[0-9a-f]{40}")
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Source:
    """A model that was found.

    Args:
        name: what opens it again: a known name, an absolute path or a Hub id, without the revision.
        revision: the resolved commit of a Hub id; None for a local folder or file.
        path: the local folder or file; None for a Hub id.
    """

    name: str
    revision: str | None
    path: Path | None

    @property
    def reference(self) -> str:
        """`name` or `name@revision`: what `Backbone.load` and annotators take."""
        return self.name if self.revision is None else f"{self.name}@{self.revision}"

    def fingerprint(self) -> str:
        """16 hex digits over the bytes that decide the output; of a Hub id over the commit, which fixes every byte."""
        if self.path is None:
            return hashlib.sha256(f"hub:{self.reference}".encode()).hexdigest()[:16]
        return fingerprint(self.path)

    def read_json(self, file: str) -> dict[str, Any] | None:
        """A JSON file of the model, None when it has none of that name; a Hub id is asked for this one file only."""
        path = self.path / file if self.path is not None else _from_hub(self.name, self.revision, file)
        if path is None or not path.is_file():
            return None
        try:
            return json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise ModelError(
                explain(f"{path}: not readable as JSON ({error})", remedy="fetch the model again")
            ) from error


def split_revision(given: str) -> tuple[str, str | None]:
    """`"id@revision"` → ("id", "revision"); an existing path is never split, though it may hold an @."""
    if "@" in given and not Path(given).expanduser().exists():
        name, _, revision = given.rpartition("@")
        return name, revision or None
    return given, None


def find(given: str, *, what: str, known: dict[str, Path]) -> Source:
    """The model called `given`: a known name, an existing path, or a Hub id with an optional `@revision`.

    Raises ModelError with one line when it is none of the three; `what` says which argument is meant.
    """
    if given in known:
        return Source(given, None, known[given])
    path = Path(given).expanduser()
    if path.exists():
        return Source(str(path.resolve()), None, path.resolve())
    name, revision = split_revision(given)
    expected = f"{' or '.join(map(repr, known))}, an existing path or a Hub id such as 'owner/name@revision'"
    if not _looks_like_hub_id(name):
        raise ModelError(explain(what, got=given, expected=expected, remedy="check the spelling of the path"))
    return Source(name, _commit(name, revision, what), None)


def fingerprint(path: Path, *, every: bool = False) -> str:
    """16 hex digits over what a model file or folder loads; of a pipeline it is `Backbone.fingerprint` too.

    In a pipeline folder only `model_index.json` and its components count, in a decoder folder only `config.json` and
    `model.safetensors`: cards, plots and training leftovers decide nothing. With `every` file of a kind that can decide
    they all count, as in the folder of a language model with its tokenizer.
    """
    if path.is_file():
        return _file_hash(path)[:16]
    digest = hashlib.sha256()
    for name, file in sorted((file.relative_to(path).as_posix(), file) for file in _decisive(path, every)):
        digest.update(f"{name}\0{_file_hash(file)}\n".encode())
    return digest.hexdigest()[:16]


def _decisive(folder: Path, every: bool) -> list[Path]:
    if every:
        return list(filter(_is_decisive, folder.rglob("*")))
    index = folder / "model_index.json"
    if index.is_file():
        parts = [folder / name for name in json.loads(index.read_text(encoding="utf-8")) if (folder / name).is_dir()]
        return [index, *(file for part in parts for file in part.rglob("*") if _is_decisive(file))]
    decoder = [folder / "config.json", folder / "model.safetensors"]
    return decoder if all(file.is_file() for file in decoder) else list(filter(_is_decisive, folder.rglob("*")))


def _is_decisive(file: Path) -> bool:
    return file.suffix in _DECISIVE and file.is_file()


def _file_hash(file: Path) -> str:
    target = file.resolve()
    if target.parent.name == "blobs" and _SHA256.fullmatch(target.name):
        return target.name  # the Hub's cache names large files by their sha256
    stat = target.stat()
    return _hash_now(str(target), stat.st_size, stat.st_mtime_ns)


@functools.lru_cache(maxsize=4096)
def _hash_now(path: str, size: int, mtime_ns: int) -> str:
    if size < _REMEMBER_FROM:
        return hashlib.sha256(Path(path).read_bytes()).hexdigest()
    remembered = home() / "hashes.json"
    key = f"{path}|{size}|{mtime_ns}"
    try:
        table = json.loads(remembered.read_text(encoding="utf-8"))
    except (OSError, ValueError):  # a cache: absent or damaged, it is made anew
        table = {}
    if key not in table:
        digest = hashlib.sha256()
        with open(path, "rb") as handle:
            while block := handle.read(_BLOCK):
                digest.update(block)
        table[key] = digest.hexdigest()
        _remember(remembered, table)
    return table[key]


def _remember(file: Path, table: dict[str, str]) -> None:
    from dataset_dm.files.atomic import write_atomically

    try:
        write_atomically(file, json.dumps(table, indent=1).encode())
    except StoreError:  # no room for a cache is no reason to stop
        pass


def _looks_like_hub_id(name: str) -> bool:
    parts = name.split("/")
    return len(parts) == 2 and all(parts) and not name.startswith((".", "~")) and "\\" not in name


@functools.lru_cache(maxsize=64)
def _commit(name: str, revision: str | None, what: str) -> str:
    """The commit behind a Hub id: asked of the Hub once a process, or of the local cache when offline."""
    if revision is not None and _COMMIT.fullmatch(revision):
        return revision
    from huggingface_hub import HfApi, constants
    from huggingface_hub.errors import HfHubHTTPError, OfflineModeIsEnabled

    try:
        return str(HfApi().model_info(name, revision=revision, timeout=10).sha)
    except (OfflineModeIsEnabled, HfHubHTTPError, OSError) as error:
        folder = Path(constants.HF_HUB_CACHE) / f"models--{name.replace('/', '--')}"
        reference = folder / "refs" / (revision or "main")
        if reference.is_file():
            return reference.read_text(encoding="utf-8").strip()
        reason = " ".join(str(error).split())[:160]
        raise ModelError(
            explain(
                f"{what}: {name!r} is no existing path, and neither the Hub nor its local cache has it ({reason})",
                remedy="check the id and the network, or give the path of a local folder",
            )
        ) from error


def _from_hub(name: str, revision: str | None, file: str) -> Path | None:
    from huggingface_hub import hf_hub_download
    from huggingface_hub.errors import EntryNotFoundError, HfHubHTTPError

    try:
        return Path(hf_hub_download(name, file, revision=revision))
    except EntryNotFoundError:  # the model has no such file, or nobody fetched it before going offline
        return None
    except (HfHubHTTPError, OSError) as error:
        reason = " ".join(str(error).split())[:160]
        raise ModelError(explain(f"{name}: {file} cannot be fetched ({reason})", remedy="check the network")) from error
