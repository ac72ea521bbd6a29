"""What is installed is what lies in the tree, as a wheel and with -e."""

import configparser
import importlib.metadata
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Collection
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import dataset_dm

ROOT = Path(__file__).resolve().parent.parent
FOLDERS = {"dataset_dm": "dataset_dm", "builders": "dataset_dm/builders", "cards": "dataset_dm/cards"}
DOCS = "docs"  # the extra that tests do not need
# a CUDA build of torch brings and pins these itself
CUDA = re.compile(r"^(nvidia|cuda|triton)")


def setup_cfg() -> configparser.ConfigParser:
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg")
    return config


def lines(option: str) -> list[str]:
    return [line for line in option.splitlines() if line.strip()]


def files_in_tree() -> set[str]:
    """Every file the package consists of, under the path an installation gives it."""
    return {
        f"{installed}/{path.relative_to(ROOT / folder).as_posix()}"
        for folder, installed in FOLDERS.items()
        for path in (ROOT / folder).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


def test_packages_are_the_folders_of_the_tree() -> None:
    packages = {path.rpartition("/")[0].replace("/", ".") for path in files_in_tree() if path.endswith(".py")}
    assert lines(setup_cfg()["options"]["packages"]) == sorted(packages), "list them in setup.cfg"


def test_every_package_has_its_init() -> None:
    files = files_in_tree()
    missing = [
        name
        for name in lines(setup_cfg()["options"]["packages"])
        if f"{name.replace('.', '/')}/__init__.py" not in files
    ]
    assert missing == []


def test_test_extra_includes_the_others_but_docs() -> None:
    extras = {name: set(lines(value)) for name, value in setup_cfg()["options.extras_require"].items()}
    others = set().union(*(wanted for name, wanted in extras.items() if name not in ("test", DOCS)))
    assert others <= extras["test"]


def dependency_closure(extras: Collection[str]) -> dict[str, Requirement]:
    """Name → one requirement on it, for everything that the package and these extras bring into this environment."""
    config = setup_cfg()
    todo = [Requirement(line) for line in lines(config["options"]["install_requires"])]
    for extra in extras:
        todo += [Requirement(line) for line in lines(config["options.extras_require"][extra])]
    seen: dict[str, Requirement] = {}
    while todo:
        requirement = todo.pop()
        name = canonicalize_name(requirement.name)
        key = f"{name}[{','.join(sorted(requirement.extras))}]"
        if key in seen or CUDA.match(name):
            continue
        seen[key] = requirement
        for line in importlib.metadata.requires(requirement.name) or []:
            further = Requirement(line)
            extras = requirement.extras or {""}
            if further.marker is None or any(further.marker.evaluate({"extra": extra}) for extra in extras):
                todo.append(further)
    return {key.partition("[")[0]: requirement for key, requirement in seen.items()}


def pinned() -> tuple[set[str], set[str]]:
    """The names in constraints.txt: those of the package with its other extras, and those of `docs` alone."""
    parts = (ROOT / "constraints.txt").read_text().split("\n# of the extra `docs` alone\n")
    pins = [[line for line in lines(part) if not line.startswith("#")] for part in parts]
    names = [[re.fullmatch(r"([a-z0-9-]+)==[0-9][0-9a-z.]*", pin) for pin in part] for part in pins]
    assert all(map(all, names)), "one exact version a line, canonical names, no local suffix"
    everything, docs = ({match[1] for match in part if match} for part in names)
    return everything, docs


def test_constraints_pin_the_whole_closure() -> None:
    extras = [name for name in setup_cfg()["options.extras_require"] if name != DOCS]
    assert sorted(pinned()[0]) == sorted(dependency_closure(extras))


def test_constraints_pin_the_closure_of_docs() -> None:
    pytest.importorskip("mkdocs", reason="the extra docs is not installed; .ci/run installs it and runs this test")
    everything, docs = pinned()
    assert sorted(docs) == sorted(set(dependency_closure([DOCS])) - everything)


def copy_of_the_tree(target: Path) -> Path:
    """The checkout's sources: pip writes `build/` and `*.egg-info` beside what it builds, and packs what lies there."""
    for folder in FOLDERS:
        shutil.copytree(ROOT / folder, target / folder, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("setup.cfg", "pyproject.toml", "LICENSE", "README.md"):
        shutil.copy(ROOT / name, target / name)
    return target


def pip(*arguments: str | Path) -> None:
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--no-input", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    source = copy_of_the_tree(tmp_path_factory.mktemp("source"))
    target = tmp_path_factory.mktemp("wheel")
    pip("wheel", "--no-deps", "--no-index", "--no-build-isolation", "--wheel-dir", target, source)
    return next(target.glob("*.whl"))


def test_wheel_holds_every_file_of_the_tree_and_no_other(wheel: Path) -> None:
    assert wheel.name == f"dataset_dm-{dataset_dm.__version__}-py3-none-any.whl"
    with zipfile.ZipFile(wheel) as archive:
        packed = {name for name in archive.namelist() if ".dist-info/" not in name}
    assert packed == files_in_tree()


def test_wheel_tells_who_it_is(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        info = f"dataset_dm-{dataset_dm.__version__}.dist-info"
        metadata = archive.read(f"{info}/METADATA").decode()
        assert f"\nVersion: {dataset_dm.__version__}\n" in metadata
        assert "Apache License" in archive.read(f"{info}/licenses/LICENSE").decode()
        assert "dataset-dm = dataset_dm.cli:main" in archive.read(f"{info}/entry_points.txt").decode()


def where_modules_are(site: Path, cwd: Path) -> list[str]:
    """The files of the package and of its two mapped folders, for an interpreter that has `site` and nothing else."""
    code = f"""
import site, importlib.util
site.addsitedir({str(site)!r})
import dataset_dm
for name in ("dataset_dm", "dataset_dm.builders", "dataset_dm.cards"):
    print(importlib.util.find_spec(name).origin)
"""
    # -S: an installation of ours in the environment must not answer in the place of the one under test
    command = [sys.executable, "-S", "-c", code]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=True).stdout.splitlines()


def install(prefix: Path, *what: str | Path) -> Path:
    pip("install", "--no-deps", "--no-index", "--no-build-isolation", "--ignore-installed", "--prefix", prefix, *what)
    return next(prefix.rglob("site-packages"))


def test_installed_as_a_wheel(wheel: Path, tmp_path: Path) -> None:
    site = install(tmp_path / "prefix", wheel)
    package = site / "dataset_dm"
    expected = [package / "__init__.py", package / "builders/__init__.py", package / "cards/__init__.py"]
    assert where_modules_are(site, tmp_path) == [str(path) for path in expected]
    assert (tmp_path / "prefix/bin/dataset-dm").is_file()


def test_installed_with_e(tmp_path: Path) -> None:
    (tmp_path / "source").mkdir()
    source = copy_of_the_tree(tmp_path / "source")
    site = install(tmp_path / "prefix", "-e", source)
    expected = [source / folder / "__init__.py" for folder in FOLDERS]
    assert where_modules_are(site, tmp_path) == [str(path) for path in expected]


def test_a_checkout_that_was_not_installed(tmp_path: Path) -> None:
    source = copy_of_the_tree(tmp_path)
    expected = [source / folder / "__init__.py" for folder in FOLDERS]
    assert where_modules_are(source, Path("/")) == [str(path) for path in expected]
