"""Sets with fewer labels than their images show: held-back labels are void, never background."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from dataset_dm.errors import ConfigError
from dataset_dm.labels.instances import IGNORED, Instances
from dataset_dm.readers import LabelledImage, open_labelled
from dataset_dm.training.subsets import long_tail, quotas, seen_only, shown_classes, tail_order

CLASSES = ("dog", "cat", "car")


class Held:
    """A labelled set in memory."""

    def __init__(self, samples: list[LabelledImage], classes: tuple[str, ...] = CLASSES) -> None:
        self.samples, self.classes, self.source = samples, classes, "held"
        self.kinds, self.skipped = ("semantic", "instance"), Counter()

    def __len__(self) -> int:
        return len(self.samples)

    def __getitem__(self, index: int) -> LabelledImage:
        return self.samples[index]


def image(*ids: int, caption: str | None = None) -> LabelledImage:
    """One row of pixels with these class ids."""
    return LabelledImage("x", np.zeros((1, len(ids), 3), np.uint8), np.array([ids], np.uint8), caption)


def instances() -> LabelledImage:
    """Background, a cat, a dog, another cat, a crowd; the second cat has keypoints of sevens."""
    keypoints = np.zeros((3, 17, 3), np.float32)
    keypoints[2] = 7
    found = Instances(map=np.array([[0, 1, 2, 3, IGNORED]]), classes=np.array([2, 1, 2]), keypoints=keypoints)
    depth = np.arange(5, dtype=np.float32)[None]
    return replace(image(0, 2, 1, 2, 255), instances=found, depth=depth)


def test_unseen_pixels_are_void_and_ids_follow_the_given_order() -> None:
    found = seen_only(Held([image(0, 1, 2, 3, 255)]), ["car", "dog"])
    assert found.classes == ("car", "dog") and len(found) == 1
    assert found[0].label.tolist() == [[0, 2, 255, 1, 255]] and found[0].label.dtype == np.uint8


def test_unseen_instances_are_ignored_and_the_others_move_up() -> None:
    original = instances()
    found = seen_only(Held([original]), ["car", "cat"])[0]
    assert found.instances.map.tolist() == [[0, 1, IGNORED, 2, IGNORED]]
    assert found.instances.classes.tolist() == [2, 2]
    assert found.instances.keypoints.shape == (2, 17, 3) and (found.instances.keypoints[1] == 7).all()
    assert np.array_equal(found.depth, original.depth)
    assert original.instances.map.tolist() == [[0, 1, 2, 3, IGNORED]], "the set it is made of stays as it is"


def test_captions_do_not_name_what_is_held_back() -> None:
    pool = Held([image(1, 2, caption="a dog and two cats"), image(1, caption="a puppy on a mat"), image(3)])
    found = seen_only(pool, ["dog", "car"])
    assert [each.caption for each in (found[0], found[1], found[2])] == [None, "a puppy on a mat", None]


def test_what_it_is_is_part_of_its_source() -> None:
    pool = Held([image(1, 2)])
    sources = {pool.source, seen_only(pool, ["dog"]).source, seen_only(pool, ["dog", "cat"]).source}
    sources |= {long_tail(pool, imbalance, seed).source for imbalance, seed in ((2, 0), (3, 0), (2, 1))}
    assert len(sources) == 6, "features of one set are never taken for those of another"
    kept = seen_only(pool, ["dog"])
    assert kept.kinds == pool.kinds and kept.skipped is pool.skipped


@pytest.mark.parametrize(
    ("seen", "said"),
    [
        ([], "seen: got .., expected a list of class names"),
        ("dog", "seen: got 'dog', expected a list of class names"),
        (5, "seen: got 5, expected a list of class names"),
        (["dgo"], "seen: got 'dgo', expected one of dog, cat, car; did you mean 'dog'"),
        (["dog", "dog"], "seen: got 'dog', expected every name once"),
    ],
)
def test_a_bad_choice_of_seen_classes(seen: object, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        seen_only(Held([image(1)]), seen)


def test_the_number_of_images_falls_off_exponentially() -> None:
    assert quotas(100, 100, 3) == [100, 10, 1]
    assert quotas(16, 8, 4) == [16, 8, 4, 2]
    assert quotas(3, 1000, 2) == [3, 1] and quotas(5, 10, 1) == [5]


def pool() -> Held:
    """Eight images of dog and cat, three of the car, a bare one."""
    return Held([image(0, 1, 2) for _ in range(8)] + [image(0, 3) for _ in range(3)] + [image(0, 0)])


def test_every_class_is_labelled_in_its_share_of_images_or_in_all_there_are() -> None:
    found = long_tail(pool(), 4, order=["cat", "car", "dog"])
    assert found.order == ("cat", "car", "dog")
    assert found.counts == {"cat": 8, "car": 3, "dog": 2}  # shares 8, 4, 2; there are but three cars
    counted = Counter(number for index in range(len(found)) for number in np.unique(found[index].label).tolist())
    assert (counted[2], counted[3], counted[1]) == (8, 3, 2)
    assert counted[255] == 6, "six dogs are void"
    assert all((found[i].label == 0).any() for i in range(len(found))), "background stays"
    assert len(found) == 12


def test_images_without_a_label_left_are_left_out_but_empty_ones_stay() -> None:
    found = long_tail(Held([image(0, 1) for _ in range(10)] + [image(0, 2) for _ in range(5)] + [image(0, 0)]), 10,
                      order=["dog", "car", "cat"])  # fmt: skip
    assert found.counts == {"dog": 10, "car": 0, "cat": 1}
    assert len(found) == 12
    assert sum((found[i].label == 0).all() for i in range(len(found))) == 1


def test_instances_beyond_the_share_are_ignored() -> None:
    found = long_tail(Held([instances(), instances()]), 2, order=["cat", "car", "dog"])
    assert found.counts == {"cat": 2, "car": 0, "dog": 1}
    maps = sorted(found[i].instances.map.tolist() for i in range(2))
    assert maps == [[[0, 1, IGNORED, 2, IGNORED]], [[0, 1, 2, 3, IGNORED]]]


def test_the_choice_is_a_function_of_the_seed() -> None:
    def labels(seed: int) -> list:
        found = long_tail(open_labelled("miniature", count=12), 5, seed)
        return [found[i].label.tobytes() for i in range(len(found))]

    assert labels(1) == labels(1) != labels(2)
    assert tail_order(CLASSES, 1) == tail_order(CLASSES[::-1], 1), "ranks depend on names, not on their order"
    assert sorted(tail_order(CLASSES, 1)) == sorted(CLASSES)
    assert len({tuple(tail_order(CLASSES, seed)) for seed in range(20)}) == 6


def test_renders_keep_all_their_labels_without_imbalance() -> None:
    whole = open_labelled("miniature", count=6)
    shown = Counter(number for i in range(6) for number in shown_classes(whole[i]))
    found = long_tail(whole, 100)
    most = max(shown.values())
    assert found.counts[found.order[0]] == min(most, shown[whole.classes.index(found.order[0]) + 1])
    assert sum(found.counts.values()) < sum(shown.values())


@pytest.mark.parametrize(
    ("imbalance", "order", "said"),
    [
        (0.5, None, "imbalance: got 0.5, expected a number of at least 1"),
        (True, None, "imbalance: got True"),
        (float("nan"), None, "imbalance: got nan"),
        (2, ["dog", "cat"], "order: got .'dog', 'cat'., expected 'car' in it too"),
        (2, ["dog", "cat", "bus"], "order: got 'bus', expected one of dog, cat, car"),
    ],
)
def test_bad_long_tails(imbalance: float, order: list[str] | None, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        long_tail(pool(), imbalance, order=order)
