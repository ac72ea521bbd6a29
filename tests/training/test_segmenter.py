"""Training a segmenter on a generated set: what it learns from, what it leaves alone, and where it lies."""

import io

import numpy as np
import pytest
import torch
from PIL import Image

from dataset_dm.annotators.p_decoder import UNASKED
from dataset_dm.annotators.request import AnnotationRequest, ImageBatch
from dataset_dm.errors import ConfigError
from dataset_dm.training import segmenter
from dataset_dm.training.generated import GeneratedSet
from dataset_dm.training.segmenter import SegmenterConfig, _for_training, _loss, _odds, build, train_segmenter

TINY = SegmenterConfig(steps=3, batch=2, warmup=1, held_out=0.25)


def png(pixels: np.ndarray) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, format="PNG")
    return stream.getvalue()


def discs(count: int, size: int = 32) -> GeneratedSet:
    """Red squares (class 1) or green ones (class 2) on grey, a frame of void around them."""
    images, labels, named = [], [], []
    for i in range(count):
        rng = np.random.default_rng(i)
        top, left = rng.integers(4, 14, 2)
        image = np.full((size, size, 3), 128, np.uint8)
        label = np.zeros((size, size), np.uint8)
        kind = i % 2
        label[top - 2 : top + 14, left - 2 : left + 14] = 255
        label[top : top + 12, left : left + 12] = kind + 1
        image[top : top + 12, left : left + 12] = 0
        image[top : top + 12, left : left + 12, kind] = 230
        images.append(png(image))
        labels.append(png(label))
        named.append((kind,))
    return GeneratedSet(("red", "green"), tuple(images), tuple(labels), tuple(named))


def test_void_pixels_do_not_count() -> None:
    torch.manual_seed(0)
    logits, labels = torch.randn(2, 3, 4, 4), torch.randint(0, 3, (2, 4, 4), dtype=torch.uint8)
    labels[:, 2:] = 255
    kept, even = torch.nn.functional.cross_entropy(logits[:, :, :2], labels[:, :2].long()), torch.ones(2, 3)
    assert _loss(logits, labels, even).item() == pytest.approx(kept.item(), rel=1e-5)
    assert _loss(logits, torch.full_like(labels, 255), even).item() == 0, "a batch of void teaches nothing"


def test_what_the_prompt_says_counts_in_training() -> None:
    assert _odds((1,), 3).tolist() == pytest.approx([1, UNASKED, 1, UNASKED]) and _odds((), 2).tolist() == [1, 1, 1]
    labels = torch.ones(1, 2, 2, dtype=torch.uint8)
    # odds of 1 : 1 : 1/4 among equal logits are chances of 4/9, 4/9, 1/9
    loss = _loss(torch.zeros(1, 3, 2, 2), labels, torch.tensor([[1, 1, 0.25]]))
    assert loss.item() == pytest.approx(-np.log(4 / 9), rel=1e-5)


def test_a_class_that_was_not_found_is_not_taught_as_background() -> None:
    one = discs(1)[0]  # class 1, some void, background
    assert _for_training(one, (0,)) is one and _for_training(one, ()) is one
    taught = _for_training(one, (0, 1)).label
    assert (taught[one.label == 1] == 1).all() and (taught[one.label != 1] == 255).all()


def test_the_first_steps_see_half_the_size(monkeypatch: pytest.MonkeyPatch) -> None:
    seen, whole = [], segmenter._batch
    monkeypatch.setattr(segmenter, "_batch", lambda train, size, *rest: seen.append(size) or whole(train, size, *rest))
    config = SegmenterConfig(steps=4, batch=2, warmup=1, half_size=0.5)
    train_segmenter(discs(4, size=64), config)
    assert seen == [(32, 32), (32, 32), (64, 64), (64, 64)]
    seen.clear()
    train_segmenter(discs(4), config)
    assert seen == [(32, 32)] * 4, "smaller than this the network cannot see"


def test_it_learns_and_repeats_itself() -> None:
    generated = discs(24)
    config = SegmenterConfig(steps=40, batch=6, warmup=5, ema_decay=0.9, learning_rate=3e-3, held_out=0.25)
    state, steps = torch.get_rng_state(), []
    trained = train_segmenter(generated, config, report=steps.append)
    assert len(steps) == 40 and torch.equal(torch.get_rng_state(), state)
    assert not trained.net.training and 0 < trained.void_below < 1
    from dataset_dm.annotators.segmenter import SegmenterAnnotator

    reader = SegmenterAnnotator(trained.net, name="x", fingerprint="y", temperature=trained.temperature)
    new = discs(30).part(range(24, 30))
    images = torch.from_numpy(np.stack([one.image for one in new]))
    batch = ImageBatch(images=images, prompts=[""] * 6, seeds=[0] * 6, named=new.named)
    said = reader.annotate(AnnotationRequest(batch=batch, classes=new.classes, requested=new.named))
    right = [(found.full == one.label)[one.label != 255].mean() for found, one in zip(said, new, strict=True)]
    assert np.mean(right) > 0.9
    again = train_segmenter(generated, SegmenterConfig(steps=2, batch=2, warmup=1))
    once = train_segmenter(generated, SegmenterConfig(steps=2, batch=2, warmup=1))
    assert all(
        torch.equal(a, b) for a, b in zip(again.net.state_dict().values(), once.net.state_dict().values(), strict=True)
    )


def test_one_image_trains_and_calibrates() -> None:
    trained = train_segmenter(discs(1), TINY)
    assert trained.temperature > 0 and np.isfinite(trained.void_below)


BAD = [
    ({"step": 3}, "segmenter: unknown key 'step'.*did you mean 'steps'"),
    ({"augment": {}}, "unknown key 'augment'; expected steps"),
    ({"steps": 0}, "steps: got 0, expected a whole number of at least 1"),
    ({"batch": True}, "batch: got True"),
    ({"held_out": 1}, "held_out: got 1, expected 0 or more, below 1"),
    ({"learning_rate": 0}, "learning_rate: got 0, expected a number above 0"),
    ({"weight_decay": -1}, "weight_decay: got -1"),
    ({"teacher_weight": -0.5}, "teacher_weight: got -0.5, expected a number of at least 0"),
    ({"half_size": 1.5}, "half_size: got 1.5, expected 0 or more, below 1"),
]


def test_names_of_earlier_versions_are_understood() -> None:
    with pytest.warns(DeprecationWarning, match="segmenter: heed is called teacher_weight now"):
        assert SegmenterConfig.from_dict({"heed": 0.5}) == SegmenterConfig(teacher_weight=0.5)


@pytest.mark.parametrize(("values", "said"), BAD)
def test_bad_settings_are_one_line(values: dict, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        SegmenterConfig.from_dict(values)


def test_labels_of_the_network_have_the_right_names() -> None:
    net = build(("cat", "dog"), (64, 96))
    assert net.config.id2label == {0: "background", 1: "cat", 2: "dog"}
    with torch.no_grad():
        assert net.eval()(pixel_values=torch.zeros(1, 3, 64, 96)).logits.shape == (1, 3, 16, 24)
