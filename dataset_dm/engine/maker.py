"""What every engine has in common: the interface by which backends differ."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Protocol

from dataset_dm.engine.work import Work
from dataset_dm.store.plans import Rows

if TYPE_CHECKING:
    from dataset_dm.engine.backlog import Backlog


class Maker(Protocol):
    """Makes shards: in this process, in others, on a cluster."""

    # stage → seconds spent so far, of all processes together
    seconds: Mapping[str, float]

    def fill(self, backlog: Backlog) -> None:
        """Makes all that is in the backlog."""

    def rows(self, work: Work) -> Iterator[Rows]:
        """Makes one shard and gives its rows, as early as it can."""

    def close(self) -> None:
        """Ends what was started."""
