"""Makes missing shards: in this process, in worker processes, or on a cluster."""

from dataset_dm.engine.engine import Engine
from dataset_dm.engine.fill_set import fill_set
from dataset_dm.engine.forks import must_ask_a_worker
from dataset_dm.engine.options import ENGINES, EngineChoice, resolve_engine
from dataset_dm.engine.work import Work, pending

__all__ = [
    "ENGINES",
    "Engine",
    "EngineChoice",
    "Work",
    "fill_set",
    "must_ask_a_worker",
    "pending",
    "resolve_engine",
]
