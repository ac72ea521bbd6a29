"""Push, load, stream, push again, load by revision, delete: against a hub that speaks the real protocol."""

import json
from collections.abc import Callable
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from dataset_dm import cli
from tests.hub.conftest import OTHERS
from tests.hub.loopback import LoopbackHub
from tests.hub.reading import card_of, head_of
from tests.hub.stores import COMMAND, make_store, push

ROUND_TRIP = """
from datasets import load_dataset
sets = load_dataset("me/voc_synth")
told["rows"] = {name: split.num_rows for name, split in sets.items()}
row = sets["train"][1]
told["row"] = [row["image"].size, row["label"].mode, row["prompt"], row["provenance"]["index"]]
told["names"] = sets["train"].features["classes"].feature.names
stream = load_dataset("me/voc_synth", split="train", streaming=True)
told["stream"] = [row["provenance"]["index"] for row in stream]
"""


def test_round_trip_without_our_package(logged_in: LoopbackHub, tmp_path: Path, elsewhere: Callable) -> None:
    pushed = push(make_store(tmp_path / "set"), "voc_synth")
    repo = logged_in.dataset("me/voc_synth")
    assert pushed.url == f"{logged_in.endpoint}/datasets/me/voc_synth"
    assert len(repo.commits) == 2  # the empty start, and everything at once
    assert sorted(repo.files("main")) == [
        ".gitattributes",
        "README.md",
        "drops.json",
        "id2label.json",
        "plan.json",
        "preview/semantic.png",
        "semantic/test-00000-of-00001.parquet",
        "semantic/train-00000-of-00001.parquet",
    ]
    assert next(iter(pushed.sent)) == "README.md"
    told = elsewhere(ROUND_TRIP)
    assert told["rows"] == {"train": 4, "test": 2}
    assert told["row"] == [[8, 6], "L", "prompt 17", 17]
    assert told["names"] == ["background", "cat", "dog", "person"]
    assert told["stream"] == [16, 17, 18, 19]


def test_a_real_set_from_generate_to_a_stranger(
    logged_in: LoopbackHub, tmp_path: Path, elsewhere: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATASET_DM_HOME", str(tmp_path / "home"))
    out = tmp_path / "set"
    words = ["generate", "voc_synth", "--num-images", "2", "--steps", "1", "--batch-size", "2", "--shard-size", "2"]
    assert cli.main([*words, "--device", "cpu", "--out", str(out)]) == 0
    push(out, "me/voc_synth")
    code = """
from datasets import load_dataset
row = load_dataset("me/voc_synth", split="train")[1]
told["row"] = [row["image"].size, row["label"].mode, row["provenance"]["generator"]]
"""
    assert elsewhere(code) == {"row": [[128, 128], "L", "miniature"]}
    text = card_of(logged_in)
    assert "| mIoU of class masks | 0." in text and "embedded model was trained on rendered scenes" in text
    assert str(tmp_path) not in logged_in.content("datasets", "me/voc_synth", "plan.json").decode()
    assert push(out, "me/voc_synth").sent == {}


def test_a_branch_that_differs_in_nothing_is_made_too(logged_in: LoopbackHub, tmp_path: Path) -> None:
    store = make_store(tmp_path / "set", train=2)
    push(store, "me/voc_synth")
    pushed = push(store, "me/voc_synth", revision="v1")
    branches = logged_in.dataset("me/voc_synth").branches
    assert pushed.sent == {} and branches["v1"] == branches["main"] == pushed.commit


def test_the_texts_that_go_along(logged_in: LoopbackHub, tmp_path: Path) -> None:
    push(make_store(tmp_path / "set"), "me/voc_synth")
    read = {
        name: json.loads(logged_in.content("datasets", "me/voc_synth", name)) for name in ("plan.json", "drops.json")
    }
    assert read["plan.json"]["configs"]["semantic"]["command"] == COMMAND
    assert read["drops.json"]["configs"] == {
        "semantic": {"samples": {"low_confidence": 2}, "objects": {"low_score": 1}}
    }
    ids = json.loads(logged_in.content("datasets", "me/voc_synth", "id2label.json"))
    assert ids == {"0": "background", "1": "cat", "2": "dog", "3": "person"}
    text = card_of(logged_in)
    assert 'load_dataset("me/voc_synth")' in text and "](preview/semantic.png)" in text and "Apache-2.0" in text


def test_a_second_push_sends_what_is_new(logged_in: LoopbackHub, tmp_path: Path) -> None:
    store = make_store(tmp_path / "set")
    first = push(store, "me/voc_synth")
    puts = logged_in.seen("PUT /lfs")
    again = push(store, "me/voc_synth")
    assert again.sent == {} and again.removed == () and again.commit == first.commit
    assert logged_in.seen("PUT /lfs") == puts
    grown = push(make_store(tmp_path / "more", train=6, test=2), "me/voc_synth")
    assert sorted(grown.sent) == ["README.md", "semantic/train-00000-of-00001.parquet"]
    assert logged_in.seen("PUT /lfs") == puts + 1


def test_growth_load_by_revision_and_delete(logged_in: LoopbackHub, tmp_path: Path, elsewhere: Callable) -> None:
    from huggingface_hub import HfApi

    first = push(make_store(tmp_path / "set", train=4), "me/voc_synth")
    push(make_store(tmp_path / "more", train=6), "me/voc_synth")
    push(make_store(tmp_path / "other", train=2), "me/voc_synth", revision="small")
    code = f"""
from datasets import load_dataset
for revision in ("main", "small", {first.commit!r}):
    told[revision] = load_dataset("me/voc_synth", split="train", revision=revision).num_rows
"""
    assert elsewhere(code) == {"main": 6, "small": 2, first.commit: 4}
    HfApi().delete_repo("me/voc_synth", repo_type="dataset")
    assert not logged_in.repos


def test_small_files_are_joined_and_old_ones_taken_away(logged_in: LoopbackHub, tmp_path: Path) -> None:
    store = make_store(tmp_path / "set", train=[2, 3, 1])
    images = [
        cell["bytes"]
        for file in sorted((store / "train").glob("*.parquet"))
        for cell in pq.read_table(file)["image"].to_pylist()
    ]
    repo_file = "semantic/train-00000-of-00001.parquet"
    push(store, "me/voc_synth")
    fetched = tmp_path / "fetched.parquet"
    fetched.write_bytes(logged_in.content("datasets", "me/voc_synth", repo_file))
    assert [cell["bytes"] for cell in pq.read_table(fetched)["image"].to_pylist()] == images
    assert pq.read_schema(fetched).metadata == pq.read_schema(store / "train" / "00000.parquet").metadata
    from huggingface_hub import HfApi

    stale = "semantic/train-00001-of-00002.parquet"
    HfApi().upload_file(
        path_or_fileobj=fetched.read_bytes(), path_in_repo=stale, repo_id="me/voc_synth", repo_type="dataset"
    )
    assert push(store, "me/voc_synth").removed == (stale,)
    assert stale not in logged_in.dataset("me/voc_synth").files("main")


def test_several_configs_in_one_repository(logged_in: LoopbackHub, tmp_path: Path, elsewhere: Callable) -> None:
    push(make_store(tmp_path / "semantic"), "me/voc_synth")
    later = [make_store(tmp_path / "instance", "instance", train=2), make_store(tmp_path / "depth", "depth", train=3)]
    push(later, "me/voc_synth")
    head = head_of(logged_in)
    assert [(one["config_name"], one.get("default")) for one in head["configs"]] == [
        ("semantic", True),
        ("instance", None),
        ("depth", None),
    ]
    assert set(head["task_categories"]) == {"image-segmentation", "object-detection", "depth-estimation"}
    assert set(json.loads(logged_in.content("datasets", "me/voc_synth", "plan.json"))["configs"]) == {
        "semantic",
        "instance",
        "depth",
    }
    text = card_of(logged_in)
    assert [text.count(f"## Config {name}\n") for name in ("semantic", "instance", "depth")] == [1, 1, 1]
    assert text.index("## Config depth") < text.index("## Licence")
    code = """
from datasets import get_dataset_config_names, load_dataset
told["configs"] = get_dataset_config_names("me/voc_synth")
told["default"] = load_dataset("me/voc_synth", split="train").num_rows
told["depth"] = load_dataset("me/voc_synth", "depth", split="train")[2]["depth_map"].mode
told["objects"] = len(load_dataset("me/voc_synth", "instance", split="train")[0]["objects"]["id"])
"""
    told = elsewhere(code)
    assert sorted(told["configs"]) == ["depth", "instance", "semantic"]
    assert (told["default"], told["depth"], told["objects"]) == (4, "F", 3)


def test_a_split_that_the_store_has_not_stays(logged_in: LoopbackHub, tmp_path: Path) -> None:
    push(make_store(tmp_path / "set", train=4, test=2), "me/voc_synth")
    (before,) = head_of(logged_in)["dataset_info"]
    push(make_store(tmp_path / "train", train=6), "me/voc_synth")
    (info,) = head_of(logged_in)["dataset_info"]
    assert {split["name"]: split["num_examples"] for split in info["splits"]} == {"train": 6, "test": 2}
    assert info["dataset_size"] == sum(split["num_bytes"] for split in info["splits"])
    weight = (tmp_path / "train" / "train" / "00000.parquet").stat().st_size
    share = before["splits"][1]["num_bytes"] / before["dataset_size"]
    assert info["download_size"] == weight + round(share * before["download_size"])
    assert "semantic/test-00000-of-00001.parquet" in logged_in.dataset("me/voc_synth").files("main")


def test_pull_requests_once_each(logged_in: LoopbackHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    push(make_store(tmp_path / "set", train=4), "me/voc_synth")
    monkeypatch.setenv("HF_TOKEN", OTHERS)
    more = make_store(tmp_path / "more", train=6)
    logged_in.fail("lost", on="POST .*/commit/")
    pushed = push(more, "me/voc_synth", create_pr=True)
    repo = logged_in.dataset("me/voc_synth")
    assert len(repo.pulls) == 1 and pushed.pull_request.endswith("/discussions/1")
    assert push(more, "me/voc_synth", create_pr=True).pull_request == pushed.pull_request
    assert len(repo.pulls) == 1
    assert "6 images with class masks." in card_of(logged_in, revision="refs/pr/1")
    assert "4 images with class masks." in card_of(logged_in)


def test_dry_run_writes_nothing(logged_in: LoopbackHub, tmp_path: Path) -> None:
    store = make_store(tmp_path / "set")
    said = push(store, "me/voc_synth", dry_run=True)
    assert said.dry and len(said.sent) == 7 and not logged_in.repos
    push(store, "me/voc_synth")
    logged_in.log.clear()
    said = push(make_store(tmp_path / "more", train=6), "me/voc_synth", dry_run=True)
    assert sorted(said.sent) == ["README.md", "semantic/train-00000-of-00001.parquet"]
    assert [line for line, _ in logged_in.log if not line.startswith(("GET", "HEAD"))] == []
