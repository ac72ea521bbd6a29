"""Measuring a decoder on held-out labelled images, and fitting its temperature and void threshold there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from dataset_dm.decoder import PDecoder
from dataset_dm.evaluation.calibration import Reliability, fit_temperature
from dataset_dm.evaluation.semantic import Confusion
from dataset_dm.postprocess.semantic import probabilities, threshold_for
from dataset_dm.training.features import FeatureStore

SAMPLED = 512  # pixels an image that the temperature is fitted on


@dataclass(frozen=True)
class Figures:
    """What held-out images say; every pixel counts, none is void."""

    miou: float
    accuracy: float
    ece: float  # of the pixels predicted as an object
    void_share: float
    miou_without_void: float
    class_iou: tuple[float, ...]


def predictions(
    decoder: PDecoder, store: FeatureStore, *, variant: int = 0, batch: int = 8
) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
    """(semantic logits, presence logits, labels) of one variant of every image, a batch at a time."""
    device = next(decoder.parameters()).device
    for begin in range(0, store.images, batch):
        items = [(image, variant) for image in range(begin, min(begin + batch, store.images))]
        features, labels = store.batch(items, device)
        with torch.inference_mode():
            output = decoder(features)
        yield output.semantic, output.presence, labels


def measure(decoder: PDecoder, store: FeatureStore, *, variant: int = 0) -> Figures:
    """mIoU and calibration on one variant (0 blind, 1 informed) with the decoder's own temperature and threshold."""
    was_training = decoder.training
    decoder.eval()
    names = len(decoder.config.classes) + 1
    every, kept, reliability = Confusion(names), Confusion(names), Reliability()
    for logits, _, labels in predictions(decoder, store, variant=variant):
        chances = probabilities(logits, decoder.config.temperature).cpu()
        best, chosen = chances.max(1)
        truth, label = labels.cpu().numpy(), chosen.numpy()
        every.add(label, truth)
        kept.add(np.where(best.numpy() < decoder.config.void_below, 255, label), truth)
        reliability.add_foreground(label, best.numpy(), truth)
    decoder.train(was_training)
    return Figures(
        miou=every.miou(),
        accuracy=every.accuracy(),
        ece=reliability.ece(),
        void_share=kept.void_share(),
        miou_without_void=kept.miou(),
        class_iou=tuple(every.iou().tolist()),
    )


def calibrate(decoder: PDecoder, store: FeatureStore, void_share: float, seed: int = 0) -> tuple[float, float]:
    """(temperature, void_below) from held-out images; the decoder is left as it is.

    The temperature is fitted on pixels that are predicted as an object: background is easy, fills most of a picture and
    would hide how sure the decoder is of objects.
    """
    decoder.eval()
    rng = np.random.Generator(np.random.Philox(seed))
    logits, targets, chances = [], [], []
    for output, _, labels in predictions(decoder, store):
        flat, truth = output.movedim(1, -1).flatten(1, 2).cpu(), labels.flatten(1).cpu()
        for each, target in zip(flat, truth, strict=True):
            objects = torch.nonzero((each.argmax(-1) > 0) & (target != 255)).flatten().numpy()
            picked = torch.from_numpy(rng.permutation(objects)[:SAMPLED])
            logits.append(each[picked])
            targets.append(target[picked])
        chances.append(output.cpu())
    known = torch.cat(targets)
    temperature = fit_temperature(torch.cat(logits), known) if len(known) else 1.0
    best = torch.cat([probabilities(each, temperature).amax(1).flatten() for each in chances])
    return temperature, threshold_for(best.numpy(), void_share)
