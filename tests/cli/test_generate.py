"""`dataset-dm generate`: a folder that plain `load_dataset` reads, whole or absent."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from datasets import load_dataset

from dataset_dm import cli
from dataset_dm.plan.configs import recipe

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def words(models: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The beginning of a quick command line; the store is the test's own."""
    monkeypatch.setenv("DATASET_DM_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    chosen = ["--generator", models["generator"], "--annotator", models["annotator"]]
    return ["generate", "voc_synth", *chosen, "--steps", "1", "--batch-size", "2", "--device", "cpu"]


def names(folder: Path) -> list[str]:
    return sorted(entry.name for entry in folder.iterdir() if entry.name != "home")


def rows(folder: Path, split: str = "train") -> list[dict]:
    return [row for file in sorted((folder / split).glob("*.parquet")) for row in pq.read_table(file).to_pylist()]


def test_a_folder_that_stands_alone(words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "set"
    assert cli.main([*words, "--split", "train=5", "--split", "test=2", "--seed", "3", "--out", str(out)]) == 0
    files = [".dataset_dm.json", "README.md", "drops.json", "id2label.json", "plan.json", "preview.png"]
    assert names(out) == [*files, "test", "train"]
    assert names(tmp_path) == ["set"]
    said = capsys.readouterr()
    assert "images       7 (train 5, test 2)" in said.out and str(out) in said.out and "draw" in said.out
    code = f"""
import sys
sys.modules["dataset_dm"] = None  # the package is not needed
from datasets import load_dataset
sets = load_dataset({str(out)!r}, cache_dir={str(tmp_path / "cache")!r})
row = sets["train"][4]
names = sets["train"].features["classes"].feature.names
print(len(sets["train"]), len(sets["test"]), names[0], row["image"].size, row["label"].mode, row["provenance"]["index"])
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=tmp_path)
    assert done.stdout.strip() == "5 2 background (128, 128) L 4"


def test_images_are_the_store_s_own_bytes(words: list[str], tmp_path: Path) -> None:
    assert cli.main([*words, "--num-images", "18", "--out", str(tmp_path / "set")]) == 0
    (folder,) = (tmp_path / "home" / "images").iterdir()
    stored = [cell.as_py() for file in sorted(folder.glob("train/*.parquet")) for cell in pq.read_table(file)["image"]]
    assert [row["image"] for row in rows(tmp_path / "set")] == stored[:18]


def test_a_folder_that_is_not_empty_is_left_alone(
    words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "set"
    out.mkdir()
    (out / "thesis.txt").write_text("years of work")
    for more, said in (([], "the folder is not empty"), (["--overwrite"], "dataset-dm did not write")):
        assert cli.main([*words, "--num-images", "1", "--out", str(out), *more]) == 2
        assert said in capsys.readouterr().err
    assert names(out) == ["thesis.txt"] and names(tmp_path) == ["set"]


def test_resume_lets_a_set_grow_and_refuses_another(
    words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "set"
    assert cli.main([*words, "--num-images", "2", "--out", str(out), "--resume"]) == 0
    before = rows(out)
    assert cli.main([*words, "--num-images", "3", "--out", str(out)]) == 2
    assert cli.main([*words, "--num-images", "3", "--out", str(out), "--resume"]) == 0
    assert len(rows(out)) == 3 and rows(out)[:2] == before
    capsys.readouterr()
    assert cli.main([*words, "--num-images", "3", "--seed", "9", "--out", str(out), "--resume"]) == 2
    assert "holds another set (labels is" in capsys.readouterr().err
    assert cli.main([*words, "--num-images", "1", "--seed", "9", "--out", str(out), "--overwrite"]) == 0
    assert len(rows(out)) == 1 and rows(out)[0] != before[0]
    assert names(tmp_path) == ["set"]


def test_filters_are_counted_into_the_card(
    words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "set"
    assert cli.main([*words, "--num-images", "4", "--out", str(out)]) == 0
    confidences = sorted(row["quality"]["confidence"] for row in rows(out))
    bound = repr((confidences[0] + confidences[1]) / 2)
    assert cli.main([*words, "--num-images", "4", "--min-confidence", bound, "--out", str(out), "--overwrite"]) == 0
    assert len(rows(out)) == 3
    assert "low_confidence" in (out / "README.md").read_text().replace("\\", "")
    capsys.readouterr()
    assert cli.main([*words, "--num-images", "4", "--min-confidence", "1", "--out", str(tmp_path / "none")]) == 2
    assert "all 4 rows were left out by the filters (low_confidence 4)" in capsys.readouterr().err
    assert names(tmp_path) == ["set"]


def test_an_emptied_split_names_its_own_reasons_only(
    words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = [*words, "--shard-size", "4", "--out", str(tmp_path / "set")]
    assert cli.main([*asked, "--split", "a=4", "--split", "b=4"]) == 0
    best = {split: max(row["quality"]["confidence"] for row in rows(tmp_path / "set", split)) for split in "ab"}
    last, first = sorted(best, key=best.__getitem__)
    more = ["--split", f"{first}=4", "--split", f"{last}=4", "--min-confidence", repr(best[first]), "--overwrite"]
    capsys.readouterr()
    assert cli.main([*asked, *more]) == 2
    assert f"split {last}: all 4 rows were left out by the filters (low_confidence 4)" in capsys.readouterr().err


def test_without_out_only_the_store_is_filled(
    words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main([*words, "--num-images", "1"]) == 0
    assert names(tmp_path) == [] and "store" in capsys.readouterr().out
    assert cli.main([*words, "--num-images", "1"]) == 0
    assert "none, all were in the store" in capsys.readouterr().out


def start(words: list[str], **more: object) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "dataset_dm.cli", *words]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **more)


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")
def test_ctrl_c_keeps_finished_shards_and_says_how_to_go_on(words: list[str], tmp_path: Path) -> None:
    words = [*words, "--shard-size", "4"]
    command = [*words, "--num-images", "4000", "--out", str(tmp_path / "set")]
    # a test run in the background of a shell ignores SIGINT, and children inherit that
    process = start(command, preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler))
    deadline = time.monotonic() + 240
    while not list((tmp_path / "home" / "labels").glob("*/train/*.parquet")) and time.monotonic() < deadline:
        time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    try:
        _, said = process.communicate(timeout=120)
    finally:
        process.kill()
    assert process.returncode == 130
    assert "interrupted: finished shards are kept; run the same command again" in said and "Traceback" not in said
    assert names(tmp_path) == []
    (labels,) = (tmp_path / "home" / "labels").iterdir()
    finished = {file.name: file.read_bytes() for file in sorted((labels / "train").glob("*.parquet"))}
    assert "00000.parquet" in finished and not list((tmp_path / "home").rglob("*.tmp"))
    assert cli.main([*words, "--num-images", "8", "--out", str(tmp_path / "set"), "--resume"]) == 0
    assert (labels / "train" / "00000.parquet").read_bytes() == finished["00000.parquet"]
    assert len(rows(tmp_path / "set")) == 8


@pytest.mark.skipif(sys.platform == "win32", reason="limits are POSIX")
def test_a_full_disk_is_one_line_and_leaves_nothing_half_written(words: list[str], tmp_path: Path) -> None:
    import resource

    def small_disk() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, 60_000))

    process = start(
        [*words, "--num-images", "4", "--shard-size", "4", "--out", str(tmp_path / "set")], preexec_fn=small_disk
    )
    _, said = process.communicate(timeout=240)
    assert process.returncode == 2, said
    line = said.strip().splitlines()[-1]
    assert line.startswith("error: disk full while writing") and "finished shards are kept" in line
    assert names(tmp_path) == []
    assert not list((tmp_path / "home").rglob("*.parquet")) and not list((tmp_path / "home").rglob("*.tmp"))


def test_own_prompts_and_classes(words: list[str], tmp_path: Path) -> None:
    file = tmp_path / "prompts.txt"
    file.write_text("a photo of two dogs\na red car on a street\n")
    out = tmp_path / "set"
    asked = ["--prompts", str(file), "--classes", "dog, car", "--size", "96x128", "--num-images", "3"]
    assert cli.main([*words, *asked, "--out", str(out)]) == 0
    made = load_dataset(str(out), split="train", cache_dir=str(tmp_path / "cache"))
    assert made["prompt"][:] == ["a photo of two dogs", "a red car on a street", "a photo of two dogs"]
    assert made.features["classes"].feature.names == ["background", "dog", "car"]
    assert made[0]["image"].size == made[0]["label"].size == (128, 96)
    assert json.loads((out / "id2label.json").read_text()) == {"0": "background", "1": "dog", "2": "car"}


@pytest.mark.parametrize(
    ("content", "said"),
    [(b" \n", "empty: expected a prompt a line"), (b"a caf\xe9\n", "line 1: byte 0xe9 is not UTF-8")],
)
def test_a_bad_prompt_file_is_one_line_and_leaves_nothing(
    words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str], content: bytes, said: str
) -> None:
    file = tmp_path / "prompts.txt"
    file.write_bytes(content)
    assert cli.main([*words, "--prompts", str(file), "--num-images", "1", "--out", str(tmp_path / "set")]) == 2
    assert said in capsys.readouterr().err
    assert names(tmp_path) == ["prompts.txt"]


def test_a_set_of_one_file_a_split_when_small(words: list[str], tmp_path: Path) -> None:
    assert cli.main([*words, "--num-images", "5", "--shard-size", "2", "--out", str(tmp_path / "set")]) == 0
    assert os.listdir(tmp_path / "set" / "train") == ["00000.parquet"]
    assert len(list((tmp_path / "home" / "images").glob("*/train/*.parquet"))) == 3


@pytest.mark.parametrize(("name", "config"), [("coco_synth", "all"), ("nyu_synth", None), ("voc_synth", "instance")])
def test_sets_of_every_kind_of_label(
    words: list[str], every_head: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, config: str | None
) -> None:
    out = tmp_path / "set"
    asked = [*words[2:], "--annotator", every_head, "--split", "train=3", "--out", str(out)]
    assert cli.main(["generate", name, *([config] if config else []), *asked]) == 0
    chosen = recipe(name, config)
    made = load_dataset(str(out), split="train", cache_dir=str(tmp_path / "cache"))
    assert made.column_names == list(chosen.features(("cat",))) and len(made) == 3
    said = capsys.readouterr().out
    assert ("depth        mean confidence" in said) == ("depth_map" in made.column_names)
    assert ("  classes " in said) == (name != "nyu_synth") == (out / "id2label.json").exists()
    assert (out / "preview.png").stat().st_size > 1000


def test_objects_of_low_confidence_and_rows_without_objects_are_left_out(
    words: list[str], every_head: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "set"
    asked = ["generate", "voc_synth", "instance", *words[2:], "--annotator", every_head, "--num-images", "4"]
    assert cli.main([*asked, "--out", str(out)]) == 0
    best = [max(row["objects"]["score"], default=0.0) for row in rows(out)]
    bound = sorted(best)[2]
    filtered = [*asked, "--min-score", repr(bound), "--min-objects", "1", "--out", str(out), "--overwrite"]
    assert cli.main(filtered) == 0
    assert len(rows(out)) == sum(score >= bound for score in best)
    card = (out / "README.md").read_text().replace("\\", "")
    assert "too_few_objects: 2" in card
    capsys.readouterr()
    assert cli.main([*asked, "--min-depth-confidence", "0.5"]) == 2
    assert "--min-depth-confidence needs labels of kind depth: got 'instance'" in capsys.readouterr().err


def test_mosaics(words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "set"
    assert cli.main([*words, "--num-images", "2", "--splice", "2x2", "--out", str(out)]) == 0
    assert [row["provenance"]["splice"] for row in rows(out)] == ["2x2", "2x2"]
    assert "| splice | 2 x 2 |" in (out / "README.md").read_text()
    capsys.readouterr()
    assert cli.main([*words, "--num-images", "2", "--out", str(out), "--resume"]) == 2
    assert "holds another set (splice is" in capsys.readouterr().err
