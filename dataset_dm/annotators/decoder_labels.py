"""A decoder's raw output → annotations: every task's postprocessing, image by image."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

import numpy as np
import torch
from jaxtyping import Float, Integer
from torch import Tensor
from torch.nn import functional

from dataset_dm.decoder import DecoderOutput, PDecoderConfig
from dataset_dm.labels.classes import class_words
from dataset_dm.labels.coco import JOINTS
from dataset_dm.labels.instances import Instances
from dataset_dm.labels.records import Annotation
from dataset_dm.labels.tasks import DEPTH, INSTANCE, SEMANTIC, TASKS
from dataset_dm.labels.vocabulary import PERSON
from dataset_dm.postprocess import depth as depth_of
from dataset_dm.postprocess import instance, pose, semantic
from dataset_dm.postprocess.agreement import agree


@torch.inference_mode()
def read_labels(
    output: DecoderOutput,
    config: PDecoderConfig,
    classes: Sequence[str],
    requested: Sequence[Sequence[int]] | None,
    size: tuple[int, int],
    *,
    tasks: Collection[str] | None = None,
    unasked: float = 1.0,
    keep_probability: bool = False,
) -> list[Annotation]:
    """One annotation an image, of every task in `output`, with the calibration that `config` holds.

    Args:
        tasks: what the annotations shall hold; default all that there is.
        requested: for each image the positions of the classes that its prompt names; None if unknown.
        size: (H, W) of the labels.
        unasked: prior odds of a class that was not asked for against one that was.
        keep_probability: also keep the probability of every pixel's class.
    """
    found: list[Annotation] | None = None
    wanted = set(TASKS if tasks is None else tasks)
    if output.semantic is not None and SEMANTIC.name in wanted:
        found = _semantic(output, config, requested, size, unasked, keep_probability)
    if output.instance is not None and INSTANCE.name in wanted:
        found = _with_objects(found, output, config, classes, requested, size, unasked)
    if output.depth is not None and DEPTH.name in wanted:
        found = _with_depth(found, output, config, size)
    assert found is not None, "a decoder has at least one head"
    return found


def class_scores(output: DecoderOutput) -> Float[Tensor, "b labels h w"]:
    """Class scores, background first, in agreement with the instances found where there is a head for them."""
    logits, instances = output.semantic.logits, output.instance
    if instances is None:
        return logits
    return torch.stack(
        [
            agree(
                logits[image],
                instances.foreground[image],
                instances.centres[image],
                instances.offsets[image],
                lambda masks, image=image: instances.classes(image, masks),
            )
            for image in range(len(logits))
        ]
    )


def _semantic(
    output: DecoderOutput,
    config: PDecoderConfig,
    requested: Sequence[Sequence[int]] | None,
    size: tuple[int, int],
    unasked: float,
    keep_probability: bool,
) -> list[Annotation]:
    chances = semantic.probabilities(class_scores(output), config.temperature, size)
    if requested is not None:
        chances = semantic.restrict(chances, requested, unasked)
    presence = output.semantic.presence.sigmoid()
    return semantic.annotate(chances, presence, void_below=config.void_below, keep_probability=keep_probability)


def _with_objects(
    annotations: list[Annotation] | None,
    output: DecoderOutput,
    config: PDecoderConfig,
    classes: Sequence[str],
    requested: Sequence[Sequence[int]] | None,
    size: tuple[int, int],
    unasked: float,
) -> list[Annotation]:
    words = class_words(classes)
    people = [position + 1 for position, word in enumerate(words) if word == PERSON]
    result = []
    raw = output.instance
    for image in range(raw.foreground.shape[0]):
        found = instance.find(
            raw.foreground[image],
            raw.centres[image],
            raw.offsets[image],
            lambda masks, image=image: raw.classes(image, masks),
            requested=None if requested is None else requested[image],
            unasked=unasked,
            calibration=config.object_calibration,
        )
        if output.pose is not None:
            found = _with_keypoints(found, output, image, people, config, size)
        objects = replace(found, map=resize_map(found.map, size))
        if annotations is None:
            confidence = float(objects.scores.mean()) if len(objects) else 1.0  # confident that there is none
            result.append(Annotation(confidence=confidence, objects=objects))
        else:
            result.append(replace(annotations[image], objects=objects))
    return result


def _with_keypoints(
    found: Instances, output: DecoderOutput, image: int, people: Sequence[int], config: PDecoderConfig,
    size: tuple[int, int],
) -> Instances:  # fmt: skip
    """The instances with the keypoints, in pixels of `size` (H, W), of those whose class is one of `people`."""
    count = len(found)
    points, scores = np.zeros((count, JOINTS, 3), np.float32), np.zeros((count, JOINTS), np.float32)
    chosen = np.flatnonzero(np.isin(found.classes, people))
    if len(chosen):
        height, width = found.map.shape
        masks = torch.from_numpy(found.select(chosen).masks).to(output.instance.foreground.device)
        maps = output.pose.of(image, masks)
        read = pose.keypoints(
            maps.joints, maps.visible, maps.windows, (height, width), calibration=config.keypoint_calibration
        )
        points[chosen], scores[chosen] = (_array(each, np.float32) for each in read)
        points[..., :2] *= np.array([size[1] / width, size[0] / height], np.float32)
    return replace(found, keypoints=points, keypoint_scores=scores)


def _with_depth(
    annotations: list[Annotation] | None, output: DecoderOutput, config: PDecoderConfig, size: tuple[int, int]
) -> list[Annotation]:
    raw = output.depth
    depth, probability = depth_of.metres(
        raw.log_depth, raw.known, raw.confidence_logit(), size=size, calibration=config.depth_calibration
    )
    pairs = zip(_array(depth, np.float32), _array(probability, np.float32), strict=True)
    if annotations is None:
        return [
            Annotation(confidence=float(chance[metres > 0].mean()) if (metres > 0).any() else 0.0, depth=metres,
                       depth_confidence=chance)
            for metres, chance in pairs
        ]  # fmt: skip
    return [
        replace(each, depth=metres, depth_confidence=chance)
        for each, (metres, chance) in zip(annotations, pairs, strict=True)
    ]


def resize_map(numbers: Integer[np.ndarray, "h w"], size: tuple[int, int]) -> Integer[np.ndarray, "H W"]:
    """A map of instances at another size, by the nearest pixel."""
    if numbers.shape == tuple(size):
        return numbers
    values = torch.from_numpy(numbers)[None, None].float()
    return functional.interpolate(values, size=tuple(size), mode="nearest-exact")[0, 0].int().numpy()


def _array(values: Tensor, dtype: type) -> np.ndarray:
    return values.cpu().numpy().astype(dtype, copy=False)
