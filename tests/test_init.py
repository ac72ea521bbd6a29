"""`import dataset_dm as dm`: the names of `__all__`, imported when used, with docstrings whose examples run."""

import doctest
import inspect
import re
import subprocess
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest

import dataset_dm as dm
from tests.hub.conftest import hub, logged_in  # noqa: F401  (fixtures: a local Hub)
from tests.hub.loopback import LoopbackHub

ROOT = Path(__file__).resolve().parent.parent
VERBS = [name for name in dm.__all__ if name != "__version__"]
PROTOCOLS = ("Annotator",)
# in this order, since one reads what another wrote
ORDER = ["generate", "preview", "export", "import_labels", "push", "relabel"]
OPTIONS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


def examples(name: str) -> list[doctest.DocTest]:
    """The examples of a name and of its public methods, with `dm`'s names at hand."""
    names = {other: getattr(dm, other) for other in VERBS}
    found = doctest.DocTestFinder(recurse=True).find(getattr(dm, name), name, globs=names)
    return [each for each in found if each.examples]


def test_all_is_what_is_there_and_sorted() -> None:
    assert sorted(dm.__all__) == sorted({"__version__", *dm._DEFINED_IN})
    assert set(dm.__all__) <= set(dir(dm))
    with pytest.raises(AttributeError, match="no attribute 'no_such_name'"):
        dm.no_such_name  # noqa: B018


def test_type_checkers_see_the_same_names() -> None:
    source = Path(dm.__file__).read_text(encoding="utf-8")
    imported = re.findall(r"^    from dataset_dm\.([\w.]+) import (\w+)(?: as (\w+))?$", source, re.MULTILINE)
    declared = {alias or name: f"{module}:{name}" for module, name, alias in imported}
    assert declared == dm._DEFINED_IN


@pytest.mark.parametrize("name", VERBS)
def test_every_name_is_documented(name: str) -> None:
    doc = inspect.getdoc(getattr(dm, name)) or ""
    if inspect.isfunction(getattr(dm, name)):
        assert all(f"\n{part}:\n" in doc for part in ("Args", "Raises", "Examples")), doc
    assert name in PROTOCOLS or examples(name), "an example is missing"


def test_the_api_page_documents_every_name() -> None:
    page = (ROOT / "docs" / "pages" / "api.md").read_text(encoding="utf-8")
    assert sorted(re.findall(r"^::: dataset_dm\.(\w+)$", page, re.MULTILINE)) == sorted(VERBS)


def test_names_are_imported_when_they_are_used() -> None:
    code = (
        "import sys, dataset_dm as dm; assert 'dataset_dm.hub' not in sys.modules;"
        "assert dm.push.__module__ == 'dataset_dm.hub.push'; assert 'push' in vars(dm)"
    )
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A working folder with a store of its own."""
    home = tmp_path_factory.mktemp("face")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DATASET_DM_HOME", str(home / "store"))
        patch.setattr("datasets.config.HF_DATASETS_CACHE", str(home / "cache"))
        patch.chdir(home)
        yield home


@pytest.mark.parametrize(
    "name", [*(name for name in ORDER if name in VERBS), *(name for name in VERBS if name not in (*ORDER, *PROTOCOLS))]
)
def test_examples_run(folder: Path, name: str, logged_in: LoopbackHub) -> None:  # noqa: F811
    runner = doctest.DocTestRunner(optionflags=OPTIONS)
    said: list[str] = []
    with warnings.catch_warnings():
        # of huggingface_hub's own upload
        warnings.filterwarnings("ignore", "Use 'content=", DeprecationWarning)
        for example in examples(name):
            assert not any(each.options.get(doctest.SKIP) for each in example.examples)
            runner.run(example, out=said.append)
    assert runner.failures == 0 and runner.tries > 0, "".join(said)
