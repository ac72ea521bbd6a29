"""Which images and heads a training has."""

from collections import Counter
from dataclasses import dataclass, field

import numpy as np
import pytest

from dataset_dm.errors import ConfigError, DataError
from dataset_dm.readers import LabelledImage
from dataset_dm.training.config import TrainConfig
from dataset_dm.training.inputs import chosen_tasks, depth_range, look_through, open_sets

PIXELS = np.zeros((1, 2, 3), np.uint8)


@dataclass
class Labelled:
    """A set in memory."""

    images: list[LabelledImage]
    kinds: tuple[str, ...] = ()
    classes: tuple[str, ...] = ("dog",)
    source: str = "memory"
    skipped: Counter = field(default_factory=Counter)
    read: list[int] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> LabelledImage:
        self.read.append(index)
        return self.images[index]


@pytest.mark.parametrize(
    ("asked", "chosen"),
    [
        (None, ("semantic", "instance", "pose")),
        (["semantic"], ("semantic",)),
        (["pose"], ("instance", "pose")),
        (["instance", "semantic"], ("semantic", "instance")),
    ],
)
def test_tasks_are_in_the_order_of_the_registry(asked: list[str] | None, chosen: tuple[str, ...]) -> None:
    assert chosen_tasks(asked, Labelled([], ("semantic", "instance", "pose"))) == chosen


def test_a_task_without_labels_is_refused() -> None:
    with pytest.raises(ConfigError, match="memory has no labels for 'depth': expected some of semantic"):
        chosen_tasks(["depth"], Labelled([], ("semantic",)))
    with pytest.raises(ConfigError, match="tasks: got .*at least one of semantic"):
        chosen_tasks([], Labelled([], ("semantic",)))


def test_the_range_of_depth_leaves_unknown_pixels_out() -> None:
    depths = [np.array([[0, 2.5]], np.float32), None, np.array([[7, 3]], np.float32)]
    images = [LabelledImage(str(i), PIXELS, None, depth=depth) for i, depth in enumerate(depths)]
    assert depth_range(Labelled(images)) == (2.5, 7.0)
    assert depth_range(Labelled(images[:1])) == pytest.approx((2.5, 2.525)), "never an empty range"
    with pytest.raises(DataError, match="no pixel has a known depth"):
        depth_range(Labelled(images[1:2]))


def test_every_image_is_read_once_and_what_is_left_out_is_reported() -> None:
    lines: list[str] = []
    first = Labelled([LabelledImage("a", PIXELS, None)] * 2, skipped=Counter({"no label": 3}))
    second = Labelled([LabelledImage("b", PIXELS, None)])
    look_through(first, second, say=lines.append)
    assert first.read == [0, 1] and second.read == [0] and lines == ["memory: 3 left out (no label)"]


def test_miniature_is_validated_on_its_own_split() -> None:
    training, held_out = open_sets("miniature", TrainConfig(num_labelled=3, num_validation=2))
    assert (len(training), len(held_out)) == (3, 2) and training.classes == held_out.classes
    training, _ = open_sets("miniature", TrainConfig(num_labelled=2, num_validation=2, seen=("dog", "cat")))
    assert training.classes == ("dog", "cat")
