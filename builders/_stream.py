"""How a generated set streams, `load_dataset("dataset_dm/voc_synth", streaming=True)`, and streams without an end.

**Lazy.** Nothing is made before a row is asked for, and the first row comes after one batch. What a stream made is in
the store: the next epoch, another process or a later run reads it. A batch of a shard that is not whole yet lies there
too (see `engine.pieces`), so a stream may be left anywhere and nothing is drawn twice.

**Shards.** A shard of the store (`shard_size` samples, 16 by default) is a shard to `datasets`: what `shuffle` orders,
and what DataLoader workers and ranks share out. Its tables are the same whether they are made or read, so `state_dict`
continues in the middle of one with exactly the rows that remain. As with any stream of `datasets`, rows in a shuffle
buffer are lost on resuming, and `take(n)` asks for a row more than it gives: one batch may be made beyond.

**Workers.** A DataLoader's readers are forked (or spawned) and never run a model: each has a worker process that makes
the shards it lacks, so that there the first row comes after one shard. Readers beyond the number of shards get nothing
to do; `datasets` says so. `engine="processes"` streams in the same way, a shard at a time; nothing is made ahead, for a
reader does not know its next shard. To work ahead with several GPUs, run `dataset-dm generate` of the same set beside
the stream: each makes what the other has not begun.

**Ranks.** `split_dataset_by_node` gives every rank shards of its own if their number is a multiple of the ranks: take
`num_images` as a multiple of shard_size x ranks (x workers; of mosaics, a shard holds so many times fewer). Otherwise
every rank goes through all rows and keeps its own: no row comes twice, and on a store that the ranks share none is
drawn twice, but they wait for each other (`datasets` 4.8 then gives all rows to rank 0, of any data set). A warning
says so where a launcher has set WORLD_SIZE.

**No end.** `num_images=None` (or `splits={"train": None}`) goes on for ever, for streams alone. It is the finite stream
continued: row i is the same row as with any count. It is shared out by LANES fixed lanes, lane k being the shards k,
k + LANES, …; a reader takes its lanes in turns, so that one reader alone sees all shards in order. `shuffle` leaves
lanes in order, for shards are independent draws: it shuffles by its buffer. A state says where each reader is, so that
resuming costs nothing, however far the stream is.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import Any

import datasets
import numpy as np
import pyarrow as pa
from datasets.iterable_dataset import ArrowExamplesIterable

from dataset_dm.errors import ConfigError, explain

# many ranks and workers divide it: 1-6, 8, 10, 12, 15, 16, 20, 24, 30, 32, 40, 48, 60, 64, 80, 96 …
LANES = 960

# of a state: rounds through the lanes, the lane that is read, rows of its shard
_START = {"turn": 0, "shard_idx": 0, "shard_example_idx": 0}
# an endless stream whose filters drop all would draw for ever and say nothing
_MOST_BARREN = 64

_LOG = datasets.logging.get_logger("datasets.dataset_dm")
# where torchrun, accelerate and the like say how many ranks there are
_WORLD = "WORLD_SIZE"


class EndlessLanes(ArrowExamplesIterable):
    """Lanes without an end, in turns.

    Args:
        generate_tables: makes the tables of shards, as `_generate_tables` of a builder.
        kwargs: its arguments; `shards` are the first shards of the lanes that are read here.
    """

    def __init__(self, generate_tables: Callable[..., Iterator[Any]], kwargs: dict[str, Any]) -> None:
        super().__init__(generate_tables, kwargs)

    @property
    def num_shards(self) -> int:
        """How many lanes."""
        return len(self.kwargs["shards"])

    def __iter__(self) -> Iterator[tuple[Any, dict[str, Any]]]:
        for state, tables in self._shards():
            start, position = state["shard_example_idx"], 0
            for key, table in tables:
                position += table.num_rows
                for row in table.slice(max(0, start - position + table.num_rows)).to_pylist():
                    state["shard_example_idx"] += 1
                    yield key, row

    def shuffle_data_sources(self, generator: np.random.Generator) -> EndlessLanes:
        """Itself: shards are independent draws, and another order would draw others in every epoch."""
        return self

    def shard_data_sources(self, num_shards: int, index: int, contiguous: bool = True) -> EndlessLanes:
        """The lanes of one reader."""
        lanes = self.kwargs["shards"]
        own = [lanes[one] for one in self.split_shard_indices_by_worker(num_shards, index, contiguous=contiguous)]
        return EndlessLanes(self.generate_tables_fn, {**self.kwargs, "shards": own})

    def reshard_data_sources(self) -> EndlessLanes:
        """Itself: there are no smaller parts."""
        return self

    def _init_state_dict(self) -> dict[str, Any]:
        self._state_dict = {**_START, "type": type(self).__name__}
        return self._state_dict

    def _iter_arrow(self) -> Iterator[tuple[Any, pa.Table]]:
        for state, tables in self._shards():
            start, position = state["shard_example_idx"], 0
            for key, table in tables:
                position += table.num_rows
                if position > start:
                    state["shard_example_idx"] += table.num_rows
                    yield key, table

    def _shards(self) -> Iterator[tuple[dict[str, Any], Iterator[Any]]]:
        """The state, and the tables of the shard it points to; it moves on when they are through."""
        lanes, state = self.kwargs["shards"], self._state_dict or dict(_START)
        barren = 0
        while True:
            while state["shard_idx"] < len(lanes):
                shard = lanes[state["shard_idx"]] + state["turn"] * LANES
                yield state, self.generate_tables_fn(**{**self.kwargs, "shards": [shard]})
                barren = 0 if state["shard_example_idx"] else barren + 1
                if barren == _MOST_BARREN:
                    expected = "a row now and then"
                    raise ConfigError(
                        explain(
                            f"no row in {barren} shards in a row", expected=expected, remedy="ask less of the filters"
                        )
                    )
                state.update(shard_idx=state["shard_idx"] + 1, shard_example_idx=0)
            state.update(turn=state["turn"] + 1, shard_idx=0)


def warn_of_ranks(split: str, shards: int, rows: int) -> None:
    """Says where a launcher started several ranks that cannot share out so many shards, of `rows` rows each."""
    world = os.environ.get(_WORLD, "")
    if not world.isdigit() or int(world) < 2 or shards % int(world) == 0:
        return
    _LOG.warning(
        "%s streams in %d shards, no multiple of the %s ranks: after split_dataset_by_node every rank goes through all "
        "rows and keeps its own; a number of rows that is a multiple of %d gives each rank shards of its own",
        *(split, shards, world, rows * int(world)),
    )
