"""Name → builder, plugged into `datasets`.

`datasets` has no entry points, and its table of packaged modules refuses a name with a slash, so the one function that
turns a name into a builder, `datasets.load.dataset_module_factory`, is wrapped. A registered name wins over a local
folder of that name, which wins over the Hub; everything else reaches `datasets` untouched, `hf://datasets/…` included.

`install` is cheap and may be called before or after `datasets` is imported, any number of times, from any thread.
"""

import functools
import importlib
import importlib.util
import os
import sys
import threading
from collections.abc import Callable, Sequence
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

from dataset_dm.errors import ConfigError, UnknownDatasetError, did_you_mean, explain

# here rather than in `dataset_dm`, which imports the public names of all rooms: rooms that record it import this module
__version__ = "0.1.0"

NAMESPACE = "dataset_dm"
# name for load_dataset → module of the builder class
BUILDERS: dict[str, str] = {
    f"{NAMESPACE}/coco_synth": "dataset_dm.builders.coco_synth",
    f"{NAMESPACE}/miniature": "dataset_dm.builders.miniature",
    f"{NAMESPACE}/nyu_synth": "dataset_dm.builders.nyu_synth",
    f"{NAMESPACE}/voc_synth": "dataset_dm.builders.voc_synth",
}

_HOST = "datasets.load"
_WRAPPED = "dataset_module_factory"
_MARK = "_dataset_dm_wraps"
_lock = threading.RLock()


def install() -> None:
    """Plug the table into `datasets`: now if it is imported, else when it is imported."""
    with _lock:
        if not any(isinstance(finder, _HostFinder) for finder in sys.meta_path):
            sys.meta_path.insert(0, _HostFinder())
    if _HOST in sys.modules:
        register(importlib.import_module(_HOST))  # waits where another thread is still importing it


def register(host: ModuleType) -> None:
    """Wrap `host.dataset_module_factory` once, in `host` and wherever else it was imported by name."""
    with _lock:
        original = getattr(host, _WRAPPED, None)
        if original is None or hasattr(original, _MARK):  # None: partly executed, its loader registers at the end
            return
        wrapper = _wrap(original, host)
        for module in list(sys.modules.values()):
            names = _namespace_of(module)
            if names.get(_WRAPPED) is original:
                names[_WRAPPED] = wrapper


def _wrap(original: Callable[..., Any], host: ModuleType) -> Callable[..., Any]:
    @functools.wraps(original)
    def dataset_module_factory(path: str, revision: object = None, *args: Any, **kwargs: Any) -> Any:
        name = str(path)
        if name in BUILDERS:
            _refuse_file_arguments(name, revision, kwargs)
            return _module_for(name, host)
        try:
            return original(path, revision, *args, **kwargs)
        except OSError as error:  # datasets' own DatasetNotFoundError, or no connection
            if not name.startswith(f"{NAMESPACE}/") or os.path.exists(name):
                raise
            raise UnknownDatasetError(_unknown(name, str(error))) from error

    setattr(dataset_module_factory, _MARK, original)
    return dataset_module_factory


def _module_for(name: str, host: ModuleType) -> Any:
    """The `datasets.load.DatasetModule` that leads `load_dataset` to our builder class."""
    module = BUILDERS[name]
    return host.DatasetModule(module, code_hash(module), {"dataset_name": name.split("/")[1], "repo_id": name})


@functools.lru_cache
def code_hash(module: str) -> str:
    """16 hex digits over the source of the module and its siblings: names the folder in the cache of `datasets`.

    Changed builders read the shard store again into a new folder; pixels and labels have fingerprints of their own.
    """
    import hashlib
    from pathlib import Path

    spec = importlib.util.find_spec(module)
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError(f"no builder module {module}; reinstall dataset-dm", name=module)
    digest = hashlib.sha256()
    for source in sorted(Path(spec.origin).parent.glob("*.py")):
        digest.update(source.name.encode() + b"\0" + source.read_bytes())
    return digest.hexdigest()[:16]


def _refuse_file_arguments(name: str, revision: object, kwargs: dict[str, Any]) -> None:
    """ConfigError for arguments about files and git history, which a generated set does not have."""
    given = {"revision": revision, "data_files": kwargs.get("data_files"), "data_dir": kwargs.get("data_dir")}
    for argument, value in given.items():
        if value and str(value) != "main":
            remedy = f"a Hub repository of that name is hf://datasets/{name}"
            raise ConfigError(
                explain(f"{name}: {argument}", got=value, expected="nothing, rows are made", remedy=remedy)
            )


def _unknown(name: str, reason: str) -> str:
    known = ", ".join(sorted(BUILDERS))
    said = " ".join(reason.split()).rstrip(".")
    return f"{name}: {said}; this package makes {known}{did_you_mean(name, BUILDERS)}"


def _namespace_of(module: object) -> dict[str, Any]:
    """A module's namespace, without triggering lazy modules, which load on ordinary attribute access."""
    try:
        return object.__getattribute__(module, "__dict__")
    except AttributeError:
        return {}


class _HostFinder:
    """Finds `datasets.load` with the other finders, and registers once it has been executed.

    Neither this nor the loader derives from `importlib.abc`: that module costs as much as the rest of the import.
    """

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname != _HOST:
            return None
        for finder in sys.meta_path:
            spec = None if isinstance(finder, _HostFinder) else finder.find_spec(fullname, path, target)
            if spec is not None:
                if spec.loader is not None:
                    spec.loader = _RegisteringLoader(spec.loader)
                return spec
        return None


class _RegisteringLoader:
    """Executes the module with its own loader, restores that loader, registers."""

    def __init__(self, inner: Any) -> None:
        self.inner = inner

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return self.inner.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        if module.__spec__ is not None:
            module.__spec__.loader = self.inner
        module.__loader__ = self.inner
        self.inner.exec_module(module)
        register(module)
