"""Calibration of a decoder's confidences on held-out images: the last step of a training."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from jaxtyping import Bool, Float
from scipy.optimize import minimize

from dataset_dm.annotators.decoder_labels import class_scores
from dataset_dm.decoder import DecoderOutput, PDecoder, Targets
from dataset_dm.metrics.calibration import fit_temperature
from dataset_dm.metrics.matching import match
from dataset_dm.metrics.pose import CLOSE, similarity
from dataset_dm.postprocess.semantic import probabilities, threshold_for
from dataset_dm.training.features import FeatureStore
from dataset_dm.training.validation import Read, predictions, readings

SAMPLED = 512  # pixels an image that are fitted on
PRIOR = 1.0  # pull of slope and offset towards (1, 0), in units of one outcome: a few objects must not swing them
EDGE = 1e-4


@dataclass
class _Outcomes:
    """Log-odds that were claimed, and what came true."""

    claimed: list[np.ndarray] = field(default_factory=list)
    right: list[np.ndarray] = field(default_factory=list)

    def add(self, scores: np.ndarray, right: np.ndarray) -> None:
        odds = np.clip(np.asarray(scores, float), EDGE, 1 - EDGE)
        self.claimed.append(np.log(odds / (1 - odds)))
        self.right.append(np.asarray(right, bool))

    def fit(self) -> tuple[float, float]:
        if not self.claimed:
            return (1.0, 0.0)
        return fit_platt(np.concatenate(self.claimed), np.concatenate(self.right))


def fit_platt(log_odds: Float[np.ndarray, " n"], right: Bool[np.ndarray, " n"]) -> tuple[float, float]:
    """Slope and offset that turn claimed log-odds into chances of being right (Platt 1999), pulled to (1, 0).

    With outcomes of one kind only there is nothing to learn: (1, 0).
    """
    if not right.any() or right.all():
        return (1.0, 0.0)
    sign = np.where(right, 1.0, -1.0)

    def loss(values: np.ndarray) -> float:
        slope, offset = values
        odds = sign * (slope * log_odds + offset)
        return float(np.logaddexp(0, -odds).sum() + PRIOR * ((slope - 1) ** 2 + offset**2) / 2)

    best = minimize(loss, np.array([1.0, 0.0]), method="Nelder-Mead", options={"xatol": 1e-4, "fatol": 1e-6})
    slope, offset = best.x
    return (float(max(slope, 0.05)), float(offset))  # never turns the order of scores round


def calibrate(decoder: PDecoder, store: FeatureStore, void_share: float, seed: int = 0) -> dict[str, Any]:
    """The calibration fields of the decoder's config, fitted on unprompted variants.

    The weights stay as they are. The decoder is left in eval mode with its scores uncalibrated; the caller stores the
    result in its config.
    """
    decoder.eval()
    changes: dict[str, Any] = {}
    if decoder.semantic_head is not None:
        changes |= _semantic(decoder, store, void_share, seed)
    decoder.configured(object_calibration=(1.0, 0.0), depth_calibration=(1.0, 0.0), keypoint_calibration=(1.0, 0.0))
    objects, depth, joints = _Outcomes(), _Outcomes(), _Outcomes()
    rng = np.random.Generator(np.random.Philox(seed))
    for read in readings(decoder, store):
        _objects(read, objects, joints)
        _depth(read, depth, rng)
    fitted = {"object_calibration": objects, "depth_calibration": depth, "keypoint_calibration": joints}
    return {**changes, **{name: outcomes.fit() for name, outcomes in fitted.items()}}


def _semantic(decoder: PDecoder, store: FeatureStore, void_share: float, seed: int) -> dict[str, float]:
    """Temperature, fitted on pixels that are predicted as an object, and the threshold of void.

    Background is easy, fills most of an image and would hide the confidence in objects.
    """
    rng = np.random.Generator(np.random.Philox(seed))
    logits, truth = [], []
    for output, targets in predictions(decoder, store):
        if targets.labels is None:
            return {}
        for scores, labels in zip(*_flat(output, targets), strict=True):
            objects = torch.nonzero((scores.argmax(-1) > 0) & (labels != 255)).flatten().numpy()
            picked = torch.from_numpy(rng.permutation(objects)[:SAMPLED])
            logits.append(scores[picked])
            truth.append(labels[picked])
    known = torch.cat(truth)
    temperature = fit_temperature(torch.cat(logits), known) if len(known) else 1.0
    # a second look rather than all scores of all pixels in memory
    best = [
        probabilities(class_scores(output), temperature).amax(1).flatten().cpu()
        for output, _ in predictions(decoder, store)
    ]
    return {"temperature": temperature, "void_below": threshold_for(torch.cat(best).numpy(), void_share)}


def _flat(output: DecoderOutput, targets: Targets) -> tuple[torch.Tensor, torch.Tensor]:
    return class_scores(output).movedim(1, -1).flatten(1, 2).cpu(), targets.labels.flatten(1).cpu()


def _objects(read: Read, objects: _Outcomes, joints: _Outcomes) -> None:
    found, true = read.annotation.objects, read.truth.instances
    if found is None or true is None or not len(found):
        return
    matches = match(found, true)
    counted = ~matches.ignored
    objects.add(found.scores[counted], matches.truth[counted] >= 0)
    if found.keypoints is None or true.keypoints is None:
        return
    for row in np.flatnonzero(matches.truth >= 0):
        other = matches.truth[row]
        both = (found.keypoints[row, :, 2] > 0) & (true.keypoints[other, :, 2] > 0)
        if both.any():
            near = similarity(found.keypoints[row], true.keypoints[other], float(true.areas[other]))
            joints.add(found.keypoint_scores[row, both], near[both] >= CLOSE)


def _depth(read: Read, depth: _Outcomes, rng: np.random.Generator) -> None:
    depth_map, true = read.annotation.depth, read.truth.depth
    if depth_map is None or true is None:
        return
    known = np.flatnonzero((depth_map.ravel() > 0) & (true.ravel() > 0))
    picked = rng.permutation(known)[:SAMPLED]
    ratio = depth_map.ravel()[picked] / true.ravel()[picked]
    depth.add(read.annotation.depth_confidence.ravel()[picked], np.maximum(ratio, 1 / ratio) < 1.25)
