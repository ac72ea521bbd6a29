"""Training a segmenter of transformers on a generated set: SegFormer from its config, no pretrained weights."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional
from transformers import SegformerConfig, SegformerForSemanticSegmentation

from dataset_dm.annotators.p_decoder import UNASKED
from dataset_dm.annotators.request import AnnotationRequest, ImageBatch
from dataset_dm.annotators.segmenter import SegmenterAnnotator, pixels
from dataset_dm.checks import check_keys
from dataset_dm.labels.vocabulary import BACKGROUND, VOID
from dataset_dm.metrics.calibration import fit_temperature, log_probabilities
from dataset_dm.optimization.config import (
    LoopConfig,
    natural_int,
    natural_number,
    positive_int,
    setting,
    share_below_one,
)
from dataset_dm.optimization.loop import Loop
from dataset_dm.optimization.randomness import seeded
from dataset_dm.optimization.state import Progress
from dataset_dm.postprocess.semantic import add_log_odds, restrict, threshold_for
from dataset_dm.readers.labelled import LabelledImage
from dataset_dm.training.augment import AugmentConfig, augment, stream
from dataset_dm.training.config import renamed
from dataset_dm.training.generated import GeneratedSet

MIN_SIDE = 32  # of an image, in pixels: the first stage attends to its 4 x 4 cells in windows of 8 x 8
SAMPLED = 512  # pixels an image that the temperature is fitted on
# settings that a user may give
KEYS = (
    *("steps", "batch", "accumulate", "learning_rate", "weight_decay", "warmup", "max_grad_norm", "ema_decay"),
    *("precision", "seed", "half_size", "held_out", "void_share", "teacher_weight"),
)
# names of earlier versions → names
RENAMED = {"clip": "max_grad_norm", "average": "ema_decay", "heed": "teacher_weight"}


@dataclass(frozen=True, kw_only=True)
class SegmenterConfig(LoopConfig):
    """Settings of one training; with the labelled images they decide every weight.

    Beside those of the loop:

    Args:
        augment: how images and labels are changed.

    Raises:
        ConfigError: a count too small, a rate out of range.
    """

    NAME: ClassVar[str] = "segmenter"

    steps: int = setting(6000, positive_int, "training steps")
    batch: int = setting(16, positive_int, "images of a micro-batch")
    warmup: int = setting(100, natural_int, "steps of linear warm-up")
    ema_decay: float = setting(0.998, share_below_one, "decay of the moving average of the weights, which is kept")
    evaluate_every: int = setting(0, natural_int, "no evaluation: the last average is kept")
    half_size: float = setting(
        0.65, share_below_one, "share of the steps, the first, at half the size: a quarter of the time"
    )
    held_out: float = setting(0.1, share_below_one, "share of the images that calibrate and are not trained on")
    void_share: float = setting(0.04, share_below_one, "share of the held-out pixels that become 255")
    teacher_weight: float = setting(
        1.0,
        natural_number,
        "log-odds added to the first annotator's class; 0: the image alone counts",
    )
    augment: AugmentConfig = AugmentConfig(zoom_out=0.0, paste=0.0, hue=False)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> SegmenterConfig:
        """The defaults with some values replaced; ConfigError for an unknown key."""
        named = renamed(values, "segmenter", RENAMED)
        check_keys("segmenter", named, KEYS)
        return cls(**named)

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return asdict(self)


@dataclass(frozen=True)
class TrainedSegmenter:
    """A network in eval mode, the moving average of its training, and its calibration (see `SegmenterAnnotator`)."""

    net: SegformerForSemanticSegmentation
    temperature: float
    void_below: float


def build(classes: Sequence[str], size: tuple[int, int]) -> SegformerForSemanticSegmentation:
    """A small network with random weights for images of (H, W): 1.5 M parameters, logits at a quarter of the size.

    Images of 128 x 128 train at about 40 a second on one core.
    """
    names = dict(enumerate((BACKGROUND, *classes)))
    config = SegformerConfig(
        hidden_sizes=[32, 64, 128, 160],
        depths=[2, 2, 2, 2],
        num_attention_heads=[1, 2, 4, 5],
        mlp_ratios=[2, 2, 2, 2],
        decoder_hidden_size=96,
        drop_path_rate=0.0,
        semantic_loss_ignore_index=VOID,
        image_size=max(size),
        id2label=names,
        label2id={name: number for number, name in names.items()},
    )
    return SegformerForSemanticSegmentation(config)


def train_segmenter(
    images: GeneratedSet,
    config: SegmenterConfig,
    *,
    device: str | torch.device = "cpu",
    report: Callable[[int], None] | None = None,
) -> TrainedSegmenter:
    """Trains on the images' labels, void left out; `report` is called with 1 after every step.

    Equal images and config give the same weights on the same machine; torch's global random state is not changed.
    """
    train, held_out = _split(images, config)
    size = train[0].image.shape[:2]
    with seeded(config.seed, torch.device("cpu")):
        net = build(images.classes, size).to(device)

    def batch_at(index: int) -> tuple[Tensor, ...]:
        is_small = index // config.accumulate < config.half_size * config.steps
        batch = _batch(train, _half(size) if is_small else size, config, index)
        return tuple(part.to(device) for part in batch)

    def loss(batch: tuple[Tensor, Tensor, Tensor], generator: torch.Generator) -> dict[str, Tensor]:
        images, labels, odds = batch
        return {"loss": _loss(net(pixel_values=pixels(images)).logits, labels, odds)}

    def on_step(progress: Progress) -> None:
        if report is not None:
            report(1)

    Loop(modules={"segmenter": net}, config=config, batch_at=batch_at, loss=loss, on_step=on_step).run()
    return _calibrated(net, held_out, config)


def _loss(logits: Tensor, labels: Tensor, odds: Tensor) -> Tensor:
    """Cross-entropy over the pixels that have a label; 0 for a batch of void.

    Args:
        odds: prior odds [b 1+k] of the classes. They count in training as they do when annotating, so the network need
            not separate classes that the prompt separates.
    """
    logits = logits + odds.log()[:, :, None, None]
    logits = functional.interpolate(logits, size=labels.shape[-2:], mode="bilinear", align_corners=False)
    total = functional.cross_entropy(logits, labels.long(), ignore_index=VOID, reduction="sum")
    return total / (labels != VOID).sum().clamp_min(1)


def _split(images: GeneratedSet, config: SegmenterConfig) -> tuple[GeneratedSet, GeneratedSet]:
    """Those to train on and those that calibrate: the same ones, where there are too few to hold one out."""
    count = round(len(images) * config.held_out)
    if not 0 < count < len(images):
        return images, images
    order = stream("held out", config.seed, len(images)).permutation(len(images)).tolist()
    return images.part(sorted(order[count:])), images.part(sorted(order[:count]))


def _batch(
    train: GeneratedSet, size: tuple[int, int], config: SegmenterConfig, step: int
) -> tuple[Tensor, Tensor, Tensor]:
    """Images uint8 [b H W 3], labels uint8 [b H W] and prior odds [b 1+k] of one step."""
    rng = stream("segmenter", config.seed, step)
    chosen = rng.choice(len(train), config.batch, replace=len(train) < config.batch).tolist()
    changed = [augment(_for_training(train[i], train.named[i]), size, config.augment, rng) for i in chosen]
    images, labels = (np.stack([getattr(one, name) for one in changed]) for name in ("image", "label"))
    odds = torch.stack([_odds(train.named[i], len(train.classes)) for i in chosen])
    return torch.from_numpy(images), torch.from_numpy(labels), odds


def _half(size: tuple[int, int]) -> tuple[int, int]:
    """Half of (H, W), or the same where the network's coarsest window would not fit in."""
    half = (size[0] // 2, size[1] // 2)
    return half if min(half) >= MIN_SIDE else size


def _for_training(one: LabelledImage, named: Sequence[int]) -> LabelledImage:
    """The image as it is trained on: no background where a class that its prompt names has no mask.

    The object is mostly there and was called background, in every fourth image of two named classes.
    """
    if all((one.label == position + 1).any() for position in named):
        return one
    return replace(one, label=np.where(one.label == 0, np.uint8(VOID), one.label))


def _odds(named: Sequence[int], classes: int) -> Tensor:
    """Prior odds [1+k] of an image's classes by its prompt: a prompt that names none may show any."""
    odds = torch.full((1 + classes,), UNASKED if named else 1.0)
    odds[[0, *(position + 1 for position in named)]] = 1
    return odds


@torch.inference_mode()
def _calibrated(
    net: SegformerForSemanticSegmentation, held_out: GeneratedSet, config: SegmenterConfig
) -> TrainedSegmenter:
    """Temperature fitted on held-out pixels of objects, and the threshold of void on all held-out pixels.

    The truth is the first annotator's labels: the confidence is that of agreeing with them.
    """
    rng = stream("calibration", config.seed)
    annotator = SegmenterAnnotator(net, name="in training", fingerprint="")
    chances, truth = [], []
    for one, named in zip(held_out, held_out.named, strict=True):
        free = annotator.probabilities(torch.from_numpy(one.image)[None]).cpu()
        scores = (restrict(free, [named], UNASKED) if named else free)[0].flatten(1).T
        labels = torch.from_numpy(one.label).flatten()
        objects = torch.nonzero((scores.argmax(-1) > 0) & (labels != VOID)).flatten().numpy()
        picked = torch.from_numpy(rng.permutation(objects)[:SAMPLED])
        chances.append(scores[picked])
        truth.append(labels[picked])
    known = torch.cat(truth)
    temperature = fit_temperature(log_probabilities(torch.cat(chances)), known) if len(known) else 1.0
    annotator = SegmenterAnnotator(net, name="in training", fingerprint="", temperature=temperature)
    best = []
    for one, named in zip(held_out, held_out.named, strict=True):
        request = AnnotationRequest(
            batch=ImageBatch(images=torch.from_numpy(one.image)[None], prompts=[""], seeds=[0], named=[named]),
            classes=held_out.classes,
            requested=[list(named) or list(range(len(held_out.classes)))],
        )
        combined = add_log_odds(
            annotator.probabilities_of(request), torch.from_numpy(one.label)[None], config.teacher_weight
        )
        best.append(combined.amax(1)[0].cpu().numpy())
    return TrainedSegmenter(net, temperature, threshold_for(np.stack(best), config.void_share))
