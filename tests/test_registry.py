"""The names under `dataset_dm/` reach their builders through the real `datasets`, whatever is imported first."""

import importlib.util
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import datasets
import pytest

from dataset_dm import registry
from dataset_dm.errors import ConfigError, UnknownDatasetError

HERE = Path(__file__).resolve().parent
SQUARES = [{"number": n, "square": n * n} for n in range(4)]


@pytest.fixture(autouse=True)
def tiny(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """`dataset_dm/tiny` is registered, nothing is asked from the Hub, the current folder and the cache are empty."""
    monkeypatch.syspath_prepend(HERE)
    monkeypatch.setitem(registry.BUILDERS, "dataset_dm/tiny", "tiny_builder")
    monkeypatch.setattr(datasets.config, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")
    monkeypatch.chdir(tmp_path)


def write_folder_set(name: str) -> None:
    Path(name).mkdir(parents=True)
    Path(name, "train.csv").write_text("word\nlocal\n")


def test_map_style_with_an_argument() -> None:
    rows = datasets.load_dataset("dataset_dm/tiny", "squares", rows=4, split="train")
    assert rows.to_list() == SQUARES


def test_streaming() -> None:
    rows = datasets.load_dataset("dataset_dm/tiny", rows=4, split="train", streaming=True)
    assert isinstance(rows, datasets.IterableDataset)
    assert list(rows) == SQUARES


def test_cache_folder_carries_our_name(tmp_path: Path) -> None:
    builder = datasets.load_dataset_builder("dataset_dm/tiny")
    assert Path(builder.cache_dir).is_relative_to(tmp_path / "cache" / "dataset_dm___tiny")
    assert Path(builder.cache_dir).name == registry.code_hash("tiny_builder")


def test_functions_beside_load_dataset_know_the_name_too() -> None:
    assert datasets.get_dataset_config_names("dataset_dm/tiny") == ["squares"]
    assert datasets.get_dataset_split_names("dataset_dm/tiny") == ["train"]


def test_registered_name_wins_over_a_local_folder() -> None:
    write_folder_set("dataset_dm/tiny")
    assert datasets.load_dataset("dataset_dm/tiny", split="train").column_names == ["number", "square"]


@pytest.mark.parametrize("path", ["dataset_dm/my_own", "./dataset_dm/tiny", "elsewhere"])
def test_local_folders_still_load(path: str) -> None:
    write_folder_set(path)
    assert datasets.load_dataset(path, split="train")["word"][:] == ["local"]


def test_a_damaged_local_folder_keeps_the_error_of_datasets() -> None:
    Path("dataset_dm/empty").mkdir(parents=True)
    with pytest.raises(FileNotFoundError) as caught:
        datasets.load_dataset("dataset_dm/empty")
    assert not isinstance(caught.value, UnknownDatasetError)


def test_unknown_name_lists_the_known_ones() -> None:
    with pytest.raises(UnknownDatasetError) as caught:
        datasets.load_dataset("dataset_dm/voc_sinth")
    message = str(caught.value)
    assert (
        "dataset_dm/coco_synth, dataset_dm/miniature, dataset_dm/nyu_synth, dataset_dm/tiny, dataset_dm/voc_synth"
        in message
    )
    assert message.endswith("; did you mean 'dataset_dm/voc_synth'?")
    assert "\n" not in message
    assert isinstance(caught.value.__cause__, OSError)


def test_foreign_names_keep_the_errors_of_datasets() -> None:
    with pytest.raises(ConnectionError) as caught:
        datasets.load_dataset("somebody/else")
    assert not isinstance(caught.value, UnknownDatasetError)


@pytest.mark.parametrize("argument", [{"revision": "v2"}, {"data_files": "a.csv"}, {"data_dir": "a"}])
def test_arguments_of_file_sets_are_refused(argument: dict[str, str]) -> None:
    name, value = next(iter(argument.items()))
    with pytest.raises(ConfigError, match=rf"^dataset_dm/tiny: {name}: got '{value}'.*hf://datasets/dataset_dm/tiny$"):
        datasets.load_dataset("dataset_dm/tiny", **argument)


def test_main_is_a_revision_everybody_has() -> None:
    assert datasets.load_dataset_builder("dataset_dm/tiny", revision="main").config.name == "squares"


def test_installing_again_changes_nothing() -> None:
    before = datasets.load.dataset_module_factory
    registry.install()
    registry.register(datasets.load)
    assert datasets.load.dataset_module_factory is before
    assert not hasattr(before.__wrapped__, "__wrapped__")
    assert sum(type(finder).__name__ == "_HostFinder" for finder in sys.meta_path) == 1


def test_code_hash_follows_the_source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    hashes = []
    for number, source in enumerate(["a = 1\n", "a = 1\n", "a = 2\n"]):
        folder = tmp_path / f"package_{number}"
        folder.mkdir()
        (folder / "__init__.py").write_text("")
        (folder / "leaf.py").write_text("")
        (folder / "_base.py").write_text(source)
        hashes.append(registry.code_hash(f"package_{number}.leaf"))
    assert hashes[0] == hashes[1] != hashes[2]


def test_lazy_modules_are_not_woken(monkeypatch: pytest.MonkeyPatch) -> None:
    spec = importlib.util.find_spec("this")  # printing a poem, if it ever ran
    assert spec is not None and spec.loader is not None
    spec.loader = importlib.util.LazyLoader(spec.loader)
    lazy = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "this", lazy)
    spec.loader.exec_module(lazy)
    host = ModuleType("host")
    host.dataset_module_factory = lambda path, revision=None: path
    monkeypatch.setitem(sys.modules, "host", host)
    registry.register(host)
    assert host.dataset_module_factory("somebody/else") == "somebody/else"
    assert hasattr(host.dataset_module_factory, "__wrapped__")
    assert type(lazy).__name__ == "_LazyModule"


OURS_FIRST = "import dataset_dm, datasets, datasets.inspect"
THEIRS_FIRST = "import datasets, datasets.inspect; from datasets.load import dataset_module_factory; import dataset_dm"
THREADS = """
import importlib, threading
names = ["datasets", "dataset_dm"] * 4
threads = [threading.Thread(target=importlib.import_module, args=(name,)) for name in names]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
import dataset_dm, datasets
"""


@pytest.mark.parametrize("imports", [OURS_FIRST, THEIRS_FIRST, THREADS], ids=["ours", "theirs", "threads"])
def test_every_order_of_imports(imports: str) -> None:
    check = f"""
sys.path.append({str(HERE)!r})
dataset_dm.registry.BUILDERS["dataset_dm/tiny"] = "tiny_builder"
assert datasets.load_dataset_builder("dataset_dm/tiny").config.rows == 3
assert datasets.get_dataset_config_names("dataset_dm/tiny") == ["squares"]
assert globals().get("dataset_module_factory", datasets.load.dataset_module_factory).__wrapped__
assert type(datasets.load.__spec__.loader).__name__ == "SourceFileLoader"
print("both work")
"""
    run = subprocess.run(
        [sys.executable, "-c", f"import sys\n{imports}\n{check}"], cwd=HERE.parent, capture_output=True, text=True
    )
    assert (run.stdout, run.returncode) == ("both work\n", 0), run.stderr
