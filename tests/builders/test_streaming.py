"""Streams as trainers use them: resumed, shuffled, split among workers and ranks; nothing twice, nothing drawn twice."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from datasets import IterableDataset, load_dataset

import dataset_dm  # noqa: F401  (registers the names)

NAME = "dataset_dm/voc_synth"


@pytest.fixture
def stream(quick: dict) -> Callable[..., IterableDataset]:
    def call(num_images: object = 8, **more: object) -> IterableDataset:
        return load_dataset(NAME, split="train", num_images=num_images, streaming=True, **{**quick, **more})

    return call


def taken(rows: Iterator[dict], count: int) -> list[int]:
    return [next(rows)["provenance"]["index"] for _ in range(count)]


def rest(rows: Iterator[dict]) -> list[int]:
    return [row["provenance"]["index"] for row in rows]


@pytest.mark.parametrize("read", [1, 2, 3, 5])
def test_a_state_continues_with_exactly_the_rows_that_remain(stream, read: int) -> None:
    first = stream(num_images=6)
    assert taken(iter(first), read) == list(range(read))
    again = stream(num_images=6)
    again.load_state_dict(first.state_dict())
    assert rest(again) == list(range(read, 6))
