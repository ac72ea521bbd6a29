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

from dataset_dm.errors import ConfigError, ModelError, StoreError, explain
from dataset_dm.files.home import home

INDEX = "model_index.json"  # the file that makes a folder a pipeline of diffusers
SAFETENSORS = ".safetensors"
PICKLED = (".bin", ".pt", ".pth", ".ckpt", ".pkl", ".msgpack", ".h5")  # weights that are never read
# files that decide a model's output; cards, images and training leftovers do not
_DECISIVE = (".json", SAFETENSORS, ".txt", ".model", ".jinja")
# hashes of files of at least this size are cached by size and time
_REMEMBER_FROM = 64 * 2**20
_BLOCK = 2**20
_HUB_ID = re.compile(r"\w[\w.-]*/\w[\w.-]*")
_COMMIT = re.compile(r"[0-9a-f]{40}")
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Source:
    """A model that was found.

    Args:
        name: a known name, an absolute path or a Hub id without the revision; finds the model again.
        revision: the resolved commit of a Hub id; None for a local folder or file.
        path: the local folder or file that is loaded; None for a Hub id.
    """

    name: str
    revision: str | None
    path: Path | None

    @property
    def reference(self) -> str:
        """`name` or `name@revision`: what `Backbone.load` and annotators take."""
        return self.name if self.revision is None else f"{self.name}@{self.revision}"

    def fingerprint(self) -> str:
        """The model's hash in a plan, 16 hex digits: over its content, or over the commit of a Hub id.

        A commit fixes every byte, so that a plan needs no download. What compares models across places, such as the
        generator that a decoder was trained for, uses `content`.
        """
        if self.path is None:
            return hashlib.sha256(f"hub:{self.reference}".encode()).hexdigest()[:16]
        return fingerprint(self.path)

    @property
    def content(self) -> str | None:
        """Content hash of a local model, as `Backbone.fingerprint`; None for a Hub id, which may not be downloaded."""
        return None if self.path is None else fingerprint(self.path)

    def read_json(self, file: str) -> dict[str, Any] | None:
        """A JSON file of the model, None without one of that name; of a Hub id only this file is downloaded."""
        path = self.path / file if self.path is not None else _from_hub(self.name, self.revision, file)
        if path is None or not path.is_file():
            return None
        try:
            return json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise ModelError(
                explain(f"{path}: not readable as JSON ({error})", remedy="fetch the model again")
            ) from error


def model_name(what: str, value: object) -> str:
    """A model's name, path or Hub id as text; ConfigError for anything else."""
    if isinstance(value, Path):
        return str(value)
    if not isinstance(value, str) or not value.strip():
        raise ConfigError(explain(what, got=value, expected="a name, a path or a Hub id"))
    return value.strip()


def split_revision(given: str) -> tuple[str, str | None]:
    """`"name@revision"` → (name, revision); an existing path is never split, though it may hold an @.

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
    """The model called `given`: a known name, an existing path, or a Hub id with an optional `@revision`.

    Args:
        what: the argument that is meant, for messages.
        known: names of models that come with the package, with their paths.
        expected: replaces the list of what is taken in messages.

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
    """Content hash, 16 hex digits, over the files that decide the output of a model file or folder.

    Of a pipeline `model_index.json` and the folders of its components count, of a decoder `config.json` and
    `model.safetensors`; cards, plots and training leftovers do not.

    Args:
        every: count every file of a decisive kind, as in the folder of a language model with its tokenizer.
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
        asked = name if revision is None else f"{name}@{revision}"
        reason = " ".join(str(error).split())[:160]
        raise ModelError(
            explain(
                f"{what}: {name!r} is no existing path, and neither the Hub nor its local cache has it "
                f"({asked}: {reason})",
                remedy="check the id and the network, or give the path of a local folder",
            )
        ) from error


def _from_hub(name: str, revision: str | None, file: str) -> Path | None:
    from huggingface_hub import hf_hub_download
    from huggingface_hub.errors import EntryNotFoundError, HfHubHTTPError

    try:
        return Path(hf_hub_download(name, file, revision=revision))
    except EntryNotFoundError:  # the model has no such file, or it is not in the cache while offline
        return None
    except (HfHubHTTPError, OSError) as error:
        reason = " ".join(str(error).split())[:160]
        raise ModelError(explain(f"{name}: {file} cannot be fetched ({reason})", remedy="check the network")) from error
