"""A set without its damaged samples, which are counted by reason."""

from __future__ import annotations

import zlib
from collections import Counter

from dataset_dm.errors import DataError
from dataset_dm.readers.labelled import LabelledSet, SampleError, Subset


class Checked(Subset):
    """The readable samples of a set, in its order; every sample is read once.

    Args:
        parent: the set.
        count: stop after this number of readable samples; None for all.

    Attributes:
        skipped: reason → number of samples left out.

    Raises:
        DataError: no sample can be read.

    Example:
        >>> Checked(CocoSet("coco")).skipped
        Counter({'missing file': 2, 'box outside the image': 1})
    """

    def __init__(self, parent: LabelledSet, count: int | None = None) -> None:
        good: list[int] = []
        bad: list[int] = []
        skipped: Counter[str] = Counter()
        last = None
        for index in range(len(parent)):
            if count is not None and len(good) == count:
                break
            try:
                parent[index]
            except SampleError as error:
                skipped[error.reason] += 1
                bad.append(index)
                last = error
            else:
                good.append(index)
        if not good:
            reasons = ", ".join(f"{number} × {reason}" for reason, number in skipped.most_common())
            raise DataError(f"data {parent.source!r}: not one sample can be read ({reasons}); the last: {last}")
        super().__init__(parent, good)
        self.skipped = skipped
        if bad:  # another source than the repaired set, whose cached features do not match
            mark = zlib.crc32(",".join(map(str, bad)).encode())
            self.source = f"{parent.source} less {len(bad)} damaged [{mark:08x}]"
