"""`dataset-dm duplicates`: what is alike is listed, and left out from then on."""

import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from PIL import Image

from dataset_dm.cli import Parser, duplicates, generate
from dataset_dm.errors import ConfigError, DataError, StoreError
from dataset_dm.labels.images import decode_png


@pytest.fixture
def words(models: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The beginning of a quick command line; the store is the test's own."""
    monkeypatch.setenv("DATASET_DM_HOME", str(tmp_path / "home"))
    chosen = ["--generator", models["generator"], "--annotator", models["annotator"]]
    small = ["--steps", "1", "--batch-size", "2", "--shard-size", "4", "--num-images", "3", "--device", "cpu"]
    return ["voc_synth", *chosen, *small]


def run(verb, *words: str) -> int:
    parser = Parser(prog="dataset-dm")
    verb.add_arguments(parser)
    return verb.run(parser.parse_args(list(words)))


def indices(folder: Path) -> list[int]:
    found = [pq.read_table(file, columns=["provenance"]).to_pylist() for file in sorted(folder.glob("train/*.parquet"))]
    return [row["provenance"]["index"] for rows in found for row in rows]


def test_a_photo_s_likeness_is_left_out_until_the_list_is_cleared(
    words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(StoreError, match="duplicates: 1 shards of the set are not in the store; make them first"):
        run(duplicates, *words)
    out = tmp_path / "set"
    assert run(generate, *words, "--out", str(out)) == 0 and indices(out) == [0, 1, 2]
    (file,) = out.glob("train/*.parquet")
    image = decode_png(pq.read_table(file).to_pylist()[1]["image"]["bytes"])
    (tmp_path / "photos/deep").mkdir(parents=True)
    Image.fromarray(image).resize((256, 256)).save(tmp_path / "photos/deep/one.png")
    assert run(duplicates, *words, "--against", str(tmp_path / "photos"), "--dry-run") == 0
    assert "near_photo 1" in capsys.readouterr().out and not list((tmp_path / "home").rglob("excluded.json"))
    assert run(duplicates, *words, "--against", str(tmp_path / "photos")) == 0
    said = capsys.readouterr().out
    assert "3 images, 1 photos" in said and "train/1 is like deep/one.png" in said
    assert run(generate, *words, "--out", str(out), "--resume") == 0 and indices(out) == [0, 2]
    drops = json.loads((out / "drops.json").read_text())["configs"]["semantic"]
    assert drops["samples"] == {"near_photo": 1} and drops["indices"] == {"train": {"near_photo": [1]}}
    # made again, the list looks at all images
    assert run(duplicates, *words) == 0
    assert "left out     none" in capsys.readouterr().out
    assert run(duplicates, *words, "--against", str(tmp_path / "photos")) == 0
    assert run(duplicates, *words, "--clear") == 0
    assert run(generate, *words, "--out", str(out), "--resume") == 0 and indices(out) == [0, 1, 2]


def test_builders_leave_out_what_is_listed(words: list[str], tmp_path: Path) -> None:
    from dataset_dm.builders.voc_synth import VocSynth

    asked = {"generator": words[2], "annotator": words[4], "sampler": {"steps": 1}, "batch_size": 2, "shard_size": 4}
    asked |= {"num_images": 3, "device": "cpu"}
    before = VocSynth(**asked, cache_dir=str(tmp_path / "cache"))
    before.download_and_prepare()
    from dataset_dm.rows.exclusions import Exclusions, write_exclusions

    write_exclusions(before.config.plan(), Exclusions(rows={"train": {2: "near_duplicate"}}))
    after = VocSynth(**asked, cache_dir=str(tmp_path / "cache"))
    after.download_and_prepare()
    assert before.cache_dir != after.cache_dir
    assert [row["provenance"]["index"] for row in after.as_dataset("train")] == [0, 1]
    # in a stream as well, in the grown set, and never generated again in place of what is left out
    grown = VocSynth(**{**asked, "num_images": 5}, on_drop="resample", cache_dir=str(tmp_path / "cache"))
    assert [row["provenance"]["index"] for row in grown.as_streaming_dataset("train")] == [0, 1, 3, 4]
    assert not list((tmp_path / "home").rglob("train.1"))
    # the list of the command line is of the same images: it finds nothing alike among three, and all are back
    assert run(duplicates, *words) == 0
    again = VocSynth(**asked, cache_dir=str(tmp_path / "cache"))
    assert again.cache_dir == before.cache_dir


@pytest.mark.parametrize(
    ("more", "error", "said"),
    [
        (["--distance", "33"], ConfigError, "--distance: got 33, expected a whole number from 0 to 32"),
        (["--out", "x"], ConfigError, "--out is about generate"),
        (["--splice", "2x2"], ConfigError, "--splice: single images are compared"),
        (["--against", "nowhere"], DataError, "--against nowhere: no photo in it"),
        (["--on-drop", "resampel"], ConfigError, "did you mean 'resample'"),
    ],
)
def test_bad_input(words: list[str], more: list[str], error: type[Exception], said: str) -> None:
    with pytest.raises(error, match=said):
        run(duplicates, *words, *more)
