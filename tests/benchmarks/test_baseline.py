"""The baseline: targets by hand, reading undoes them, it learns and repeats itself."""

import math

import numpy as np
import pytest
import torch

from dataset_dm.evaluation.sources import NAMES
from dataset_dm.labels.instances import IGNORED, Instances
from dataset_dm.readers.labelled import LabelledImage
from dataset_dm.readers.miniature import MiniatureSet
from dataset_dm.training.augment import AugmentConfig
from tests.benchmarks.baseline.losses import distance, peaks, total, up_to_scale
from tests.benchmarks.baseline.net import BaselineNet, Maps, count_parameters, widths_for
from tests.benchmarks.baseline.read import Baseline, group, joints
from tests.benchmarks.baseline.targets import bump, targets
from tests.benchmarks.baseline.train import BaselineConfig, score, train_baseline

SMALL = {"images": 4, "validation": 2, "parameters": 60_000, "batch": 4}
PLAIN = AugmentConfig(flip=False, crop=1.0, zoom_out=0.0, colour=0.0, paste=0.0, hue=False)
PERSON = NAMES.index("person")


@pytest.fixture(scope="module")
def people() -> list[LabelledImage]:
    """A few images, some with people."""
    images = MiniatureSet("train", 40)
    return [one for one in (images[i] for i in range(40)) if PERSON in one.instances.classes][:3]


@pytest.mark.parametrize("wanted", [300_000, 1_000_000, 3_000_000])
def test_size_is_like_the_decoders(wanted: int) -> None:
    size = count_parameters(BaselineNet(len(NAMES), widths_for(wanted, len(NAMES))))
    assert size == pytest.approx(wanted, rel=0.15)


def test_bump_is_one_at_its_pixel() -> None:
    hill = bump(np.array([5.7, 2.2]), (16, 16), 2.0)
    assert (
        hill[2, 5] == 1
        and hill[2, 7] == pytest.approx(math.exp(-4 / 8))
        and np.unravel_index(hill.argmax(), (16, 16)) == (2, 5)
    )


def test_targets_by_hand() -> None:
    numbers = np.zeros((16, 16), np.int32)
    numbers[4:8, 2:6], numbers[:, 15] = 1, IGNORED
    points = np.zeros((1, 17, 3), np.float32)
    points[0, 0] = (3.5, 4.5, 2)
    depth = np.full((16, 16), math.e, np.float32)
    depth[0] = 0
    image = np.zeros((16, 16, 3), np.uint8)
    instances = Instances(map=numbers, classes=np.array([15]), keypoints=points)
    sample = LabelledImage("a", image, np.where(numbers == 1, 15, 0).astype(np.uint8), None, instances, depth)
    true = targets([sample])
    assert true.images.shape == (1, 3, 16, 16) and true.images.unique().tolist() == [-1]
    assert not true.counted[0, :, 15].any() and true.counted[0, :, :15].all()
    assert true.centre[0, 6, 4] == 1  # the middle (4, 6) belongs to the pixel right and below of it
    # from the pixel centre (2.5, 4.5) to (4, 6), in units of two pixels
    assert true.offset[0, :, 4, 2].tolist() == [0.75, 0.75] and true.offset[0, :, 0, 0].isnan().all()
    assert true.votes[0, 0, :, 4, 2].tolist() == [0.5, 0.0] and true.votes[0, 1].isnan().all()
    assert true.heat[0, 0, 4, 3] == 1 and true.heat[0, 1:].max() == 0
    assert true.depth[0, 0].isnan().all() and true.depth[0, 1:].eq(1).all()


def perfect(true) -> Maps:
    """What a net that makes no mistake would say."""
    near = torch.nan_to_num
    label = torch.nn.functional.one_hot(true.label.clamp_max(len(NAMES) - 1), len(NAMES)).movedim(-1, 1).float()
    logit = lambda chance: torch.logit(chance, eps=1e-6)  # noqa: E731
    depth = near(true.depth, nan=0.0)
    return Maps(20 * label, logit(true.centre), near(true.offset), depth, logit(true.heat), near(true.votes))


def test_reading_undoes_the_targets(people: list[LabelledImage]) -> None:
    true = targets(people)
    reader = Baseline(BaselineNet(len(NAMES), (8, 8, 8, 8)), PERSON)
    reader.net.forward = lambda images: perfect(true)
    figures = score(reader, people).figures()
    assert figures["miou"] == 1 and figures["depth_rel"] == pytest.approx(0, abs=1e-5)
    assert figures["mask_ap"] > 0.85  # two instances behind one another may share a middle
    assert figures["oks_ap"] > 0.85  # joints lie at pixel centres
    with torch.inference_mode():  # the bumps' slopes keep it above 0
        assert total(perfect(true), true) < 0.05 * total(BaselineNet(len(NAMES), (8, 8, 8, 8))(true.images), true)


def test_every_pixel_goes_to_the_centre_it_points_to() -> None:
    full = np.zeros((16, 16), np.uint8)
    full[4:12, 2:14] = 1
    centre, offset = torch.zeros(16, 16), torch.zeros(2, 16, 16)
    centre[8, 4], centre[8, 11], centre[0, 0] = 0.9, 0.6, 0.05
    masks, scores = group(full, centre, offset)
    assert scores == pytest.approx([0.9, 0.6])  # 0.05 is no peak
    assert [int(mask.sum()) for mask in masks] == [6 * 8, 6 * 8]  # columns 2–7 are nearer to 4, columns 8–13 to 11
    offset[0] = 4.0  # all point 8 pixels (4 units of 2) to the right
    assert [int(mask.sum()) for mask in group(full, centre, offset)[0]] == [12 * 8]
    assert group(np.zeros_like(full), centre, offset) == ([], [])


def test_joints_are_the_peaks_near_the_votes() -> None:
    mask = np.zeros((32, 32), bool)
    mask[8:24, 8:24] = True
    votes, heat = torch.full((17, 2, 32, 32), float("nan")), torch.full((17, 32, 32), 0.01)
    y, x = np.nonzero(mask)
    votes[:, 0, y, x] = (torch.tensor(10.5 - (x + 0.5)) / 4).float()  # all for (10.5, 12.5), in units of 4 pixels
    votes[:, 1, y, x] = (torch.tensor(12.5 - (y + 0.5)) / 4).float()
    heat[:, 13, 11], heat[:, 30, 30] = 0.8, 0.9  # the higher peak is another person's
    points, scores = joints(mask, heat, votes)
    assert points[0].tolist() == [11.5, 13.5, 2] and scores[0] == pytest.approx(0.8)


def test_losses_by_hand() -> None:
    said, true = torch.tensor([1.0, 5.0, 2.0]), torch.tensor([2.0, math.nan, 2.0])
    assert distance(said, true) == 0.5 and distance(said, torch.full((3,), math.nan)) == 0


def test_depth_that_is_known_up_to_a_factor_is_compared_after_levelling():
    said = torch.tensor([[[1.0, 3.0]], [[1.0, 3.0]]])
    true = torch.tensor([[[0.0, 1.0]], [[0.0, 1.0]]])  # errors 1 and 2, mean 1.5
    levelled = up_to_scale(said, true, torch.tensor([True, False]))
    assert levelled.tolist() == [[[1.0, 3.0]], [[-0.5, 1.5]]]
    logits = torch.zeros(2, requires_grad=True)  # a chance of one half each: one peak, one flat place
    loss = peaks(logits, torch.tensor([1.0, 0.0]), torch.tensor([True, True]))
    assert loss.item() == pytest.approx(2 * 0.25 * math.log(2))
    assert peaks(logits, torch.tensor([1.0, 0.0]), torch.tensor([True, False])).item() == pytest.approx(
        0.25 * math.log(2)
    )
    loss.backward()
    assert logits.grad[0] < 0 < logits.grad[1]


def test_training_learns() -> None:
    trained = train_baseline(BaselineConfig(**SMALL, steps=16, looks=2, learning_rate=1e-2, augment=PLAIN))
    assert [step for step, _ in trained.validation] == [8, 16] and trained.best_step in (8, 16)
    images = MiniatureSet("train", 4)
    true = targets([images[i] for i in range(4)])
    torch.manual_seed(0)
    nets = BaselineNet(len(NAMES), widths_for(60_000, len(NAMES))), trained.model.net
    with torch.inference_mode():
        before, after = (float(total(net(true.images), true)) for net in nets)
    assert after < 0.75 * before


def test_training_repeats_itself() -> None:
    config = BaselineConfig(**SMALL, steps=3, looks=1)
    first, second = (train_baseline(config).model.net.state_dict() for _ in range(2))
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_labels_do_not_depend_on_the_batch(people: list[LabelledImage]) -> None:
    torch.manual_seed(0)
    reader = Baseline(BaselineNet(len(NAMES), (8, 8, 8, 8)), PERSON)
    images = np.stack([one.image for one in people])
    together, alone = reader.annotate(images), [reader.annotate(image[None])[0] for image in images]
    for a, b in zip(together, alone, strict=True):
        assert a.depth == pytest.approx(b.depth, rel=1e-4) and (a.full == b.full).mean() > 0.999


def test_bad_settings_are_named() -> None:
    with pytest.raises(ValueError, match="steps must be at least 1, got 0"):
        BaselineConfig(steps=0)
