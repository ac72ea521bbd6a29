"""`dataset-dm evaluate` and `dataset-dm preview` as a user types them."""

import argparse
from pathlib import Path

import numpy as np
import pytest
from datasets import ClassLabel, Dataset, Features, Image, List, Value
from PIL import Image as Pictures

from dataset_dm.cli import evaluate, preview
from dataset_dm.errors import DataError, UserError


def parse(verb, *words: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    verb.add_arguments(parser)
    return parser.parse_args(list(words))


def test_defaults_are_those_of_the_bars() -> None:
    args = parse(evaluate, "labels")
    assert (args.num, args.seed, args.generator, args.annotator, args.on) == (500, 0, "miniature", "miniature", "both")
    assert parse(evaluate, "speed", "--rounds", "2").rounds == 2


@pytest.mark.parametrize("words", [("labels", "--num", "0"), ("found", "--num", "abc"), ("labels", "--seed", "-1")])
def test_bad_numbers_are_one_line(words: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        parse(evaluate, *words)
    assert stopped.value.code == 2
    assert f"got '{words[2]}', expected a whole number of at least" in capsys.readouterr().err


def test_unseen_classes_are_positions() -> None:
    assert parse(evaluate, "labels", "--unseen", "dog, car,car").unseen == (6, 11)
    assert parse(evaluate, "labels").unseen == ()
    assert parse(evaluate, "speed", "--tasks").tasks and not parse(evaluate, "speed").tasks


@pytest.mark.parametrize(
    ("words", "said"), [("cra", "got 'cra', expected names of VOC's 20 classes; did you mean"), (",", "got 0 classes")]
)
def test_bad_unseen_classes_are_one_line(words: str, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parse(evaluate, "labels", "--unseen", words)
    assert said in capsys.readouterr().err


def test_a_missing_annotator_is_named_before_anything_runs(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="nowhere"):
        evaluate.run(parse(evaluate, "labels", "--annotator", str(tmp_path / "nowhere")))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    features = Features(
        {
            "image": Image(),
            "label": Image(),
            "classes": List(ClassLabel(names=["background", "car"])),
            "prompt": Value("string"),
        }
    )
    label = np.zeros((32, 32), dtype=np.uint8)
    label[8:20, 8:20] = 1
    rows = {
        "image": [Pictures.new("RGB", (32, 32), (i, 90, 90)) for i in range(5)],
        "label": [Pictures.fromarray(label)] * 5,
        "classes": [["car"]] * 5,
        "prompt": [f"car number {i}" for i in range(5)],
    }
    (tmp_path / "set" / "train").mkdir(parents=True)
    Dataset.from_dict(rows, features=features).to_parquet(tmp_path / "set" / "train" / "0.parquet")
    return tmp_path / "set"


def test_preview_of_a_folder(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "deep" / "sheet.png"
    assert preview.run(parse(preview, str(folder), "--rows", "3", "--out", str(out))) == 0
    assert "3 samples" in capsys.readouterr().out
    with Pictures.open(out) as drawn:
        assert drawn.width > 800


def test_preview_mistakes_are_one_line(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"--split: got 'trian'.*did you mean 'train'"):
        preview.run(parse(preview, str(folder), "--split", "trian"))
    with pytest.raises(DataError, match="--rows: got 0"):
        preview.run(parse(preview, str(folder), "--rows", "0"))
    with pytest.raises(DataError, match="--start: got 9"):
        preview.run(parse(preview, str(folder), "--start", "9"))
    with pytest.raises(DataError, match="did you mean 'voc_synth'"):
        preview.run(parse(preview, "voc_synht"))
