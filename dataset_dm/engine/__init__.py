"""Who makes the shards that are missing: this process, worker processes, or a cluster."""

from dataset_dm.engine.base import Work, note_wanted, pending, stores
from dataset_dm.engine.choice import ENGINES, EngineChoice, resolve_engine
from dataset_dm.engine.engine import Engine
from dataset_dm.engine.forks import must_ask_a_worker

__all__ = [
    "ENGINES",
    "Engine",
    "EngineChoice",
    "Work",
    "must_ask_a_worker",
    "note_wanted",
    "pending",
    "resolve_engine",
    "stores",
]
