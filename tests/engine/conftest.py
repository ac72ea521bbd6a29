"""Plans that are quick to make, and what they leave in the store."""

import logging
from collections.abc import Iterator

import pytest

from dataset_dm.engine.journal import LOG
from dataset_dm.labels.tasks import SEMANTIC
from dataset_dm.plan.generation_plan import GenerationPlan
from dataset_dm.plan.resolve import resolve
from dataset_dm.store.plans import stores


def plan_of(quick: dict, **more: object) -> GenerationPlan:
    """The plan behind the fixture `quick`, with changes."""
    return resolve(SEMANTIC, **{key: value for key, value in {**quick, **more}.items() if key != "device"})


def files(plan: GenerationPlan) -> dict[str, bytes]:
    """Every finished shard of the plan by kind and name."""
    return {
        f"{store.kind}/{split}/{shard}": store.data(split, shard)
        for store in stores(plan)
        for split in store.splits()
        for shard in store.finished(split)
    }


@pytest.fixture
def listen() -> Iterator:
    """Attaches a handler for the time of a test."""
    attached: list[logging.Handler] = []
    before = LOG.level

    def attach(handler: logging.Handler) -> None:
        attached.append(handler)
        LOG.addHandler(handler)
        LOG.setLevel(logging.INFO)

    yield attach
    for handler in attached:
        LOG.removeHandler(handler)
        handler.close()
    LOG.setLevel(before)
