"""`dataset-dm evaluate` as a user types it."""

import argparse
import re
import subprocess
import sys
from pathlib import Path

import pytest

from dataset_dm import cli
from dataset_dm.cli import evaluate
from dataset_dm.errors import ConfigError, UserError

ROOT = Path(__file__).resolve().parents[2]


def test_defaults_are_those_of_the_bars() -> None:
    args = evaluate.parse(["labels"])
    assert (args.num, args.seed, args.generator, args.annotator, args.on) == (500, 0, "miniature", "miniature", "both")
    assert evaluate.parse(["speed", "--rounds", "2"]).rounds == 2


@pytest.mark.parametrize("name", evaluate.MEASUREMENTS)
def test_every_measurement_has_help(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(["evaluate", name, "--help"])
    said = capsys.readouterr().out
    assert ended.value.code == 0 and f"usage: dataset-dm evaluate {name}" in said and "--out" in said


def _stops_without(modules: set[str], *words: str) -> subprocess.CompletedProcess[str]:
    """Run `evaluate WORDS`, which must exit while none of these modules is imported."""
    code = f"import sys; from dataset_dm import cli\ntry:\n cli.main(['evaluate', *{words!r}])\n"
    code += f"except SystemExit:\n print('imported:', sorted({modules!r} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "imported: []"
    return done


def test_the_list_of_measurements_needs_no_torch() -> None:
    listed = _stops_without({"torch", "numpy"}, "--help").stdout
    assert all(f"  {name} " in listed for name in evaluate.MEASUREMENTS)


def test_options_are_read_and_refused_without_torch() -> None:
    heavy = {"torch", "datasets", "transformers", "diffusers"}
    assert "--unseen" in _stops_without(heavy, "labels", "--help").stdout
    assert "--num: got '0'" in _stops_without(heavy, "labels", "--num", "0").stderr


@pytest.mark.parametrize("words", [("labels", "--num", "0"), ("found", "--num", "abc"), ("labels", "--seed", "-1")])
def test_bad_numbers_are_one_line(words: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        evaluate.parse(words)
    assert stopped.value.code == 2
    assert f"got '{words[2]}', expected a whole number of at least" in capsys.readouterr().err


def test_unseen_classes_are_positions() -> None:
    assert evaluate.parse(["labels", "--unseen", "dog, car,car"]).unseen == (6, 11)
    assert evaluate.parse(["labels"]).unseen == ()
    assert evaluate.parse(["speed", "--tasks"]).tasks and not evaluate.parse(["speed"]).tasks


@pytest.mark.parametrize(
    ("words", "said"), [("cra", "got 'cra', expected names of VOC's 20 classes; did you mean"), (",", "got 0 classes")]
)
def test_bad_unseen_classes_are_one_line(words: str, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        evaluate.parse(["labels", "--unseen", words])
    assert said in capsys.readouterr().err


def test_a_missing_annotator_is_named_before_anything_runs(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="nowhere"):
        evaluate.run(_args("labels", "--annotator", str(tmp_path / "nowhere")))


@pytest.mark.parametrize(
    ("words", "module"),
    [
        (["baseline", "--num", "10"], "baseline"),
        (["ablation"], "ablation"),
        (["reading", "--help"], "parity_pass"),
        (["attention", "--num", "5", "--ablation"], "attention_ablation"),
    ],
)
def test_what_left_the_package_is_said_in_one_line(
    words: list[str], module: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["evaluate", *words]) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1 and f"run python -m tests.benchmarks.{module} in a checkout" in said
    folder = ROOT / "tests" / "benchmarks"
    assert (folder / f"{module}.py").is_file() or (folder / module / "__main__.py").is_file()


def test_a_misspelt_measurement_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["evaluate", "labls"]) == 2
    assert re.search("measurement: got 'labls', expected labels or .*did you mean 'labels'", capsys.readouterr().err)
    with pytest.raises(ConfigError, match="got 'speeed'"):
        evaluate.parse(["speeed"])


def _args(*words: str):
    parser = argparse.ArgumentParser()
    evaluate.add_arguments(parser)
    return parser.parse_args(words)
