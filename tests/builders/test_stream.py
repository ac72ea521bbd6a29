"""Streams as trainers use them: resumed, shuffled, split among workers and ranks; nothing comes or is drawn twice."""

import itertools
import logging
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import datasets
import pyarrow as pa
import pytest
import torch
from accelerate import Accelerator
from datasets import IterableDataset, load_dataset
from datasets.distributed import split_dataset_by_node
from torch.utils.data import DataLoader

import dataset_dm  # noqa: F401  (registers the names)
from dataset_dm.builders._stream import LANES, EndlessLanes
from dataset_dm.errors import ConfigError
from dataset_dm.generation.session import Session

NAME = "dataset_dm/voc_synth"
QUICK = {"sampler": {"steps": 1, "guidance": 2.0}, "batch_size": 2, "shard_size": 4, "device": "cpu"}
# rows of the store that all tests of this file read
ROWS = 12


@pytest.fixture(scope="module")
def store(models: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store that holds the first rows; three shards."""
    home = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DATASET_DM_HOME", str(home))
        rows = load_dataset(NAME, split="train", num_images=ROWS, streaming=True, **models, **QUICK)
        assert indices(rows) == list(range(ROWS))
    return home


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int, int]]:
    """(split, shard, batch) of every batch that is made in this process."""
    log: list[tuple[str, int, int]] = []
    batch = Session.batch

    def logged(self: Session, split: str, shard: int, number: int, *stored: object):
        log.append((split, shard, number))
        return batch(self, split, shard, number, *stored)

    monkeypatch.setattr(Session, "batch", logged)
    return log


@pytest.fixture
def stream(models: dict[str, str], store: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., IterableDataset]:
    """Of what is in the store already."""
    monkeypatch.setenv("DATASET_DM_HOME", str(store))
    return lambda num_images=ROWS, **more: load_dataset(
        NAME, split="train", num_images=num_images, streaming=True, **{**models, **QUICK, **more}
    )


def indices(rows: Iterable[dict]) -> list[int]:
    return [index_of(row) for row in rows]


def index_of(row: dict) -> int:
    return row["provenance"]["index"]


def first(count: int, rows: Iterable[dict]) -> list[dict]:
    return list(itertools.islice(rows, count))


def states(rows: IterableDataset) -> Iterator[tuple[int, dict]]:
    """The state after every row."""
    for number, _ in enumerate(rows, start=1):
        yield number, rows.state_dict()


def test_a_state_continues_exactly_and_nothing_is_drawn_twice(quick: dict, drawn: list) -> None:
    def load() -> IterableDataset:
        return load_dataset(NAME, split="train", num_images=7, streaming=True, **quick)

    stream, begun = load(), {}
    for number, state in itertools.islice(states(stream), 5):
        begun[number] = state  # the last one in the middle of a batch, and of a shard that is not whole
    assert drawn == [("train", 0, 0), ("train", 0, 1), ("train", 1, 0)]
    for number, state in begun.items():
        again = load()
        again.load_state_dict(state)
        assert indices(again) == list(range(number, 7))
    assert indices(load()) == list(range(7)), "the next epoch only reads"
    assert drawn == [("train", 0, 0), ("train", 0, 1), ("train", 1, 0), ("train", 1, 1)]


CHANGES = [{"filters": {}}, {"filters": {}, "on_drop": "resample"}, {"splice": "2x2", "num_images": 3}]


@pytest.mark.parametrize("change", CHANGES, ids=["filters", "resample", "mosaics"])
def test_a_state_continues_exactly_whatever_becomes_of_rows(stream, change: dict) -> None:
    asked = dict(change)
    if "filters" in asked:
        confidences = sorted(row["quality"]["confidence"] for row in stream(8))
        asked |= {"filters": {"min_confidence": confidences[1]}, "num_images": 8}
    whole = [row["provenance"] for row in stream(**asked)]
    assert len(whole) == {"filters": 7, "splice": 3}.get(next(iter(change)), 0) or "on_drop" in change
    for number, state in states(stream(**asked)):
        again = stream(**asked)
        again.load_state_dict(state)
        assert [row["provenance"] for row in again] == whole[number:]


def test_a_shuffle_buffer_changes_the_order_alone(stream, drawn: list) -> None:
    shuffled = stream().shuffle(seed=3, buffer_size=6)
    orders = [indices(shuffled), indices(shuffled)]
    shuffled.set_epoch(1)
    orders.append(indices(shuffled))
    assert all(sorted(order) == list(range(ROWS)) for order in orders)
    assert orders[0] == orders[1] != orders[2] and orders[0] != list(range(ROWS)) and drawn == []


@pytest.mark.filterwarnings("ignore:This DataLoader will create:UserWarning")
@pytest.mark.parametrize("workers", [0, 2, 6])
def test_a_dataloader_gives_every_row_once(stream, drawn: list, workers: int) -> None:
    rows = DataLoader(stream(), batch_size=None, num_workers=workers, collate_fn=index_of)
    assert sorted(rows) == sorted(rows) == list(range(ROWS)) and drawn == []


@pytest.mark.parametrize("world", [2, 3])
def test_ranks_share_the_rows_out(stream, drawn: list, world: int) -> None:
    ranks = [split_dataset_by_node(stream(), rank, world) for rank in range(world)]
    read = [indices(rank) for rank in ranks]
    assert sorted(sum(read, [])) == list(range(ROWS)) and {len(part) for part in read} == {ROWS // world}
    loaders = [DataLoader(rank, batch_size=None, num_workers=2, collate_fn=index_of) for rank in ranks]
    assert sorted(sum(map(list, loaders), [])) == list(range(ROWS)) and drawn == []


def test_ranks_that_cannot_share_shards_equally_are_warned(
    stream, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("WORLD_SIZE", "3")
    stream()
    assert caplog.messages == []
    monkeypatch.setenv("WORLD_SIZE", "2")
    with caplog.at_level(logging.WARNING):
        stream()
    (said,) = caplog.messages
    assert said.startswith("voc_synth, split train streams in 3 shards, no multiple of the 2 ranks")
    assert said.endswith("a number of rows that is a multiple of 8 gives each rank shards of its own")


def test_the_usual_steps_of_a_stream(stream) -> None:
    assert indices(stream().take(5)) == list(range(5))
    if not datasets.__version__.startswith("4.8."):  # it skips too few rows of anything that streams as tables
        assert indices(stream().skip(5)) == list(range(5, ROWS))
    assert indices(stream().filter(lambda row: index_of(row) % 3 == 0)) == [0, 3, 6, 9]
    assert [row["twice"] for row in stream().map(lambda row: {"twice": 2 * index_of(row)})] == list(range(0, 24, 2))
    assert [len(batch["image"]) for batch in stream().batch(5)] == [5, 5, 2]
    assert [row["image"].size for row in stream().select_columns(["image"]).take(1)] == [(128, 128)]


def test_a_loader_that_accelerate_prepared(stream, drawn: list) -> None:
    loader = DataLoader(stream(), batch_size=5, collate_fn=lambda rows: torch.tensor(indices(rows)))
    prepared = Accelerator(cpu=True).prepare(loader)
    for epoch in range(2):
        prepared.set_epoch(epoch)
        batches = [batch.tolist() for batch in prepared]
        assert [len(batch) for batch in batches] == [5, 5, 2]
        assert sorted(sum(batches, [])) == list(range(ROWS)) and drawn == []


def test_an_endless_stream_is_the_finite_one_continued(stream, drawn: list) -> None:
    asked = [{"num_images": None}, {"num_images": None, "splits": None}, {"num_images": float("inf")}]
    for one in asked:
        assert indices(first(ROWS, stream(**one))) == list(range(ROWS))
    assert drawn == []


@pytest.mark.parametrize("asked", [{"num_images": None}, {"splits": {"train": None, "test": 2}}])
@pytest.mark.parametrize("name", [NAME, "dataset_dm/miniature"])
def test_without_an_end_only_a_stream_can_be(name: str, quick: dict, asked: dict, tmp_path: Path) -> None:
    more = quick if name == NAME else {}
    said = "num_images: got None, expected streaming=True for a stream without an end; pass it, or for train a number"
    with pytest.raises(ConfigError, match=said):
        load_dataset(name, cache_dir=str(tmp_path / "cache"), **asked, **more)
    assert not [path for path in tmp_path.rglob("*") if path.is_file() and path.suffix != ".lock"]


def endless() -> IterableDataset:
    """Renders cost little."""
    return load_dataset("dataset_dm/miniature", split="train", num_images=None, streaming=True)


def test_the_lanes_of_an_endless_stream() -> None:
    begun = endless()
    assert indices(first(17, begun)) == list(range(17))
    again = endless()
    again.load_state_dict(begun.state_dict())
    assert indices(first(15, again)) == list(range(17, 32))
    rank = split_dataset_by_node(endless(), 1, 2)
    seen = indices(first(34, DataLoader(rank, batch_size=None, num_workers=2, collate_fn=lambda row: row)))
    # rank 1 has the lanes 1, 3, 5, …; its readers have 1, 5, … and 3, 7, … and take them in turns
    assert sorted(seen) == [*range(16, 32), *range(48, 64), 80, 112]


def test_lanes_go_round_for_ever_and_a_state_says_where() -> None:
    def tables(shards: list[int], split: str):
        assert split == "train"
        for part in range(2):
            yield part, pa.table({"row": [10 * shards[0] + 2 * part, 10 * shards[0] + 2 * part + 1]})

    lanes = EndlessLanes(tables, {"shards": list(range(LANES)), "split": "train"}).shard_data_sources(LANES // 2, 1)
    assert lanes.num_shards == 2 and lanes.kwargs["shards"] == [2, 3], "contiguous"
    shards = [lane + turn * LANES for turn in range(2) for lane in (2, 3)]
    expected = [10 * shard + row for shard in shards for row in range(4)]
    for arrow in (False, True):
        for start in range(8):
            lanes._init_state_dict()
            read = _rows(lanes, arrow)
            before = [next(read) for _ in range(start)]
            state = lanes.state_dict()
            fresh = EndlessLanes(tables, lanes.kwargs)
            fresh._init_state_dict()  # as a dataset does before
            fresh.load_state_dict(state)
            after = list(itertools.islice(_rows(fresh, arrow), 8))
            if not arrow or start % 2 == 0:  # a table counts as read when it is handed out
                assert (before + after)[: len(expected)] == expected[: 8 + start]


def _rows(lanes, arrow: bool) -> Iterator[int]:
    if arrow:
        return (row for _, table in lanes.iter_arrow() for row in table.column("row").to_pylist())
    return (row["row"] for _, row in lanes)


def test_an_endless_stream_of_which_nothing_is_kept_says_so() -> None:
    lanes = EndlessLanes(lambda shards: iter([]), {"shards": [0, 1]})
    with pytest.raises(ConfigError, match="no row in 64 shards in a row: expected a row now and then; ask less of"):
        next(lanes.iter_arrow())
