"""A decoder's raw output → annotations: every task's postprocessing, image by image."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from dataset_dm.decoder import DecoderOutput, PDecoderConfig
from dataset_dm.labels.classes import class_words
from dataset_dm.labels.records import PERSON, Annotation, Objects
from dataset_dm.labels.tasks import DEPTH, INSTANCE, SEMANTIC, TASKS
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


def class_scores(output: DecoderOutput) -> Tensor:
    """Class scores [b 1+k H W], in agreement with the things found where there is a head for them."""
    logits, things = output.semantic.logits, output.instance
    if things is None:
        return logits
    return torch.stack(
        [
            agree(
                logits[image],
                things.foreground[image],
                things.centres[image],
                things.offsets[image],
                lambda masks, image=image: things.classes(image, masks),
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
    people = torch.tensor([position + 1 for position, word in enumerate(words) if word == PERSON])
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
        masks = resize_masks(found.masks, size)
        objects = Objects(_array(masks, bool), _array(found.classes, np.int64), _array(found.scores, np.float32))
        if output.pose is not None:
            objects = _with_keypoints(objects, output, image, found, people, config, size)
        if annotations is None:
            confidence = float(objects.scores.mean()) if len(objects) else 1.0  # sure that there is nothing
            result.append(Annotation(confidence=confidence, objects=objects))
        else:
            result.append(replace(annotations[image], objects=objects))
    return result


def _with_keypoints(
    objects: Objects,
    output: DecoderOutput,
    image: int,
    found: instance.Found,
    people: Tensor,
    config: PDecoderConfig,
    size: tuple[int, int],
) -> Objects:
    count = len(objects)
    points, scores = np.zeros((count, 17, 3), np.float32), np.zeros((count, 17), np.float32)
    who = torch.nonzero(torch.isin(found.classes.cpu(), people)).flatten()
    if len(who):
        people_maps = output.pose.of(image, found.masks[who.to(found.masks.device)])
        height, width = found.masks.shape[-2:]
        maps = (people_maps.joints, people_maps.visible, people_maps.windows)
        read = pose.keypoints(*maps, (height, width), calibration=config.keypoint_calibration)
        points[who.numpy()], scores[who.numpy()] = (_array(each, np.float32) for each in read)
        points[..., :2] *= np.array([size[1] / width, size[0] / height], np.float32)
    return replace(objects, keypoints=points, keypoint_scores=scores)


def _with_depth(
    annotations: list[Annotation] | None, output: DecoderOutput, config: PDecoderConfig, size: tuple[int, int]
) -> list[Annotation]:
    raw = output.depth
    depth, sure = depth_of.metres(
        raw.log_depth, raw.known, raw.confidence_logit(), size=size, calibration=config.depth_calibration
    )
    pairs = zip(_array(depth, np.float32), _array(sure, np.float32), strict=True)
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


def resize_masks(masks: Tensor, size: tuple[int, int]) -> Tensor:
    """Masks bool [n H W] at another size: the nearest pixel, so that they go on sharing none."""
    if not len(masks) or tuple(masks.shape[-2:]) == tuple(size):
        return masks if tuple(masks.shape[-2:]) == tuple(size) else masks.new_zeros((0, *size))
    return functional.interpolate(masks[None].float(), size=tuple(size), mode="nearest-exact")[0] > 0.5


def _array(values: Tensor, dtype: type) -> np.ndarray:
    return values.cpu().numpy().astype(dtype, copy=False)
