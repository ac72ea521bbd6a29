"""Measuring a decoder on held-out labelled images, every kind of label that it reads and that they have."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import torch

from dataset_dm.annotators.decoder_labels import read_labels
from dataset_dm.decoder import DecoderOutput, PDecoder, Targets
from dataset_dm.labels.classes import class_words
from dataset_dm.labels.instances import Instances
from dataset_dm.labels.records import Annotation
from dataset_dm.labels.vocabulary import PERSON
from dataset_dm.metrics.calibration import Reliability
from dataset_dm.metrics.depth import DepthErrors
from dataset_dm.metrics.detection import Detections
from dataset_dm.metrics.pose import Poses
from dataset_dm.metrics.semantic import Confusion
from dataset_dm.metrics.truth import Truth
from dataset_dm.training.features import FeatureStore

# the figures that a training prints and plots, in percent
SHOWN = {"miou": "mIoU", "mask_ap": "AP", "keypoint_ap": "OKS AP", "rel": "REL", "delta1": "δ1"}
ENOUGH = 50  # people whose OKS AP tells two decoders apart


@dataclass(frozen=True)
class Figures:
    """Figures on held-out images, all in 0..1; every pixel counts, none is void. NaN for an absent kind of label.

    Args:
        miou, accuracy, ece: of class maps; `ece` of the pixels predicted as an object.
        void_share, miou_without_void: of the labels as they are stored.
        class_iou: IoU of background and each class.
        mask_ap, mask_ap50: of instances.
        keypoint_ap: OKS AP of people; people: how many with a labelled joint there were.
        rel, delta1: of depth.
    """

    miou: float = float("nan")
    accuracy: float = float("nan")
    ece: float = float("nan")
    void_share: float = float("nan")
    miou_without_void: float = float("nan")
    mask_ap: float = float("nan")
    mask_ap50: float = float("nan")
    keypoint_ap: float = float("nan")
    rel: float = float("nan")
    delta1: float = float("nan")
    people: int = 0
    class_iou: tuple[float, ...] = field(default=(), repr=False)

    @property
    def score(self) -> float:
        """One number by which the best weights are kept: the mean of mIoU, AP50, OKS AP and δ1, of those known.

        OKS AP of a handful of people is chance: it counts from ENOUGH on, or where there is nothing else.
        """
        known = np.array([self.miou, self.mask_ap50, self.delta1, self.keypoint_ap])
        if self.people < ENOUGH and np.isfinite(known[:-1]).any():
            known = known[:-1]
        return float(np.nanmean(known)) if np.isfinite(known).any() else 0.0


@dataclass(frozen=True)
class Read:
    """The reading and the truth of one held-out image."""

    annotation: Annotation
    truth: Truth


def predictions(
    decoder: PDecoder, store: FeatureStore, *, variant: int = 0, batch: int = 8
) -> Iterator[tuple[DecoderOutput, Targets]]:
    """Output and truth of one variant of every image, a batch at a time."""
    device = next(decoder.parameters()).device
    for begin in range(0, store.images, batch):
        items = [(image, variant) for image in range(begin, min(begin + batch, store.images))]
        features, targets = store.batch(items, device)
        with torch.inference_mode():
            yield decoder(features), targets


def readings(decoder: PDecoder, store: FeatureStore, *, variant: int = 0) -> Iterator[Read]:
    """Labels with the decoder's own calibration beside the truth, image by image."""
    config = decoder.config
    for output, targets in predictions(decoder, store, variant=variant):
        found = read_labels(output, config, config.classes, None, store.spec.native_size, keep_probability=True)
        for image, annotation in enumerate(found):
            yield Read(annotation, truth_of(targets, image))


def truth_of(targets: Targets, image: int) -> Truth:
    """The truth of one image of a batch as plain arrays."""

    def plain(values: torch.Tensor, dtype: type) -> np.ndarray:
        return values[image].cpu().numpy().astype(dtype)

    instances = None
    if targets.instances is not None:
        points = None if targets.keypoints is None else targets.keypoints[image].cpu().numpy()
        instances = Instances.from_bytes(
            plain(targets.instances, np.uint8), targets.classes[image].cpu().numpy(), points
        )
    depth = None if targets.depth is None else np.nan_to_num(plain(targets.depth, np.float32))
    label = None if targets.labels is None else plain(targets.labels, np.uint8)
    return Truth(label, instances, depth)


def measure(decoder: PDecoder, store: FeatureStore, *, variant: int = 0) -> Figures:
    """Figures of one variant (0 unprompted, 1 prompted)."""
    was_training = decoder.training
    decoder.eval()
    names = decoder.config.classes
    tally = _Tally(names)
    for read in readings(decoder, store, variant=variant):
        tally.add(read)
    decoder.train(was_training)
    return tally.figures()


class _Tally:
    """Sums over images, kind by kind."""

    def __init__(self, classes: tuple[str, ...]) -> None:
        self.every, self.kept = Confusion(len(classes) + 1), Confusion(len(classes) + 1)
        self.reliability = Reliability()
        self.detections, self.depth = Detections(classes), DepthErrors()
        self.people = 0
        words = class_words(classes)
        self.poses = Poses(words.index(PERSON) + 1) if PERSON in words else None

    def add(self, read: Read) -> None:
        predicted, true = read.annotation, read.truth
        if predicted.full is not None and true.label is not None:
            self.every.add(predicted.full, true.label)
            self.kept.add(predicted.label, true.label)
            self.reliability.add_foreground(predicted.full, predicted.probability, true.label)
        if predicted.objects is not None and true.instances is not None:
            self.detections.add(predicted.objects, true.instances)
            has_poses = predicted.objects.keypoints is not None and true.instances.keypoints is not None
            if has_poses and self.poses is not None:
                self.poses.add(predicted.objects, true.instances)
                self.people += int((true.instances.keypoints[..., 2] > 0).any(-1).sum())
        if predicted.depth is not None and true.depth is not None:
            self.depth.add(predicted.depth, true.depth)

    def figures(self) -> Figures:
        known: dict[str, object] = {}
        if self.every.matrix.any():
            known |= {
                "miou": self.every.miou(),
                "accuracy": self.every.accuracy(),
                "ece": self.reliability.ece(),
                "void_share": self.kept.void_share(),
                "miou_without_void": self.kept.miou(),
                "class_iou": tuple(self.every.iou().tolist()),
            }
        if self.detections.sizes:
            masks = self.detections.precision("segm")
            known |= {"mask_ap": masks.ap, "mask_ap50": masks.ap50}
        if self.poses is not None and self.poses.sizes:
            known |= {"keypoint_ap": self.poses.precision().ap, "people": self.people}
        if self.depth.pixels:
            depth = self.depth.figures()
            known |= {"rel": depth["rel"], "delta1": depth["delta1"]}
        return Figures(**known)  # type: ignore[arg-type]
