"""The command line's frame: help at once, one line and exit code 2 for mistakes, 130 after Ctrl-C."""

import errno
import re
import subprocess
import sys
import time
import warnings
from pathlib import Path
from types import SimpleNamespace

import pytest

from dataset_dm import __version__, cli
from dataset_dm.errors import ConfigError

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("words", [["--help"], ["generate", "--help"], ["evaluate", "--help"], ["train", "--help"]])
def test_help_comes_in_less_than_a_second(words: list[str]) -> None:
    seconds = []
    for _ in range(3):
        start = time.perf_counter()
        done = subprocess.run(
            [sys.executable, "-m", "dataset_dm.cli", *words], cwd=ROOT, capture_output=True, text=True, check=True
        )
        seconds.append(time.perf_counter() - start)
    assert min(seconds) < 1
    assert done.stdout.startswith("usage: dataset-dm") and not done.stderr


def test_help_groups_the_verbs_by_what_a_user_wants(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["--help"]) == 0
    lines = capsys.readouterr().out.splitlines()
    groups = [line.removesuffix(":") for line in lines if re.fullmatch(r"[a-z ]+:", line)]
    assert groups == ["make", "label", "look", "train", "measure", "share", "look after"]
    assert [line.split()[0] for line in lines if line.startswith("  ")] == list(cli.VERBS)
    assert lines[lines.index("share:") + 1].split(maxsplit=1) == ["push", cli.VERBS["push"].text]
    assert all(len(line) <= 110 for line in lines)


@pytest.mark.parametrize("verb", cli.VERBS)
def test_every_verb_has_help(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main([verb, "--help"])
    assert ended.value.code == 0
    assert f"usage: dataset-dm {verb}" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "usage: dataset-dm"),
        (["generat"], "error: unknown command 'generat'; expected one of .*did you mean 'generate'"),
        (["generate"], "error: dataset-dm generate: the following arguments are required: NAME"),
        (["generate", "voc_synth", "--num-imgs", "3"], "unknown argument --num-imgs 3; did you mean '--num-images'"),
        (["generate", "voc_sint"], "error: unknown dataset 'voc_sint'; .*did you mean 'voc_synth'"),
        (["generate", "voc_synth", "semantics"], "unknown config 'semantics'"),
        (
            ["generate", "voc_synth", "--num-images", "abc"],
            "--num-images: got 'abc', expected a whole number of at least 1; pass for example --num-images 64$",
        ),
        (["generate", "voc_synth", "--num-images", "0"], "--num-images: got 0"),
        (["generate", "voc_synth", "--split", "train"], "--split: got 'train', expected NAME=N"),
        (
            ["generate", "voc_synth", "--split", "train=x"],
            "--split train: got 'x', .*pass for example --split train=64$",
        ),
        (
            ["generate", "voc_synth", "--num-images", "3", "--split", "test=3"],
            "--num-images 64 means --split train=64, give one",
        ),
        (["generate", "voc_synth", "--min-confidence", "2"], "--min-confidence: got 2, expected a number from 0 to 1"),
        (["generate", "voc_synth", "--generator", "nowhere"], "generator: got 'nowhere'"),
        (["generate", "miniature"], "miniature is rendered, not generated; load it with load_dataset"),
        (["train", "--data", "miniature", "--out", "x", "--steps", "ten"], "--steps: got 'ten', expected a whole"),
        (["train", "--data", "miniature", "--out", "x", "--steps", "0"], "--steps: got 0, expected a whole"),
        (["train", "--data", "nowhere", "--out", "x"], "data: got 'nowhere'"),
        (["redraw", "nowhere"], "no parquet files of split"),
    ],
)
def test_mistakes_are_one_line_and_exit_code_2(
    words: list[str], said: str, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    try:
        code = cli.main(words)
    except SystemExit as ended:  # argparse's own
        code = ended.code
    output = capsys.readouterr()
    assert code == 2
    assert re.search(said, output.err), output.err
    assert not output.out and (not words or output.err.count("\n") == 1)
    assert list(tmp_path.iterdir()) == []


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["--version"]) == 0
    assert capsys.readouterr().out == f"dataset-dm {__version__}\n"


def verb(raised: BaseException | None = None, **more: object) -> SimpleNamespace:
    def run(args: object) -> int:
        warnings.warn("two\nlines", UserWarning, stacklevel=1)
        warnings.warn("old", DeprecationWarning, stacklevel=1)
        if raised is not None:
            raise raised
        return 0

    return SimpleNamespace(run=run, **more)


def test_an_interruption_says_how_to_go_on(capsys: pytest.CaptureFixture[str]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        assert cli._run(verb(KeyboardInterrupt(), HINT=": run it again"), None) == 130
    assert capsys.readouterr().err == "warning: two lines\n\ninterrupted: run it again\n"


def test_a_disk_that_a_library_filled_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert cli._run(verb(OSError(errno.ENOSPC, "No space left on device", "sheet.png")), None) == 2
        said = capsys.readouterr().err
        assert said.startswith("error: disk full while writing sheet.png") and said.count("\n") == 1
        with pytest.raises(FileNotFoundError):  # any other is a fault of ours
            cli._run(verb(FileNotFoundError(errno.ENOENT, "No such file", "x")), None)


def test_a_wrapped_mistake_is_still_a_mistake(capsys: pytest.CaptureFixture[str]) -> None:
    wrapped = RuntimeError("An error occurred")
    wrapped.__cause__ = ConfigError("seed: got -1")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert cli._run(verb(wrapped), None) == 2
        assert capsys.readouterr().err == "error: seed: got -1\n"
        with pytest.raises(RuntimeError, match="ours"):  # a fault of ours keeps its traceback
            cli._run(verb(RuntimeError("ours")), None)
