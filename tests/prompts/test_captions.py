"""Captions of a column: readers, choice, order, and errors."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from datasets import Dataset, DatasetDict, Features, Image, Value, disable_progress_bars

from dataset_dm.errors import PromptError
from dataset_dm.labels.records import Prompt
from dataset_dm.prompts import Captions, Templates, prepare, source_from_dict

TEXTS = ["a dog in a field", "two cats", "  a street \n at night", "a cat | a dog", "", "a TV"]
TAKEN = ["a dog in a field", "two cats", "a street at night", "a cat, a dog", "a TV"]


@pytest.fixture(autouse=True)
def quiet(own_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("datasets.config.HF_DATASETS_CACHE", tmp_path / "cache")
    disable_progress_bars()


def csv(folder: Path, texts: list[str] = TEXTS) -> str:
    file = folder / "captions.csv"
    file.write_text("caption,number\n" + "".join(f'"{text}",{at}\n' for at, text in enumerate(texts)))
    return str(file)


def prompts(source: Captions, count: int, seed: int = 0, split: str = "train") -> list[Prompt]:
    return [source.prompt(seed, split, index) for index in range(count)]


def test_every_round_is_a_permutation_of_the_captions(tmp_path: Path) -> None:
    source = Captions(dataset=csv(tmp_path), column="caption")
    drawn = prompts(source, 10)
    assert all(prompt.classes is None for prompt in drawn)
    for round_ in (drawn[:5], drawn[5:]):
        assert sorted(prompt.text for prompt in round_) == sorted(TAKEN)
    orders = {tuple(prompts(source, 5, seed, split)) for seed in range(4) for split in ("train", "test")}
    assert len(orders) > 2


def test_captions_that_name_a_class(tmp_path: Path) -> None:
    source = Captions(dataset=csv(tmp_path), column="caption", classes=("cat", "dog", "tvmonitor"))
    assert Counter(prompts(source, 4)) == Counter(
        [
            Prompt("a dog in a field", ("dog",)),
            Prompt("two cats", ("cat",)),
            Prompt("a cat, a dog", ("cat", "dog")),
            Prompt("a TV", ("tvmonitor",)),
        ]
    )


def test_a_mix_chooses_the_leading_class(tmp_path: Path) -> None:
    mix = Templates(("cat", "dog", "tvmonitor"), weights={"tvmonitor": 1.0, "dog": 1.0})
    source = Captions(dataset=csv(tmp_path), column="caption", mix=mix)
    drawn = prompts(source, 20)
    for index, prompt in enumerate(drawn):
        assert mix.prompt(0, "train", index).classes[0] in prompt.classes
    assert Counter(prompt.text for prompt in drawn)["a TV"] == 10
    with pytest.raises(PromptError, match="no caption of column 'caption' of .* names 'bird'"):
        Captions(dataset=source.dataset, column="caption", mix=Templates(("bird",))).prompt(0, "train", 0)


def test_drawn_captions_need_no_dataset(tmp_path: Path) -> None:
    file = csv(tmp_path)
    source = Captions(dataset=file, column="caption")
    assert prepare(source, 0, {"train": 3}) == 256
    Path(file).unlink()
    again = source_from_dict(json.loads(json.dumps(source.to_dict())))
    assert again == source
    assert sorted(prompt.text for prompt in prompts(again, 5)) == sorted(TAKEN)


@pytest.mark.parametrize("kind", ["json", "jsonl", "parquet", "tsv", "txt", "saved", "splits", "folder"])
def test_every_reader(tmp_path: Path, kind: str) -> None:
    dataset, column = Dataset.from_dict({"text": ["a dog", "a cat"]}), "text"
    at = tmp_path / f"data.{kind}"
    if kind in ("json", "jsonl"):
        at.write_text('{"text": "a dog"}\n{"text": "a cat"}\n')
    elif kind == "tsv":
        at.write_text("text\tother\na dog\tx\na cat\ty\n")
    elif kind == "txt":
        at.write_text("a dog\na cat\n")
    elif kind == "parquet":
        dataset.to_parquet(at)
    elif kind == "saved":
        dataset.save_to_disk(at)
    elif kind == "splits":
        DatasetDict({"train": dataset, "test": dataset.select([0])}).save_to_disk(at)
    else:
        at.mkdir()
        dataset.to_parquet(at / "train-00000.parquet")
    source = Captions(dataset=str(at), column=column)
    assert sorted(prompt.text for prompt in prompts(source, 2)) == ["a cat", "a dog"]


def test_a_row_may_have_several_captions(tmp_path: Path) -> None:
    Dataset.from_dict({"said": [["a dog", "a puppy"], [], ["a cat"], None]}).save_to_disk(tmp_path / "data")
    source = Captions(dataset=str(tmp_path / "data"), column="said")
    assert sorted(prompt.text for prompt in prompts(source, 3)) == ["a cat", "a dog", "a puppy"]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"column": "captoin"}, "got 'captoin', expected one of caption; did you mean 'caption'"),
        ({"column": "number"}, "column 'number' of .* holds no texts but Value; columns of texts: caption"),
        ({"column": "caption", "classes": ("boat",)}, "none of the 5 texts of column .* names a class .boat."),
        ({"column": "caption", "split": "test", "folder": True}, "cannot be read"),
        ({"column": "caption", "dataset": "no-owner/nothing-at-all"}, "no-owner/nothing-at-all cannot be read"),
        ({"column": "caption", "dataset": "notes.docx"}, "file: got 'notes.docx', expected one of .csv"),
    ],
)
def test_bad_sources(tmp_path: Path, given: dict[str, Any], message: str) -> None:
    file = csv(tmp_path)
    (tmp_path / "notes.docx").write_text("")
    options = {"dataset": file, **given}
    if options.pop("folder", False):
        options["dataset"] = str(tmp_path)
        (tmp_path / "notes.docx").unlink()
    if options["dataset"] == "notes.docx":
        options["dataset"] = str(tmp_path / "notes.docx")
    with pytest.raises(PromptError, match=message) as caught:
        Captions(**options).prompt(0, "train", 0)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        ([], "cannot be read .*no data"),  # so says `datasets`
        (["", "  "], "column 'caption' of .* holds no text; take another column"),
        ([None, None], "column 'caption' of .* holds no text; take another column"),
    ],
)
def test_empty_datasets(tmp_path: Path, texts: list[str | None], message: str) -> None:
    empty = Dataset.from_dict({"caption": texts}, features=Features({"caption": Value("string")}))
    empty.to_parquet(tmp_path / "d.parquet")
    with pytest.raises(PromptError, match=message):
        Captions(dataset=str(tmp_path / "d.parquet"), column="caption").prompt(0, "train", 0)


def test_a_dataset_without_texts(tmp_path: Path) -> None:
    Dataset.from_dict({"image": [None]}, features=Features({"image": Image()})).save_to_disk(tmp_path / "d")
    with pytest.raises(PromptError, match="holds no texts but Image; columns of texts: none"):
        Captions(dataset=str(tmp_path / "d"), column="image").prompt(0, "train", 0)


@pytest.mark.parametrize("given", [{"dataset": ""}, {"column": 3}, {"classes": ("cat",), "mix": Templates(("cat",))}])
def test_bad_arguments(given: dict[str, Any]) -> None:
    with pytest.raises(PromptError, match="captions: "):
        Captions(**{"dataset": "a/b", "column": "c", **given})
