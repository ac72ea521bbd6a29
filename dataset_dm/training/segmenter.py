"""Training a segmenter of transformers on a generated set: SegFormer from its config, no pretrained weights."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional
from transformers import SegformerConfig, SegformerForSemanticSegmentation

from dataset_dm.annotators.p_decoder import UNASKED
from dataset_dm.annotators.request import AnnotationRequest, ImageBatch
from dataset_dm.annotators.segmenter import SegmenterAnnotator, pixels
from dataset_dm.errors import ConfigError, did_you_mean, explain
from dataset_dm.labels.vocabulary import BACKGROUND, VOID
from dataset_dm.metrics.calibration import fit_temperature, log_probabilities
from dataset_dm.postprocess.semantic import add_log_odds, restrict, threshold_for
from dataset_dm.readers.labelled import LabelledImage
from dataset_dm.training.augment import AugmentConfig, augment, stream
from dataset_dm.training.generated import GeneratedSet

LEAST_SIDE = 32  # of a picture, in pixels: the first stage attends to its 4 x 4 cells in windows of 8 x 8
SAMPLED = 512  # pixels an image that the temperature is fitted on
# what can be asked for, and the least of each
_WHOLE = {"steps": 1, "batch": 1, "warmup": 0, "seed": 0}
_RENAMED = {"heed": "teacher_weight"}  # settings of earlier versions
_SHARES = ("average", "void_share", "held_out", "half_size")


@dataclass(frozen=True, kw_only=True)
class SegmenterConfig:
    """Settings of one training; with the labelled pictures they decide every weight.

    Args:
        steps, batch, learning_rate, weight_decay, warmup: AdamW with a linear warm-up and a cosine to zero.
        half_size: share of the steps, the first ones, that see the pictures at half their size, for a quarter of the
            time (progressive resizing), 0..1.
        clip: of the gradient's norm.
        average: decay of the moving average of the weights, which is what is kept.
        held_out: share of the pictures that calibrate and are not trained on, 0..1.
        void_share: of the held-out pixels become 255 when it labels.
        teacher_weight: by how much the first annotator's labels change the log-odds when the network labels, see
            `StudentAnnotator`; 0 has the network label alone, from the image alone.
        seed: of weights and changes.
        augment: how pictures and labels are changed.

    Raises:
        ConfigError: a count too small, a rate out of range.
    """

    steps: int = 6000
    batch: int = 16
    half_size: float = 0.65
    learning_rate: float = 1e-3
    weight_decay: float = 0.05
    warmup: int = 100
    clip: float = 1.0
    average: float = 0.998
    held_out: float = 0.1
    void_share: float = 0.04
    teacher_weight: float = 1.0
    seed: int = 0
    augment: AugmentConfig = field(default_factory=lambda: AugmentConfig(zoom_out=0.0, paste=0.0, hue=False))

    def __post_init__(self) -> None:
        for name, least in _WHOLE.items():
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or value < least:
                raise ConfigError(explain(f"segmenter: {name}", got=value, expected=f"a whole number from {least} on"))
        for name in _SHARES:
            if not _number(getattr(self, name)) or not 0 <= getattr(self, name) < 1:
                raise ConfigError(explain(f"segmenter: {name}", got=getattr(self, name), expected="0 or more, below 1"))
        for name in ("weight_decay", "teacher_weight"):
            if not _number(getattr(self, name)) or getattr(self, name) < 0:
                raise ConfigError(explain(f"segmenter: {name}", got=getattr(self, name), expected="0 or more"))
        for name in ("learning_rate", "clip"):
            if not _number(getattr(self, name)) or not getattr(self, name) > 0:
                raise ConfigError(explain(f"segmenter: {name}", got=getattr(self, name), expected="a number above 0"))

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> SegmenterConfig:
        """The defaults with some values replaced; ConfigError for an unknown key."""
        values = dict(values)
        for old, new in _RENAMED.items():
            if old in values:
                warnings.warn(f"segmenter: {old!r} is now called {new!r}", DeprecationWarning, stacklevel=2)
                values.setdefault(new, values.pop(old))
        known = [entry.name for entry in fields(cls) if entry.name != "augment"]
        for key in values:
            if key not in known:
                close = did_you_mean(str(key), known) or f"; known are {', '.join(known)}"
                raise ConfigError(f"segmenter: unknown setting {key!r}{close}")
        return cls(**values)

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return asdict(self)

    def rate(self, step: int) -> float:
        """Share of the learning rate at a step (0 …)."""
        return min((step + 1) / max(1, self.warmup), 0.5 + 0.5 * math.cos(math.pi * step / self.steps))


@dataclass(frozen=True)
class TrainedSegmenter:
    """A network in eval mode, the moving average of its training, and its calibration (see `SegmenterAnnotator`)."""

    net: SegformerForSemanticSegmentation
    temperature: float
    void_below: float


def build(classes: Sequence[str], size: tuple[int, int]) -> SegformerForSemanticSegmentation:
    """A small network with random weights for pictures of (H, W): 1.5 M parameters, logits at a quarter of the size.

    Pictures of 128 x 128 train at about 40 a second on one core.
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
    pictures: GeneratedSet,
    config: SegmenterConfig,
    *,
    device: str | torch.device = "cpu",
    report: Callable[[int], None] | None = None,
) -> TrainedSegmenter:
    """Trains on the pictures' labels, void left out; `report` is told after every step.

    The same pictures and config give the same weights on the same machine; torch's own random state is left alone.
    """
    train, held_out = _split(pictures, config)
    size = train[0].image.shape[:2]
    with torch.random.fork_rng():
        torch.manual_seed(config.seed)
        net = build(pictures.classes, size).to(device)
        mean = {name: value.detach().clone() for name, value in net.state_dict().items()}
        optimiser = torch.optim.AdamW(net.parameters(), lr=config.learning_rate, weight_decay=config.weight_decay)
        schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, config.rate)
        for step in range(config.steps):
            shown = _half(size) if step < config.half_size * config.steps else size
            images, labels, odds = (part.to(device) for part in _batch(train, shown, config, step))
            loss = _loss(net.train()(pixel_values=pixels(images)).logits, labels, odds)
            optimiser.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(net.parameters(), config.clip)
            optimiser.step(), schedule.step()
            _average(mean, net, min(config.average, (1 + step) / (10 + step)))
            if report is not None:
                report(1)
    net.load_state_dict(mean)
    return _calibrated(net.eval(), held_out, config)


def _loss(logits: Tensor, labels: Tensor, odds: Tensor) -> Tensor:
    """Cross-entropy over the pixels that have a label; 0 for a batch of void.

    Args:
        odds: prior odds [b 1+k] of the classes. What the prompt says counts in training as it does in labelling, so the
            network need not tell apart what the prompt tells apart.
    """
    logits = logits + odds.log()[:, :, None, None]
    logits = functional.interpolate(logits, size=labels.shape[-2:], mode="bilinear", align_corners=False)
    total = functional.cross_entropy(logits, labels.long(), ignore_index=VOID, reduction="sum")
    return total / (labels != VOID).sum().clamp_min(1)


@torch.no_grad()
def _average(mean: dict[str, Tensor], net: torch.nn.Module, decay: float) -> None:
    for name, value in net.state_dict().items():
        if value.is_floating_point():
            mean[name].lerp_(value, 1 - decay)
        else:
            mean[name].copy_(value)


def _split(pictures: GeneratedSet, config: SegmenterConfig) -> tuple[GeneratedSet, GeneratedSet]:
    """Those to train on and those that calibrate: the same ones, where there are too few to hold one out."""
    count = round(len(pictures) * config.held_out)
    if not 0 < count < len(pictures):
        return pictures, pictures
    order = stream("held out", config.seed, len(pictures)).permutation(len(pictures)).tolist()
    return pictures.part(sorted(order[count:])), pictures.part(sorted(order[:count]))


def _batch(
    train: GeneratedSet, size: tuple[int, int], config: SegmenterConfig, step: int
) -> tuple[Tensor, Tensor, Tensor]:
    """Images uint8 [b H W 3], labels uint8 [b H W] and prior odds [b 1+k] of one step."""
    rng = stream("segmenter", config.seed, step)
    chosen = rng.choice(len(train), config.batch, replace=len(train) < config.batch).tolist()
    changed = [augment(_taught(train[i], train.named[i]), size, config.augment, rng) for i in chosen]
    images, labels = (np.stack([getattr(one, name) for one in changed]) for name in ("image", "label"))
    odds = torch.stack([_odds(train.named[i], len(train.classes)) for i in chosen])
    return torch.from_numpy(images), torch.from_numpy(labels), odds


def _half(size: tuple[int, int]) -> tuple[int, int]:
    """Half of (H, W), or the same where the network's coarsest window would not fit in."""
    half = (size[0] // 2, size[1] // 2)
    return half if min(half) >= LEAST_SIDE else size


def _taught(one: LabelledImage, named: Sequence[int]) -> LabelledImage:
    """What a picture teaches: no background where a class that its prompt names has no mask.

    The thing is mostly there and was called background; every fourth picture of two named classes is such a one.
    """
    if all((one.label == position + 1).any() for position in named):
        return one
    return replace(one, label=np.where(one.label == 0, np.uint8(VOID), one.label))


def _odds(named: Sequence[int], classes: int) -> Tensor:
    """Prior odds [1+k] of a picture's classes by its prompt: a prompt that names none may show any."""
    odds = torch.full((1 + classes,), UNASKED if named else 1.0)
    odds[[0, *(position + 1 for position in named)]] = 1
    return odds


@torch.inference_mode()
def _calibrated(
    net: SegformerForSemanticSegmentation, held_out: GeneratedSet, config: SegmenterConfig
) -> TrainedSegmenter:
    """Temperature fitted on held-out pixels of things, and the threshold of void on all of them.

    The truth is what the first labeller said: it is calibrated to agree with that one as often as it claims to.
    """
    rng = stream("calibration", config.seed)
    annotator = SegmenterAnnotator(net, name="in training", fingerprint="")
    chances, truth = [], []
    for one, named in zip(held_out, held_out.named, strict=True):
        free = annotator.probabilities(torch.from_numpy(one.image)[None]).cpu()
        scores = (restrict(free, [named], UNASKED) if named else free)[0].flatten(1).T
        labels = torch.from_numpy(one.label).flatten()
        things = torch.nonzero((scores.argmax(-1) > 0) & (labels != VOID)).flatten().numpy()
        picked = torch.from_numpy(rng.permutation(things)[:SAMPLED])
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
        said = annotator.probabilities_of(request)
        combined = add_log_odds(said, torch.from_numpy(one.label)[None], config.teacher_weight)
        best.append(combined.amax(1)[0].cpu().numpy())
    return TrainedSegmenter(net, temperature, threshold_for(np.stack(best), config.void_share))


def _number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)
