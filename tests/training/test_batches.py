"""Batches: a function of seed and step; class lists that are shortened and permuted."""

import numpy as np
import torch

from dataset_dm.decoder import Targets
from dataset_dm.hypercolumns import Features, FeatureSpec, Level
from dataset_dm.training.augment import stream
from dataset_dm.training.batches import fewer_classes, items_of

SPEC = FeatureSpec("g", (Level("a", "unet", 1, 8),), ("x",), 1, 2, 20, (8, 8))


def test_an_epoch_shows_every_image_once():
    seen = [image for step in range(5) for image, _ in items_of(step, 2, images=10, variants=3, seed=0)]
    assert sorted(seen) == list(range(10))
    assert items_of(3, 4, 10, 3, 0) == items_of(3, 4, 10, 3, 0) != items_of(3, 4, 10, 3, 1)


def test_labels_follow_the_permuted_and_shortened_list():
    text = torch.arange(6.0).view(3, 2)
    features = Features({"a": torch.zeros(1, 1, 1, 1)}, torch.arange(3.0).view(1, 3, 1, 1, 1), text, SPEC)
    labels = torch.tensor([[[0, 1, 2, 3, 255]]])
    numbers = torch.tensor([[[0, 1, 2, 3, 255]]])
    truth = Targets(labels=labels, instances=numbers, classes=(torch.tensor([3, 1, 1]),))
    sizes = set()
    for seed in range(30):
        some, remapped, chosen = fewer_classes(features, truth, stream(seed), share=0.5)
        sizes.add(len(chosen))
        assert torch.equal(some.class_text, text[torch.from_numpy(chosen)])
        assert some.class_attention.flatten().tolist() == chosen.tolist()
        place = {int(old) + 1: new + 1 for new, old in enumerate(chosen)}
        assert remapped.labels.flatten().tolist() == [0, *(place.get(old, 0) for old in (1, 2, 3)), 255]
        assert remapped.classes[0].tolist() == [place.get(old, 0) for old in (3, 1, 1)]
        assert torch.equal(remapped.instances, numbers), "instances stay, whichever classes are listed"
    assert sizes == {1, 2, 3}


def test_without_shortening_the_whole_list_remains():
    features = Features({"a": torch.zeros(1, 1, 1, 1)}, None, torch.zeros(3, 2), SPEC)
    _, _, chosen = fewer_classes(features, Targets(), stream(0), share=0.0)
    assert sorted(chosen.tolist()) == [0, 1, 2] and isinstance(chosen, np.ndarray)
