"""What a decoder is trained on: the losses of every head that was built and whose truth is known."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from dataset_dm.decoder.instance_head import InstanceOutput
from dataset_dm.decoder.losses.depth import absolute_loss, known_loss, silog_loss, sureness_loss
from dataset_dm.decoder.losses.instance import centre_loss, centres_of, class_loss, offset_loss, thing_loss
from dataset_dm.decoder.losses.pose import pose_loss
from dataset_dm.decoder.losses.semantic import dice_loss, pixel_loss, presence_loss
from dataset_dm.decoder.model import DecoderOutput
from dataset_dm.decoder.semantic_head import SemanticOutput
from dataset_dm.decoder.targets import Targets, shrink_labels

__all__ = ["LossConfig", "decoder_loss"]


@dataclass(frozen=True, kw_only=True)
class LossConfig:
    """Weights of the parts."""

    pixel: float = 1.0  # cross-entropy at the image's size
    dice: float = 1.0
    inner: float = 0.4  # cross-entropy of each inner layer; 0: only the last is supervised
    presence: float = 0.1
    thing: float = 0.5
    centre: float = 0.02
    offset: float = 1.0
    kind: float = 0.2  # what each thing is
    depth: float = 2.0
    absolute: float = 8.0  # of log depth
    sureness: float = 0.05  # of depth
    known: float = 0.1  # whether depth is known
    joints: float = 0.5
    visible: float = 0.1


def decoder_loss(output: DecoderOutput, targets: Targets, config: LossConfig) -> dict[str, Tensor]:
    """Weighted parts of the loss; their sum is ``"loss"``.

    Args:
        output: predictions for k classes.
        targets: truth for the same list; what is void or ignored is left out of every part but presence, where a class
            that shows itself nowhere else counts as absent.
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
        parts["sureness"] = config.sureness * sureness_loss(output.depth, targets.depth, targets.metric)
        parts["known"] = config.known * known_loss(output.depth.known, targets.depth)
    parts["loss"] = torch.stack(list(parts.values())).sum()
    return parts


def _semantic(output: SemanticOutput, labels: Tensor, config: LossConfig) -> dict[str, Tensor]:
    parts = {
        "pixel": config.pixel * pixel_loss(output.logits, labels),
        "dice": config.dice * dice_loss(output.logits, labels),
        "presence": config.presence * presence_loss(output.presence, labels),
    }
    if config.inner:
        inner = [pixel_loss(logits, shrink_labels(labels, logits.shape[-2:])) for logits in output.aux]
        parts["inner"] = config.inner * torch.stack(inner).sum()
    return parts


def _instance(output: InstanceOutput, targets: Targets, config: LossConfig) -> dict[str, Tensor]:
    target = centres_of(targets.instances)
    return {
        "thing": config.thing * thing_loss(output.things, target),
        "centre": config.centre * centre_loss(output.centres, target),
        "offset": config.offset * offset_loss(output.offsets, target),
        "kind": config.kind * class_loss(output, targets),
    }
