"""Who makes the shards that are missing: this process, worker processes, or a cluster."""

from dataset_dm.engine.engine import Engine
from dataset_dm.engine.forks import must_ask_a_worker
from dataset_dm.engine.options import ENGINES, EngineChoice, resolve_engine
from dataset_dm.engine.work import Work, pending

__all__ = [
    "ENGINES",
    "Engine",
    "EngineChoice",
    "Work",
    "must_ask_a_worker",
    "pending",
    "resolve_engine",
]
