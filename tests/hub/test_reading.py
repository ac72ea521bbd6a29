"""Reads while the Hub has a bad day, and sets that `datasets` itself pushed: in processes without our package."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.hub.loopback import LoopbackHub
from tests.hub.reading import head_of
from tests.hub.stores import make_store, push

READ = """
import time
import huggingface_hub.utils._http as http
class Hurried:
    sleep = staticmethod(lambda seconds: time.sleep(min(seconds, 0.01)))
    def __getattr__(self, name): return getattr(time, name)
http.time = Hurried()  # the client's own pauses
from datasets import load_dataset
read = load_dataset("me/voc_synth", split="train", data_files={"train": "semantic/train-*"})
told["rows"] = [row["provenance"]["index"] for row in read]
told["picture"] = [read[3]["image"].size, read[3]["label"].getextrema()]
stream = load_dataset("me/voc_synth", split="test", streaming=True)
told["stream"] = [row["provenance"]["index"] for row in stream]
"""


def test_loads_and_streams_while_the_hub_has_a_bad_day(
    logged_in: LoopbackHub, tmp_path: Path, elsewhere: Callable
) -> None:
    push(make_store(tmp_path / "set", train=4, test=3), "me/voc_synth")
    files = logged_in.dataset("me/voc_synth").files("main")
    # what the client and `datasets` try again by themselves: a load and a stream differ
    for split, kinds in {"train": ("truncate", "slow"), "test": ("503", "reset")}.items():
        for kind in kinds:
            logged_in.fail(kind, on=f"GET /cdn/{files[f'semantic/{split}-00000-of-00001.parquet'].sha256}")
    told = elsewhere(READ)
    assert (told["rows"], told["stream"]) == ([16, 17, 18, 19], [16, 17, 18])
    assert told["picture"] == [[8, 6], [0, 255]]  # every second row shows nothing, in part for sure
    assert len(logged_in.faults.happened) == 4


def test_datasets_own_push_and_ours_in_one_repository(
    logged_in: LoopbackHub, tmp_path: Path, elsewhere: Callable, quick: dict[str, object]
) -> None:
    from datasets import load_dataset

    import dataset_dm  # noqa: F401  (teaches `datasets` our names)

    made = load_dataset("dataset_dm/voc_synth", num_images=2, split="train", **quick)
    made.push_to_hub("me/voc_synth", split="train")
    push(make_store(tmp_path / "depth", "depth", train=3), "me/voc_synth")
    assert [entry["config_name"] for entry in head_of(logged_in)["configs"]] == ["default", "depth"]
    code = """
from datasets import load_dataset
row = load_dataset("me/voc_synth", split="train")[1]
told["row"] = [row["image"].mode, row["label"].mode, row["prompt"], row["provenance"]["index"]]
told["depth"] = load_dataset("me/voc_synth", "depth", split="train").num_rows
told["stream"] = [row["prompt"] for row in load_dataset("me/voc_synth", split="train", streaming=True)]
"""
    told = elsewhere(code)
    assert told == {"row": ["RGB", "L", made[1]["prompt"], 1], "depth": 3, "stream": list(made["prompt"])}


def test_offline_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from dataset_dm.errors import HubError

    monkeypatch.setenv("HF_TOKEN", "hf_" + "m" * 34)  # tests are offline unless `logged_in`
    with pytest.raises(HubError, match="offline") as error:
        push(make_store(tmp_path / "set", train=1), "me/voc_synth")
    assert "\n" not in str(error.value) and "HF_HUB_OFFLINE" in str(error.value)
