"""`dataset-dm relabel`: the same images, other labels, the first ones kept."""

from pathlib import Path

import pyarrow.parquet as pq
import pytest
from datasets import load_dataset

from dataset_dm.cli import Parser, relabel
from dataset_dm.errors import UserError


@pytest.fixture
def words(models: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The beginning of a quick command line; the store is the test's own."""
    monkeypatch.setenv("DATASET_DM_HOME", str(tmp_path / "home"))
    chosen = ["--generator", models["generator"], "--annotator", models["annotator"]]
    small = ["--steps", "1", "--batch-size", "2", "--shard-size", "4", "--num-images", "3", "--device", "cpu"]
    return ["voc_synth", *chosen, *small]


def run(*words: str) -> int:
    parser = Parser(prog="dataset-dm relabel")
    relabel.add_arguments(parser)
    return relabel.run(parser.parse_args(list(words)))


TINY = ["--segmenter", "steps=2", "--segmenter", "batch=2", "--segmenter", "warmup=0"]


def stamps(folder: Path) -> dict[str, int]:
    return {str(file.relative_to(folder)): file.stat().st_mtime_ns for file in folder.rglob("*.parquet")}


def test_two_rounds_draw_once_and_keep_the_first_labels(
    words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "set"
    assert run(*words, *TINY, "--rounds", "2", "--out", str(out)) == 0
    said = capsys.readouterr().out
    home = tmp_path / "home"
    assert len(list((home / "images").iterdir())) == 1 and len(list((home / "labels").iterdir())) == 3
    trained = {str(folder) for folder in (home / "segmenters").iterdir()}
    assert len(trained) == 2
    rows = [row for file in sorted(out.glob("train/*.parquet")) for row in pq.read_table(file).to_pylist()]
    (annotator,) = {row["provenance"]["annotator"] for row in rows}
    assert annotator in trained and f"labels by {annotator}" in said
    assert "the first labels are kept" in said and f"annotator={annotator!r}" in said
    before = stamps(home)
    # what was said loads both, and nothing is made
    asked = {
        "num_images": 3, "sampler": {"steps": 1}, "batch_size": 2, "shard_size": 4,
        "generator": words[2], "cache_dir": str(tmp_path / "cache"),
    }  # fmt: skip
    from dataset_dm.builders.voc_synth import VocSynth

    sets = {}
    for name in (words[4], annotator):
        builder = VocSynth(annotator=name, **asked)
        builder.download_and_prepare()
        sets[name] = builder.as_dataset("train").to_list()
    assert stamps(home) == before
    assert [row["image"] for row in sets[words[4]]] == [row["image"] for row in sets[annotator]]
    assert [row["label"] for row in sets[annotator]] == [row["label"] for row in load_rows(out, tmp_path)]
    assert {row["provenance"]["annotator"] for row in sets[words[4]]} == {words[4]}


def load_rows(out: Path, tmp_path: Path) -> list[dict]:
    return load_dataset(str(out), split="train", cache_dir=str(tmp_path / "plain")).to_list()


def test_another_annotator_labels_the_stored_images(
    words: list[str], tmp_path: Path, every_head: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(UserError, match="1 shards of images are not in the store; make them first: dataset-dm gen"):
        run(*words, "--with", every_head)
    from dataset_dm.cli import generate

    parser = Parser(prog="dataset-dm generate")
    generate.add_arguments(parser)
    assert generate.run(parser.parse_args(words)) == 0
    images = stamps(tmp_path / "home" / "images")
    capsys.readouterr()
    assert run(*words, "--with", every_head) == 0
    assert f"labels by {every_head}" in capsys.readouterr().out
    assert stamps(tmp_path / "home" / "images") == images
    assert len(list((tmp_path / "home" / "labels").iterdir())) == 2


BAD = [
    (["--rounds", "0"], "--rounds: got 0, expected a whole number of at least 1"),
    (["--segmenter", "step=2"], "unknown key 'step'.*did you mean 'steps'"),
    (["--segmenter", "steps"], "--segmenter: got 'steps', expected KEY=VALUE"),
    (["--with", "attnetion"], "did you mean 'attention'"),
    (["--with", "attention", "--rounds", "2"], "leave them out, or --with"),
    (["--resume"], "--resume and --overwrite are about --out"),
]


@pytest.mark.parametrize(("more", "said"), BAD)
def test_mistakes_are_one_line_before_anything_is_made(
    words: list[str], tmp_path: Path, more: list[str], said: str
) -> None:
    with pytest.raises(UserError, match=said) as caught:
        run(*words, *more)
    assert "\n" not in str(caught.value) and not (tmp_path / "home" / "images").exists()


def test_only_class_maps_can_be_self_trained(words: list[str], every_head: str, tmp_path: Path) -> None:
    asked = ["voc_synth", "all", *words[1:]]
    asked[asked.index("--annotator") + 1] = every_head
    with pytest.raises(UserError, match="a segmenter reads class maps: got .'semantic', 'instance', 'depth', 'pose'"):
        run(*asked)


def test_a_folder_that_may_not_be_replaced_is_said_first(words: list[str], tmp_path: Path) -> None:
    (tmp_path / "set").mkdir()
    (tmp_path / "set" / "thesis.txt").write_text("years of work")
    with pytest.raises(UserError, match="the folder is not empty"):
        run(*words, "--out", str(tmp_path / "set"))
    assert not (tmp_path / "home" / "images").exists()
