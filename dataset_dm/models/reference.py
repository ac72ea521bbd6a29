"""Models by name, path or Hub id, and hashes that identify their bytes; needs neither torch nor diffusers.

A plan compares hashes without loading weights: a finished set is read without its generator.
"""

from __future__ import annotations

import functools
import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from dataset_dm.errors import ConfigError, ModelError, StoreError, explain, reason_of
from dataset_dm.files.home import home

INDEX = "model_index.json"  # the file that makes a folder a pipeline of diffusers
SAFETENSORS = ".safetensors"
PICKLED = (".bin", ".pt", ".pth", ".ckpt", ".pkl", ".msgpack", ".h5")  # weights that are never read
# suffixes of files that determine a model's output
_DECISIVE = (".json", SAFETENSORS, ".txt", ".model", ".jinja")
# least size of files whose hashes are cached by size and time
_REMEMBER_FROM = 64 * 2**20
_BLOCK = 2**20
_HUB_ID = re.compile(r"\w[\w.-]*/\w[\w.-]*")
_COMMIT = re.compile(r"[0-9a-f]{40}")
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Source:
    """A located model.

    Args:
        name: a known name, an absolute path or a Hub id without the revision; `find` takes it.
        revision: the resolved commit of a Hub id; None for a local folder or file.
        path: the local folder or file that is loaded; None for a Hub id.
    """

    name: str
    revision: str | None
    path: Path | None

    @property
    def reference(self) -> str:
        """`name` or `name@revision`, the argument of `Backbone.load` and of annotators."""
        return self.name if self.revision is None else f"{self.name}@{self.revision}"

    def fingerprint(self) -> str:
        """The model's hash in a plan, 16 hex digits: of its content, or of the commit of a Hub id.

        A commit fixes every byte, so that a plan needs no download. `content` compares models across locations, such
        as the generator that a decoder was trained for.
        """
        if self.path is None:
            return hashlib.sha256(f"hub:{self.reference}".encode()).hexdigest()[:16]
        return fingerprint(self.path)

    @property
    def content(self) -> str | None:
        """Content hash of a local model, as `Backbone.fingerprint`; None for a Hub id, which may not be downloaded."""
        return None if self.path is None else fingerprint(self.path)

    def read_json(self, file: str) -> dict[str, Any] | None:
        """A JSON file of the model, or None if it lacks the file; of a Hub id only this file is downloaded."""
        path = self.path / file if self.path is not None else _from_hub(self.name, self.revision, file)
        if path is None or not path.is_file():
            return None
        try:
            return json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            line = f"{path}: not readable as JSON ({error})"
            raise ModelError(explain(line, remedy="fetch the model again")) from error


def model_name(what: str, value: object) -> str:
    """A model's name, path or Hub id as text; ConfigError for anything else."""
    if isinstance(value, Path):
        return str(value)
    if not isinstance(value, str) or not value.strip():
        raise ConfigError(explain(what, got=value, expected="a name, a path or a Hub id"))
    return value.strip()


def split_revision(given: str) -> tuple[str, str | None]:
    """`"name@revision"` → (name, revision); an existing path is never split, even if it contains an @.

    >>> split_revision("owner/model@v1")
    ('owner/model', 'v1')

    Raises ConfigError when name or revision is empty.
    """
    if "@" not in given or Path(given).expanduser().exists():
        return given, None
    name, _, revision = given.rpartition("@")
    if not name or not revision:
        raise ConfigError(explain("model id", got=given, expected="name@revision with neither part empty"))
    return name, revision


def is_hub_id(name: str) -> bool:
    """Whether a name without revision has the form of a Hub id, owner/name."""
    return _HUB_ID.fullmatch(name) is not None


def is_pipeline(folder: Path) -> bool:
    """Whether a folder is a pipeline of diffusers."""
    return (folder / INDEX).is_file()


def find(given: str, *, what: str, known: Mapping[str, Path] = MappingProxyType({}), expected: str = "") -> Source:
    """The model `given`: a known name, an existing path, or a Hub id with an optional `@revision`.

    Args:
        what: name of the argument, for messages.
        known: paths of the models in the package by name.
        expected: replaces the list of accepted forms in messages.

    Raises:
        ModelError: none of the three, or a Hub id that neither the Hub nor its cache has.
        ConfigError: an empty revision.
    """
    if given in known:
        return Source(given, None, known[given])
    path = Path(given).expanduser()
    if path.exists():
        return Source(str(path.resolve()), None, path.resolve())
    name, revision = split_revision(given)
    if Path(name).expanduser().exists():
        where = explain(f"{what} {given!r}", expected="no @revision on a local path", remedy=f"write {name!r}")
        raise ModelError(where)
    if not is_hub_id(name):
        ways = [*map(repr, known), "an existing path"]
        expected = expected or f"{', '.join(ways)} or a Hub id such as 'owner/name@revision'"
        raise ModelError(explain(what, got=given, expected=expected, remedy="check the path"))
    return Source(name, _commit(name, revision, what), None)


def fingerprint(path: Path, *, every: bool = False) -> str:
    """Content hash, 16 hex digits, of the files of a model file or folder that determine its output.

    For a pipeline these are `model_index.json` and its components' folders, for a decoder `config.json` and
    `model.safetensors`. Cards, plots and training state are excluded.

    Args:
        every: hash every file with a suffix in `_DECISIVE`, as for a language model with its tokenizer.
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
    index = folder / INDEX
    if is_pipeline(folder):
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
    except (OSError, ValueError):  # a cache: rebuilt when absent or damaged
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
    except StoreError:  # a cache that cannot be written is not an error
        pass


@functools.lru_cache(maxsize=64)
def _commit(name: str, revision: str | None, what: str) -> str:
    """The commit of a Hub id's revision, from the Hub once a process, or from the local cache when offline."""
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
        wanted = name if revision is None else f"{name}@{revision}"
        line = f"{what}: {name!r} is no existing path, and neither the Hub nor its local cache has it"
        remedy = "check the id and the network, or give the path of a local folder"
        raise ModelError(explain(f"{line} ({wanted}: {reason_of(error)})", remedy=remedy)) from error


def _from_hub(name: str, revision: str | None, file: str) -> Path | None:
    from huggingface_hub import hf_hub_download
    from huggingface_hub.errors import EntryNotFoundError, HfHubHTTPError

    try:
        return Path(hf_hub_download(name, file, revision=revision))
    except EntryNotFoundError:  # the model has no such file, or it is not in the cache while offline
        return None
    except (HfHubHTTPError, OSError) as error:
        line = f"{name}: {file} cannot be fetched ({reason_of(error)})"
        raise ModelError(explain(line, remedy="check the network")) from error
