"""Any measurement by its name, from Python and from the words of a command line."""

import importlib
import json
from pathlib import Path

import pytest

from dataset_dm.errors import ConfigError
from dataset_dm.evaluation.measurements import MEASUREMENTS, MOVED, evaluate, read_options


def test_options_of_python_are_those_of_the_command_line(tmp_path: Path) -> None:
    report = evaluate("autoencoder", out=tmp_path / "report", num=2, batch=2, device="cpu")
    written = json.loads((tmp_path / "report" / "report.json").read_text())
    assert written["figures"] == pytest.approx(report.figures) and report.settings["num"] == 2
    assert report.command.startswith("dataset_dm.evaluate('autoencoder', num=2, batch=2, device='cpu', out=")


@pytest.mark.parametrize(
    ("measurement", "options", "said"),
    [
        ("lables", {}, "measurement: got 'lables'.*did you mean 'labels'"),
        ("labels", {"nmu": 3}, "unknown option 'nmu'; expected .*did you mean 'num'"),
        ("labels", {"num": 0}, "num: got '0', expected a whole number of at least 1"),
        ("labels", {"unseen": ["dgo"]}, "unseen: got 'dgo', expected names of VOC's 20 classes; did you mean 'dog'"),
        ("ablation", {}, "'ablation' left the package; run python -m tests.benchmarks.ablation"),
    ],
)
def test_mistakes_are_one_line(measurement: str, options: dict, said: str) -> None:
    with pytest.raises(ConfigError, match=said) as caught:
        evaluate(measurement, **options)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("measurement", MEASUREMENTS)
def test_every_measurement_has_defaults_and_a_folder(measurement: str) -> None:
    args = read_options(measurement, [])
    assert args.measurement == measurement and args.out is None


def test_what_left_the_package_is_in_the_benchmarks() -> None:
    benchmarks = Path(__file__).resolve().parents[1] / "benchmarks"
    assert all((benchmarks / f"{name}.py").is_file() or (benchmarks / name).is_dir() for name in MOVED.values())


@pytest.mark.parametrize("name", MEASUREMENTS)
def test_every_measurement_has_a_module_that_runs(name: str) -> None:
    module = importlib.import_module(f"dataset_dm.evaluation.{name.replace('-', '_')}")
    assert callable(module.run)


def test_own_options_and_defaults() -> None:
    args = read_options("self-training", ["--segmenter", "steps=3", "--append-classes"])
    assert (args.measurement, args.annotator, args.rounds, args.train_on) == ("self-training", "attention", 1, None)
    assert args.segmenter == ["steps=3"] and args.append_classes
    assert read_options("agreement", []).annotator == "p_decoder + attention"
    assert read_options("speed", []).rounds == 4
