"""Features of variants: computed once, to the same bytes, with the labels beside them."""

from dataclasses import replace

import numpy as np

from dataset_dm.diffusion import feature_spec
from dataset_dm.readers import LabelledImage, open_labelled
from dataset_dm.training.augment import AugmentConfig
from dataset_dm.training.features import VariantConfig, extract, prompt_of


def test_features_are_computed_once_and_again_for_other_settings(voc, tmp_path, backbone):
    spec, found = feature_spec(backbone), open_labelled(voc)
    calls: list[int] = []

    def run(**settings):
        calls.clear()
        count = {"count": 2, **settings}
        return extract(
            found,
            backbone,
            spec,
            tmp_path / "f",
            VariantConfig(**count),
            batch=4,
            report=lambda *at: calls.append(at[1]),
        )

    store = run()
    assert calls == [8, 8]
    before = store.file(1, 1).read_bytes()
    store.file(1, 1).unlink()
    run()
    assert calls == [4] and store.file(1, 1).read_bytes() == before, (
        "a broken-off extraction goes on, to the same bytes"
    )
    run(augment=AugmentConfig(flip=False))
    assert calls == [8, 8]


def test_void_reaches_the_loss_as_void(voc, tmp_path, backbone):
    store = extract(open_labelled(voc), backbone, feature_spec(backbone), tmp_path / "f", VariantConfig(count=1))
    features, targets = store.batch([(0, 0), (3, 0)])
    labels = targets.labels
    assert labels.unique().tolist() == [0, 1, 2, 255] and features.batch == 2
    assert features.levels["image"].min() >= -1 and features.levels["image"].max() <= 1, "[-1, 1] RGB"
    red = features.levels["image"][0, :, labels[0] == 1].mean(1)
    assert red[0] > 0.4 and red[2] < -0.6, "channel order is RGB"


def test_the_prompt_of_a_prompted_pass():
    label = np.array([[0, 2, 255, 1]], np.uint8)
    sample = LabelledImage("x", np.zeros((1, 4, 3), np.uint8), label)
    assert prompt_of(sample, ("diningtable", "dog")) == "a photo of a dining table and a dog"
    assert prompt_of(replace(sample, caption="two dogs"), ("diningtable", "dog")) == "two dogs"
    assert prompt_of(replace(sample, label=label * 0), ("a", "b")) == "a photo"
