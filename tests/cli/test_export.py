"""`dataset-dm export` and `dataset-dm import`: what they print, their exit codes."""

from pathlib import Path

import pytest

from dataset_dm import cli
from dataset_dm.cli import export, import_
from dataset_dm.exports import FORMATS
from tests.exports.sets import FIRST, write_semantic, write_set


def main(*words: str | Path) -> int:
    """One command line, as `cli.main` runs it."""
    verb, *rest = map(str, words)
    module = {"export": export, "import": import_}[verb]
    parser = cli.Parser(prog=f"dataset-dm {verb}")
    module.add_arguments(parser)
    return cli._run(module, parser.parse_args(rest))


def test_out_and_back(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source, out, new = write_set(tmp_path / "set"), tmp_path / "out", tmp_path / "new"
    assert main("export", source, "--format", "yolo", "--out", out) == 0
    said = capsys.readouterr()
    assert "4 (train 3, validation 1)" in said.out and "cannot hold  masks: an object is its box; " in said.out
    assert said.err == (
        "warning: yolo left out 8 masks, 3 people's keypoints, 8 scores, 4 class maps, 60 void pixels, 4 depth maps; "
        "SOURCE still has them\n"
    )
    file = out / "labels" / "train" / f"{FIRST}.txt"
    file.write_text(file.read_text() + "0 0.5 0.5 0.1 0.1\n")
    assert main("import", out, "--format", "yolo", "--into", source, "--out", new) == 0
    said = capsys.readouterr()
    assert "4 of 4 images" in said.out and "images changed 1, objects added 1" in said.out
    assert said.err == "warning: 1 changed or new objects have a box alone, their mask is empty\n"
    assert (new / "train" / "00000.parquet").is_file()


def test_nothing_lost_is_no_warning(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = write_semantic(tmp_path / "set")
    assert main("export", source, "--format", "cvat", "--out", tmp_path / "out", "--split", "train") == 0
    said = capsys.readouterr()
    assert "3 (train 3)" in said.out and "paste labels.json" in said.out and not said.err


@pytest.mark.parametrize("verb", ["export", "import"])
def test_mistakes_are_one_line_and_exit_with_2(verb: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = write_set(tmp_path / "set")
    words = {"export": [source], "import": [tmp_path, "--into", source]}[verb]
    for more, said in (
        (["--format", "coko", "--out", tmp_path / "out"], "did you mean 'coco'?"),
        (["--format", "coco", "--out", source], "the folder is not empty"),
    ):
        assert main(verb, *words, *more) == 2
        err = capsys.readouterr().err
        assert err.startswith("error: ") and err.count("\n") == 1 and said in err
    assert not (tmp_path / "out").exists()


def test_help_names_every_format() -> None:
    assert export.FORMATS.replace(" or ", ", ").split(", ") == list(FORMATS)
