"""`load_dataset("dataset_dm/voc_synth")` as users call it: map, streaming, slices, processes, growth, reload."""

import json
import os
import subprocess
import sys
from collections import UserDict
from pathlib import Path

import datasets
import numpy as np
import pytest
from datasets import ClassLabel, load_dataset

import dataset_dm  # noqa: F401  (registers the names)
from dataset_dm.builders.voc_synth import VocSynth
from dataset_dm.errors import ConfigError, UserError
from tests.published import published, watched

ROOT = Path(__file__).resolve().parents[2]
NAME = "dataset_dm/voc_synth"


@pytest.fixture
def load(quick: dict, tmp_path: Path):
    def call(*names: str, **more: object):
        return load_dataset(NAME, *names, cache_dir=str(tmp_path / "cache"), **{**quick, **more})

    return call


def bytes_of(dataset) -> list[tuple[bytes, bytes]]:
    raw = dataset.cast_column("image", datasets.Image(decode=False)).cast_column("label", datasets.Image(decode=False))
    return [(row["image"]["bytes"], row["label"]["bytes"]) for row in raw]


def shards(tmp_path: Path) -> list[str]:
    return sorted(str(file.relative_to(tmp_path / "home")) for file in (tmp_path / "home").rglob("*.parquet"))


def test_map_style_rows(load, tmp_path: Path) -> None:
    dataset = load(split="train", num_images=5)
    assert len(dataset) == 5 and isinstance(dataset.features["classes"].feature, ClassLabel)
    row = dataset[4]
    image, label = row["image"], row["label"]
    assert (image.mode, image.size, label.mode, label.size) == ("RGB", (128, 128), "L", (128, 128))
    shown = set(np.unique(np.asarray(label)).tolist()) - {0, 255}
    assert set(row["classes"]) == shown
    assert row["provenance"]["index"] == 4 and row["provenance"]["split"] == "train"
    names = dataset.features["classes"].feature.names
    assert names[0] == "background" and len(row["quality"]["presence"]) == len(names) - 1
    assert len(shards(tmp_path)) == 4  # two of images, two of labels, always whole


def test_splits_slices_and_growth(load) -> None:
    both = load(splits={"train": 6, "validation": 3})
    assert {name: len(part) for name, part in both.items()} == {"train": 6, "validation": 3}
    assert bytes_of(both["train"])[:3] != bytes_of(both["validation"])
    grown = load(split="train[2:7]", num_images=9)
    assert [row["provenance"]["index"] for row in grown] == [2, 3, 4, 5, 6]
    assert bytes_of(grown)[:4] == bytes_of(both["train"])[2:6]


def test_streaming_is_lazy_and_has_the_same_rows(load, tmp_path: Path) -> None:
    stream = load(split="train", num_images=12, streaming=True)
    assert shards(tmp_path) == []
    rows = iter(stream)
    first = next(rows)
    assert first["provenance"]["index"] == 0 and shards(tmp_path) == []  # two of four are made: the first batch
    taken = [first, *(next(rows) for _ in range(4))]
    assert len(shards(tmp_path)) == 2
    rows.close()
    whole = load(split="train", num_images=5)
    for streamed, stored in zip(taken, whole, strict=True):
        assert streamed["provenance"] == stored["provenance"]
        assert np.array_equal(np.asarray(streamed["image"]), np.asarray(stored["image"]))
        assert np.array_equal(np.asarray(streamed["label"]), np.asarray(stored["label"]))


def test_streams_that_are_left_open_hold_no_lock(load) -> None:
    streams = [iter(load(split="train", num_images=4, streaming=True)) for _ in range(2)]
    indices = [next(stream)["provenance"]["index"] for stream in (*streams, *streams)]
    assert indices == [0, 0, 1, 1]
    assert len(load(split="train", num_images=4)) == 4


def test_two_processes_read_what_was_made_before(load) -> None:
    alone = load(split="train", num_images=8)
    together = load(split="train", num_images=8, num_proc=2, download_mode="force_redownload")
    assert bytes_of(together) == bytes_of(alone)


def test_force_redownload_makes_the_shards_again(load, tmp_path: Path) -> None:
    before = load(split="train", num_images=4)
    times = {name: (tmp_path / "home" / name).stat().st_mtime_ns for name in shards(tmp_path)}
    again = load(split="train", num_images=4, download_mode="force_redownload")
    assert bytes_of(again) == bytes_of(before)
    assert all((tmp_path / "home" / name).stat().st_mtime_ns > made for name, made in times.items())


def test_a_forked_reader_asks_a_worker(quick: dict, tmp_path: Path) -> None:
    """A DataLoader's readers, forked after torch ran in this process, while shards are missing; then all is there."""
    code = f"""
import json, sys
import dataset_dm
from datasets import load_dataset
from torch.utils.data import DataLoader
quick = json.loads(sys.argv[1])
one = load_dataset({NAME!r}, split="train", num_images=1, cache_dir=sys.argv[2], **quick)
stream = load_dataset({NAME!r}, split="train", num_images=12, streaming=True, **quick)
rows = DataLoader(stream, batch_size=None, num_workers=2, collate_fn=lambda row: row["provenance"]["index"])
print(json.dumps([sorted(rows), sorted(rows)]))
"""
    command = [sys.executable, "-c", code, json.dumps(quick), str(tmp_path / "cache")]
    surroundings = watched(tmp_path / "watched")
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=600, env=surroundings)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == [list(range(12))] * 2
    counted = published(tmp_path / "watched")
    assert len(counted) == 6 and set(counted.values()) == {1}, "three shards of images, three of labels, each made once"


RELOAD = f"""
import json, sys, time
import dataset_dm
from datasets import load_dataset
start = time.perf_counter()
rows = load_dataset({NAME!r}, split="train", num_images=4, cache_dir=sys.argv[2], **json.loads(sys.argv[1]))
heavy = sorted({{"torch", "diffusers", "transformers"}} & set(sys.modules))
print(json.dumps([len(rows), time.perf_counter() - start, heavy]))
"""


@pytest.mark.parametrize("kept", ["both", "store"])
def test_reading_again_never_touches_the_generator(load, quick: dict, tmp_path: Path, kept: str) -> None:
    load(split="train", num_images=4)
    cache = tmp_path / ("cache" if kept == "both" else "another_cache")
    command = [sys.executable, "-c", RELOAD, json.dumps(quick), str(cache)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    rows, seconds, heavy = json.loads(done.stdout)
    assert rows == 4 and heavy == []
    assert seconds < 10


def test_a_default_spelt_out_is_the_same_folder(quick: dict, tmp_path: Path) -> None:
    short = VocSynth(cache_dir=str(tmp_path), **quick)
    long = VocSynth(cache_dir=str(tmp_path), config_name="semantic", seed=0, num_images=64, size=(128, 128), **quick)
    longer = VocSynth(cache_dir=str(tmp_path), splits={"train": 64}, dtype="float32", **quick)
    assert short.cache_dir == long.cache_dir == longer.cache_dir
    assert short.cache_dir != VocSynth(cache_dir=str(tmp_path), num_images=65, **quick).cache_dir
    assert short.cache_dir != VocSynth(cache_dir=str(tmp_path), seed=1, **quick).cache_dir
    assert short.cache_dir != VocSynth(cache_dir=str(tmp_path), filters={"min_classes": 1}, **quick).cache_dir


def test_the_builder_api(quick: dict, tmp_path: Path) -> None:
    builder = VocSynth(cache_dir=str(tmp_path / "cache"), num_images=3, **quick)
    builder.download_and_prepare(str(tmp_path / "out"), file_format="parquet")
    assert len(load_dataset("parquet", data_dir=str(tmp_path / "out"), split="train")) == 3
    builder.download_and_prepare()
    assert len(builder.as_dataset(split="train")) == 3


def test_what_the_filters_left_out_is_said_once(load, caplog: pytest.LogCaptureFixture) -> None:
    confidences = [quality["confidence"] for quality in load(split="train", num_images=6)["quality"]]
    assert caplog.messages == []
    kept = load(split="train", num_images=6, filters=UserDict(min_confidence=max(confidences)))
    left_out = sorted(set(range(6)) - {row["index"] for row in kept["provenance"]})
    which = ", ".join(map(str, left_out))
    said = f"voc_synth, split train: left out: rows low_confidence {len(left_out)} ({which})"
    assert left_out and caplog.messages == [said]


def test_prompts_classes_and_filters(load, tmp_path: Path) -> None:
    file = tmp_path / "prompts.jsonl"
    file.write_text('{"prompt": "two dogs", "classes": ["dog"]}\n{"prompt": "a cat"}\n')
    rows = load(split="train", num_images=3, prompts=str(file), classes=["cat", "dog"])
    assert rows["prompt"][:] == ["two dogs", "a cat", "two dogs"]
    assert rows.features["classes"].feature.names == ["background", "cat", "dog"]
    kept = load(split="train", num_images=3, prompts=str(file), classes=["cat", "dog"], filters={"max_uncertain": 1})
    assert bytes_of(kept) == bytes_of(rows)
    confidences = [quality["confidence"] for quality in rows["quality"]]
    half = load(split="train", num_images=3, prompts=str(file), classes=["cat", "dog"],
                filters={"min_confidence": max(confidences)})  # fmt: skip
    assert len(half) == confidences.count(max(confidences))


BAD = [
    ({"num_images": "abc"}, "num_images: got 'abc', expected a whole number"),
    ({"num_images": 0}, "num_images: got 0"),
    ({"num_images": -1}, "num_images: got -1"),
    ({"num_imgaes": 5}, "voc_synth: unknown argument 'num_imgaes'; did you mean 'num_images'"),
    ({"wibble": 5}, "unknown argument 'wibble'; known are adapter"),
    ({"splits": {"train": 0}}, "got 0"),
    ({"filters": {"min_confidense": 1}}, "did you mean 'min_confidence'"),
    ({"sampler": {"scheduler": "EulerDiscreteSchedular"}}, "did you mean 'EulerDiscreteScheduler'"),
]


@pytest.mark.parametrize(("asked", "said"), BAD, ids=[str(asked) for asked, _ in BAD])
def test_bad_arguments(load, tmp_path: Path, asked: dict, said: str) -> None:
    with pytest.raises(ConfigError, match=said) as caught:
        load(**asked)
    assert "\n" not in str(caught.value) and isinstance(caught.value, (UserError, ValueError))
    assert shards(tmp_path) == []


def test_an_unknown_config(load) -> None:
    with pytest.raises(
        ConfigError,
        match="unknown config 'semantics'; expected one of semantic, instance, all, zero_shot, long_tail; did you mean",
    ):
        load("semantics")


def test_home_is_where_the_variable_says(load, tmp_path: Path) -> None:
    load(split="train", num_images=1)
    assert os.environ["DATASET_DM_HOME"] == str(tmp_path / "home") and len(shards(tmp_path)) == 2


def test_dropped_rows_are_drawn_again_when_asked_for(load, tmp_path: Path) -> None:
    plain = load(split="train", num_images=3)
    bound = min(row["confidence"] for row in plain["quality"]) + 1e-6
    asked = {"split": "train", "num_images": 3, "filters": {"min_confidence": bound}}
    fewer, full = load(**asked, on_drop="keep_fewer"), load(**asked, on_drop="resample")
    assert len(fewer) == 2 and len(full) >= 2
    assert min(row["confidence"] for row in full["quality"]) >= bound
    assert [row for row in full["provenance"] if row["attempt"] == 0] == fewer["provenance"][:]
    assert any(name.startswith("images/") and "/train.1/" in name for name in shards(tmp_path))
    streamed = load(**asked, on_drop="resample", streaming=True)
    assert [row["provenance"] for row in streamed] == full["provenance"][:]
    with pytest.raises(ConfigError, match="on_drop: got 'again', expected keep_fewer or resample"):
        load(**asked, on_drop="again")
