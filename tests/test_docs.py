"""Every example of the documentation runs: Python and console blocks, page by page, in a folder of their own."""

import contextlib
import doctest
import importlib
import io
import re
import shlex
from pathlib import Path

import pytest

from dataset_dm import cli
from dataset_dm.evaluation.measurements import read_options
from dataset_dm.miniature import WEIGHTS
from tests.hub.conftest import hub, logged_in  # noqa: F401  (fixtures: a local Hub)
from tests.hub.loopback import LoopbackHub

ROOT = Path(__file__).resolve().parent.parent
PAGES = ROOT / "docs" / "pages"
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
RUN = ("python", "console")
# page → blocks that are only shown, since they need what a test does not have
SHOWN_ONLY = {"cluster.md": ["sh"]}
OPTIONS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


def blocks(page: str) -> list[tuple[str, str]]:
    """(language, text) of every fenced block."""
    return BLOCK.findall((PAGES / page).read_text(encoding="utf-8"))


def readme() -> str:
    return (ROOT / "README.md").read_text(encoding="utf-8")


def console(text: str) -> list[tuple[str, str]]:
    """(command, expected output, "" for any) of a console block."""
    commands = re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]
    return [(command, output) for command, _, output in (part.partition("\n") for part in commands)]


def run_command(line: str) -> str:
    program, *words = shlex.split(line)
    assert program == "dataset-dm", line
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        assert cli.main(words) == 0, line
    return said.getvalue()


@pytest.mark.filterwarnings("ignore:Use 'content=:DeprecationWarning")  # of huggingface_hub's own upload
@pytest.mark.parametrize("page", sorted(path.name for path in PAGES.glob("*.md") if path.name != "api.md"))
def test_examples_run(
    page: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    logged_in: LoopbackHub,  # noqa: F811
) -> None:
    monkeypatch.setenv("DATASET_DM_HOME", str(tmp_path / "home"))
    monkeypatch.setattr("datasets.config.HF_DATASETS_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "my_generator").symlink_to(WEIGHTS / "generator")
    names: dict[str, object] = {}
    for language, text in blocks(page):
        if language == "python":
            exec(compile(text, page, "exec"), names)
        elif language == "console":
            for command, expected in console(text):
                got = run_command(command)
                assert not expected or doctest.OutputChecker().check_output(expected, got, OPTIONS), got


@pytest.mark.parametrize("page", sorted(path.name for path in PAGES.glob("*.md")))
def test_no_block_is_left_out(page: str) -> None:
    assert [language for language, _ in blocks(page) if language not in RUN] == SHOWN_ONLY.get(page, [])


def test_readme_is_short_and_its_links_lead_somewhere() -> None:
    assert readme().count("\n") <= 150
    targets = re.findall(r"\]\(([^)#]+)[^)]*\)", readme())
    assert [target for target in targets if "://" not in target and not (ROOT / target).exists()] == []


@pytest.mark.parametrize("line", re.findall(r"^(?:pip .* && )?(dataset-dm .*)$", readme(), re.MULTILINE))
def test_commands_of_the_readme_are_understood(line: str, monkeypatch: pytest.MonkeyPatch) -> None:
    verb, *words = shlex.split(line, comments=True)[1:]
    module = importlib.import_module(f"dataset_dm.cli.{'import_' if verb == 'import' else verb}")
    parser = cli.Parser(prog=f"dataset-dm {verb}")
    module.add_arguments(parser)
    args = parser.parse_args(words)
    if verb == "evaluate":
        read_options(args.measurement, args.options, cli.Parser)


def test_python_of_the_readme_compiles() -> None:
    for language, text in BLOCK.findall(readme()):
        if language == "python":
            compile(text, "README.md", "exec")
