"""Making shards in this process: what it does before the first one."""

import gc

import pytest

from dataset_dm.engine.local import without_collection


def test_no_garbage_is_collected_meanwhile_and_it_is_afterwards() -> None:
    assert gc.isenabled()
    with pytest.raises(ImportError), without_collection():
        assert not gc.isenabled()
        raise ImportError
    assert gc.isenabled()


def test_a_collector_that_was_off_stays_off() -> None:
    gc.disable()
    try:
        with without_collection():
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()
