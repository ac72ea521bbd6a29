"""Figures of a run for experiment trackers."""

from pathlib import Path

import pytest
from accelerate.tracking import GeneralTracker

from dataset_dm.engine import Work
from dataset_dm.engine.journal import Journal
from dataset_dm.engine.options import EngineChoice
from dataset_dm.engine.trackers import Trackers
from dataset_dm.errors import ConfigError, MissingExtra
from dataset_dm.store.shards import ShardStore
from tests.engine.conftest import plan_of
from tests.files.test_storage import TABLE


def test_trackers_get_figures_shard_by_shard(quick: dict, tmp_path: Path, listen) -> None:
    plan = plan_of(quick)
    images, labels = (ShardStore.open(kind, "f" * 16, tmp_path) for kind in ("images", "labels"))
    images.write("train", 0, TABLE, {}, dropped={"constant": 1})
    for shard in (0, 1):
        labels.write("train", shard, TABLE, {}, seconds={"draw": 2.0})
    kept = Kept()
    handler = Trackers([kept], tmp_path, cpu=True)
    listen(handler)
    journal = Journal(plan, images, labels)
    work = [Work("train", shard, draw=True) for shard in (0, 1)]
    journal.begun(work, EngineChoice(), "cpu")
    journal.settled(work[0], "made")
    journal.settled(work[1], "there")
    journal.settled(work[1], "made")
    assert kept.config["labels"] == plan.label_fingerprint and kept.config["shards"] == 2
    assert [step for step, _ in kept.logged] == [4, 8]
    figures = kept.logged[1][1]
    assert (figures["samples"], figures["seconds/draw"], figures["dropped/constant"]) == (8, 2.0, 1)
    assert figures["samples_per_second"] > 0
    handler.close()
    assert kept.finished


def test_unknown_and_missing_trackers() -> None:
    with pytest.raises(ConfigError, match="tracker: got 'tensorbord', expected one of .*did you mean 'tensorboard'"):
        Trackers(["tensorbord"], Path())
    with pytest.raises(MissingExtra, match="tracker 'aim': its package is not installed; pip install aim"):
        Trackers(["aim"], Path())


class Kept(GeneralTracker):
    """A tracker of somebody's own, by accelerate's interface."""

    name, requires_logging_directory = "kept", False

    def __init__(self) -> None:
        super().__init__()
        self.config: dict = {}
        self.logged: list[tuple[int, dict]] = []
        self.finished = False

    @property
    def tracker(self) -> list:
        return self.logged

    def store_init_configuration(self, values: dict) -> None:
        self.config = values

    def log(self, values: dict, step: int | None = None, **more: object) -> None:
        self.logged.append((step, values))

    def finish(self) -> None:
        self.finished = True
