"""The loss of a decoder: weighted losses of every head that is built and whose labels are known."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from dataset_dm.decoder.instance_head import InstanceOutput
from dataset_dm.decoder.losses.depth import absolute_loss, known_loss, scale_loss, silog_loss
from dataset_dm.decoder.losses.instance import centre_loss, centres_of, class_loss, foreground_loss, offset_loss
from dataset_dm.decoder.losses.pose import pose_loss
from dataset_dm.decoder.losses.semantic import dice_loss, pixel_loss, presence_loss
from dataset_dm.decoder.model import DecoderOutput
from dataset_dm.decoder.semantic_head import SemanticOutput
from dataset_dm.decoder.targets import Targets, shrink_labels

__all__ = ["LossConfig", "decoder_loss"]


@dataclass(frozen=True, kw_only=True)
class LossConfig:
    """Weights of the loss terms."""

    pixel: float = 1.0  # cross-entropy at the image's size
    dice: float = 1.0
    inner: float = 0.4  # cross-entropy of each inner layer; 0: only the last is supervised
    presence: float = 0.1
    foreground: float = 0.5
    centre: float = 0.02
    offset: float = 1.0
    instance_class: float = 0.2
    depth: float = 2.0
    absolute: float = 8.0  # of log depth
    depth_scale: float = 0.05  # likelihood of the expected depth error
    known: float = 0.1  # whether depth is known
    joints: float = 0.5
    visible: float = 0.1


def decoder_loss(output: DecoderOutput, targets: Targets, config: LossConfig) -> dict[str, Float[Tensor, ""]]:
    """Weighted terms of the loss by name; their sum is ``"loss"``.

    Args:
        output: predictions for k classes.
        targets: labels for the same class list; void and ignored pixels are left out of every term except presence,
            where a class without a labelled pixel counts as absent.
    """
    parts: dict[str, Tensor] = {}
    if output.semantic is not None and targets.labels is not None:
        parts |= _semantic(output.semantic, targets.labels, config)
    if output.instance is not None and targets.instances is not None:
        parts |= _instance(output.instance, targets, config)
    if output.pose is not None and targets.keypoints is not None:
        place, visible = pose_loss(output.pose, targets)
        parts["joints"], parts["visible"] = config.joints * place, config.visible * visible
    if output.depth is not None and targets.depth is not None:
        parts["depth"] = config.depth * silog_loss(output.depth.log_depth, targets.depth, targets.metric)
        parts["absolute"] = config.absolute * absolute_loss(output.depth.log_depth, targets.depth, targets.metric)
        parts["depth_scale"] = config.depth_scale * scale_loss(output.depth, targets.depth, targets.metric)
        parts["known"] = config.known * known_loss(output.depth.known, targets.depth)
    parts["loss"] = torch.stack(list(parts.values())).sum()
    return parts


def _semantic(output: SemanticOutput, labels: Tensor, config: LossConfig) -> dict[str, Float[Tensor, ""]]:
    parts = {
        "pixel": config.pixel * pixel_loss(output.logits, labels),
        "dice": config.dice * dice_loss(output.logits, labels),
        "presence": config.presence * presence_loss(output.presence, labels),
    }
    if config.inner:
        inner = [pixel_loss(logits, shrink_labels(labels, logits.shape[-2:])) for logits in output.aux]
        parts["inner"] = config.inner * torch.stack(inner).sum()
    return parts


def _instance(output: InstanceOutput, targets: Targets, config: LossConfig) -> dict[str, Float[Tensor, ""]]:
    target = centres_of(targets.instances)
    return {
        "foreground": config.foreground * foreground_loss(output.foreground, target),
        "centre": config.centre * centre_loss(output.centres, target),
        "offset": config.offset * offset_loss(output.offsets, target),
        "instance_class": config.instance_class * class_loss(output, targets),
    }
