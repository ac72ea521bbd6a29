"""Batches that a stream left behind: the next reader of the shard continues from them, to the same bytes."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from dataset_dm.engine import Engine, Work
from dataset_dm.generation.session import Session
from dataset_dm.store.plans import stores
from tests.engine.conftest import files, plan_of

WORK = Work("train", 0, draw=True)


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int]]:
    """(shard, batch) of every batch that is made."""
    log: list[tuple[int, int]] = []
    batch = Session.batch

    def logged(self: Session, split: str, shard: int, number: int, *stored: object):
        log.append((shard, number))
        return batch(self, split, shard, number, *stored)

    monkeypatch.setattr(Session, "batch", logged)
    return log


def left(home: Path) -> list[str]:
    return sorted(path.relative_to(home).parts[0] + "/" + path.name for path in home.rglob("*.arrow"))


def begin(plan) -> Iterator:
    """A stream that is left open after its first batch."""
    rows = Engine(plan, device="cpu").rows(WORK)
    assert next(rows)[0].column("index").to_pylist() == [0, 1]
    return rows


def test_what_a_stream_began_another_run_ends(
    quick: dict, made: list, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = plan_of(quick)
    stream = begin(plan)
    assert made == [(0, 0)] and files(plan) == {}
    assert left(tmp_path / "home") == ["images/0.arrow", "labels/0.arrow"]
    with Engine(plan, device="cpu") as engine:
        assert engine.fill({"train": 4}) == 1
    assert made == [(0, 0), (0, 1)] and left(tmp_path / "home") == []
    images, labels = next(stream)
    assert images.column("index").to_pylist() == labels.column("index").to_pylist() == [2, 3]
    assert next(stream, None) is None and len(made) == 2
    together = files(plan)
    monkeypatch.setenv("DATASET_DM_HOME", str(tmp_path / "alone"))
    with Engine(plan, device="cpu") as engine:
        engine.fill({"train": 4})
    assert files(plan) == together


def test_readers_in_step_draw_nothing_twice(quick: dict, made: list) -> None:
    plan = plan_of(quick)
    readers = [Engine(plan, device="cpu").rows(WORK) for _ in range(2)]
    seen = [images.column("index").to_pylist() for pair in zip(*readers, strict=True) for images, _ in pair]
    assert seen == [[0, 1], [0, 1], [2, 3], [2, 3]] and made == [(0, 0), (0, 1)]
    assert all(store.splits() == ["train"] for store in stores(plan))


@pytest.mark.parametrize("harm", ["damaged", "made elsewhere"])
def test_a_piece_that_cannot_be_used_is_made_again(quick: dict, made: list, tmp_path: Path, harm: str) -> None:
    plan = plan_of(quick, shard_size=2, batch_size=1)
    next(Engine(plan, device="cpu").rows(WORK))
    for piece in (tmp_path / "home").rglob("*.arrow"):
        data = piece.read_bytes()
        environment = data[data.index(b'{"environment": "') + 17 :][:12]
        piece.write_bytes(data[:100] if harm == "damaged" else data.replace(environment, b"0" * 12))
    assert [images.num_rows for images, _ in Engine(plan, device="cpu").rows(WORK)] == [1, 1]
    assert made == [(0, 0), (0, 0), (0, 1)] and left(tmp_path / "home") == []
