"""The card: plain `load_dataset(folder)` finds splits and features; a hostile prompt stays text."""

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml
from datasets import ClassLabel, Dataset, Features, Image, List, Value, load_dataset
from PIL import Image as Pictures

from dataset_dm.errors import DataError
from dataset_dm.hub import CardFacts, escape, size_category, write_card
from dataset_dm.labels.images import encode_png
from dataset_dm.labels.records import arrow_schema, features, semantic_features
from dataset_dm.plan.configs import CATALOGUE
from tests.annotations import CLASSES as OBJECTS
from tests.annotations import annotation, nothing
from tests.rows.test_reader import rows_of

CLASSES = ("background", "car", "dog")
FEATURES = Features(
    {
        "image": Image(),
        "label": Image(),
        "classes": List(ClassLabel(names=list(CLASSES[1:]))),
        "prompt": Value("string"),
        "quality": {"confidence": Value("float32"), "uncertain": Value("float32")},
    }
)
NASTY = "a <b>car</b> | [x](http://y) {{ 7*7 }}\n---\nand `code` $x$"


def fill(folder: Path, split: str, rows: int) -> None:
    picture = Pictures.new("RGB", (8, 8), (10, 20, 30))
    label = Pictures.new("L", (8, 8), 1)
    data = {
        "image": [picture] * rows,
        "label": [label] * rows,
        "classes": [["car"], ["car", "dog"], []][:rows],
        "prompt": [NASTY, "two dogs", "nothing"][:rows],
        "quality": [{"confidence": 0.5 + 0.25 * i, "uncertain": 0.02} for i in range(rows)],
    }
    (folder / split).mkdir(parents=True)
    Dataset.from_dict(data, features=FEATURES).to_parquet(folder / split / "00000.parquet")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    fill(tmp_path / "made", "validation", 1)
    fill(tmp_path / "made", "train", 3)
    facts = CardFacts(
        name="voc_synth",
        config="semantic",
        command="dataset-dm generate voc_synth --num-images 3",
        settings={"generator": "miniature", "sampler": {"steps": 20, "guidance": 5.0}, "adapter": None},
        classes=CLASSES,
        dropped={"unsafe": 2},
    )
    write_card(tmp_path / "made", facts)
    return tmp_path / "made"


def test_plain_load_dataset_finds_splits_and_features(folder: Path, tmp_path: Path) -> None:
    loaded = load_dataset(str(folder), cache_dir=str(tmp_path / "cache"))
    assert {name: split.num_rows for name, split in loaded.items()} == {"train": 3, "validation": 1}
    assert list(loaded) == ["train", "validation"]
    assert loaded["train"].features == FEATURES
    assert loaded["train"][1]["classes"] == [0, 1]
    assert loaded["train"][0]["label"].getpixel((3, 3)) == 1


def test_yaml_head_names_files_and_sizes(folder: Path) -> None:
    text = (folder / "README.md").read_text(encoding="utf-8")
    head = yaml.safe_load(text.split("---")[1])
    assert head["configs"][0]["data_files"][0] == {"split": "train", "path": "train/*.parquet"}
    assert [split["num_examples"] for split in head["dataset_info"][0]["splits"]] == [3, 1]
    assert head["size_categories"] == "n<1K" or head["size_categories"] == ["n<1K"]


def test_card_says_how_it_was_made_and_counts(folder: Path) -> None:
    text = (folder / "README.md").read_text(encoding="utf-8")
    assert "dataset-dm generate voc_synth --num-images 3" in text
    assert "| sampler | steps=20, guidance=5.0 |" in text
    assert "| car | 1 | 3 |" in text and "| dog | 2 | 1 |" in text  # 2 + 1 images with a car, 1 with a dog
    assert "| mean confidence | 0.688 |" in text  # (0.5 + 0.75 + 1.0 + 0.5) / 4 = 0.6875
    assert "unsafe: 2" in text
    assert (folder / "id2label.json").read_text() == '{\n  "0": "background",\n  "1": "car",\n  "2": "dog"\n}\n'


def test_hostile_prompt_stays_text(folder: Path) -> None:
    body = (folder / "README.md").read_text(encoding="utf-8").split("## Statistics")[1]
    assert "<b>" not in body and "[x](" not in body and "49" not in body
    assert "\n---\n" not in body
    assert r"a &lt;b&gt;car&lt;/b&gt; \|" in body


def test_escape_by_hand() -> None:
    assert escape("a|b *c*\n<d>") == r"a\|b \*c\* &lt;d&gt;"
    assert escape("- a (well-known) car") == r"\- a (well-known) car"
    assert escape("12. cars") == r"12\. cars"


def test_size_category_by_hand() -> None:
    assert [size_category(n) for n in (999, 1000, 99_999, 100_000)] == ["n<1K", "1K<n<10K", "10K<n<100K", "100K<n<1M"]
    assert [size_category(10**n) for n in (6, 7, 8, 12)] == ["1M<n<10M", "10M<n<100M", "100M<n<1B", "n>1T"]


def test_a_folder_without_splits_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no split"):
        write_card(tmp_path, CardFacts(name="x", config="semantic", command=""))


def test_the_columns_of_voc_synth(tmp_path: Path) -> None:
    picture = {"bytes": encode_png(np.zeros((8, 8, 3), np.uint8)), "path": None}
    label = {"bytes": encode_png(np.full((8, 8), 2, np.uint8)), "path": None}
    quality = {"confidence": 0.5, "uncertain": 0.0, "presence": [0.1, 0.9]}
    row = {"image": picture, "label": label, "classes": [2], "prompt": "a dog", "quality": quality, "provenance": None}
    plain = semantic_features(CLASSES[1:])
    (tmp_path / "set" / "train").mkdir(parents=True)
    table = pa.Table.from_pylist([row], schema=arrow_schema(plain))
    pq.write_table(table, tmp_path / "set" / "train" / "00000.parquet")
    write_card(tmp_path / "set", CardFacts(name="voc_synth", config="semantic", command="x", classes=CLASSES))
    loaded = load_dataset(str(tmp_path / "set"), split="train", cache_dir=str(tmp_path / "cache"))
    assert loaded.features == features(plain)
    assert loaded.features["classes"].feature.int2str(loaded[0]["classes"]) == ["dog"]
    assert "| dog | 2 | 1 |" in (tmp_path / "set" / "README.md").read_text(encoding="utf-8")


def made_card(folder: Path, config: str, **facts: object) -> tuple[dict, str]:
    """Head and text of the card of a set of one full and one empty picture."""
    _, table = rows_of(config, [annotation(), annotation(nothing())])
    (folder / "train").mkdir(parents=True)
    pq.write_table(table, folder / "train" / "00000.parquet")
    write_card(folder, CardFacts(name="some_synth", config=config, command="x", **facts))
    text = (folder / "README.md").read_text(encoding="utf-8")
    return yaml.safe_load(text.split("---")[1]), text


@pytest.mark.parametrize(
    ("config", "categories"),
    [
        ("instance", ["image-segmentation", "object-detection"]),
        ("keypoints", ["keypoint-detection", "object-detection"]),
        ("depth", ["depth-estimation"]),
        ("all", ["image-segmentation", "object-detection", "keypoint-detection", "depth-estimation"]),
    ],
)
def test_every_config_has_its_tasks_and_columns_explained(tmp_path: Path, config: str, categories: list[str]) -> None:
    names = () if config == "depth" else ("background", *OBJECTS)
    head, text = made_card(tmp_path / "set", config, classes=names, dropped_objects={"low_score": 3})
    assert head["task_categories"] == categories
    loaded = load_dataset(str(tmp_path / "set"), split="train", cache_dir=str(tmp_path / "cache"))
    assert loaded.features == features(CATALOGUE["miniature"][config].features(OBJECTS))
    for name in loaded.features:
        (line,) = [line for line in text.splitlines() if line.startswith(f"| `{name}` |")]
        assert line.split("|")[3].strip(), name  # every column says what it means
    assert "low\\_score: 3" in text
    assert ("Value 255 marks" in text) == (config == "all")
    assert ("Depth is estimated from one image" in text) == (config in ("depth", "all"))
    assert (tmp_path / "set" / "id2label.json").exists() == (config != "depth")
    if config != "depth":
        assert "| dog | 2 | 1 |" in text  # the empty picture shows none
        assert "| mean score of objects | 0.542 |" in text  # (0.875 + 0.5 + 0.25) / 3
    if config in ("keypoints", "all"):
        assert "| mean score of keypoints | 0.500 |" in text


def test_the_id_of_a_class_is_the_one_in_the_annotation(tmp_path: Path) -> None:
    made_card(tmp_path / "set", "instance", classes=("background", *OBJECTS))
    ids = json.loads((tmp_path / "set" / "id2label.json").read_text())
    row = load_dataset(str(tmp_path / "set"), split="train", cache_dir=str(tmp_path / "cache"))[0]
    assert {name: int(number) for number, name in ids.items()} == row["semantic_class_to_id"]


def test_folders_of_this_machine_are_not_told(tmp_path: Path) -> None:
    command = "dataset-dm generate voc_synth --prompts '/home/alice/my words/p.txt' --out /home/alice/sets/voc16"
    settings = {"adapter": "/home/alice/lora"}
    made_card(tmp_path / "set", "instance")
    write_card(tmp_path / "set", CardFacts(name="x", config="instance", command=command, settings=settings))
    text, plan = ((tmp_path / "set" / name).read_text(encoding="utf-8") for name in ("README.md", "plan.json"))
    assert "alice" not in text + plan
    assert "--out voc16\n" in text and "| adapter | lora |" in text and "--out voc16" in plan


def test_nothing_left_out_is_said_too(folder: Path, tmp_path: Path) -> None:
    _, text = made_card(tmp_path / "whole", "depth")
    assert "No sample is recorded as left out." in text
    assert "No sample is known" not in (folder / "README.md").read_text(encoding="utf-8")
