"""ViTPose on `image` and the keypoints of `objects`: `python -m tests.trainers.keypoints`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import nn
from transformers import Trainer, VitPoseBackboneConfig, VitPoseConfig, VitPoseForPoseEstimation

from tests.trainers.training import Batch, Recipe, image_processor, main

JOINTS = 17
SIZE = (48, 64)  # width and height of a person
MAP = (12, 16)  # width and height of a heatmap
SPREAD = 1.0  # of the target's Gaussian, in its pixels
PROCESSOR = image_processor("VitPose", do_affine_transform=False)  # a picture is one person, cut out here


def network(names: Sequence[str]) -> VitPoseForPoseEstimation:
    """A ViTPose of 0.06 M parameters."""
    vit = VitPoseBackboneConfig(
        image_size=SIZE[::-1],
        patch_size=[8, 8],
        hidden_size=48,
        num_hidden_layers=2,
        num_attention_heads=4,
        mlp_ratio=2,
    )
    return VitPoseForPoseEstimation(VitPoseConfig(backbone_config=vit, num_labels=JOINTS, scale_factor=2))


def posed(objects: Mapping[str, list[Any]]) -> bool:
    """Whether a picture shows at least one keypoint."""
    return any(objects["num_keypoints"])


def inputs(rows: Batch) -> Batch:
    """For every picture its n people: pictures [n 3 h w], heatmaps [n 17 h w], which of them count [n 17]."""
    made: Batch = {"pixel_values": [], "heatmaps": [], "shown": []}
    for image, objects in zip(rows["image"], rows["objects"], strict=True):
        people = [number for number, shown in enumerate(objects["num_keypoints"]) if shown]
        crops = [_crop(image, objects["bbox"][number]) for number in people]
        pixels = PROCESSOR([crop for crop, _ in crops], boxes=[[[0, 0, *SIZE]]] * len(crops), return_tensors="pt")
        points = [_moved(objects["keypoints"][number], place) for number, (_, place) in zip(people, crops, strict=True)]
        made["pixel_values"].append(pixels["pixel_values"])
        made["heatmaps"].append(torch.stack([_heatmaps(joints) for joints in points]))
        made["shown"].append(torch.tensor(np.stack([joints[:, 2] > 0 for joints in points])))
    return made


def _crop(image: Image.Image, bbox: Sequence[float]) -> tuple[Image.Image, tuple[float, ...]]:
    left, top, width, height = bbox
    place = (left, top, left + width, top + height)
    return image.resize(SIZE, Image.Resampling.BILINEAR, box=place), place


def _moved(keypoints: Sequence[Sequence[float]], place: Sequence[float]) -> np.ndarray:
    """Joints [17 3] in pixels of a heatmap; v stays."""
    left, top, right, bottom = place
    scale = (MAP[0] / (right - left), MAP[1] / (bottom - top))
    return (np.array(keypoints, np.float32) - (left, top, 0)) * (*scale, 1)


def _heatmaps(joints: np.ndarray) -> torch.Tensor:
    x, y = np.arange(MAP[0]) + 0.5, np.arange(MAP[1]) + 0.5
    far = (x[None, None, :] - joints[:, 0, None, None]) ** 2 + (y[None, :, None] - joints[:, 1, None, None]) ** 2
    return torch.tensor(np.exp(-far / (2 * SPREAD**2)), dtype=torch.float32)


class PoseTrainer(Trainer):
    """ViTPose of transformers knows no loss: mean squared error of the heatmaps of the joints that are shown."""

    def compute_loss(self, model: nn.Module, inputs: dict[str, Any], return_outputs: bool = False, **more: Any) -> Any:
        outputs = model(pixel_values=inputs["pixel_values"])
        error = (outputs.heatmaps - inputs["heatmaps"]).square().mean(dim=(2, 3))
        loss = error[inputs["shown"]].mean()
        return (loss, outputs) if return_outputs else loss


KEYPOINTS = Recipe(
    task="keypoints",
    dataset="dataset_dm/coco_synth",
    config="keypoints",
    class_names=lambda rows: (),
    network=network,
    inputs=inputs,
    collate=lambda rows: {
        name: torch.cat([row[name] for row in rows]) for name in ("pixel_values", "heatmaps", "shown")
    },
    usable=posed,
    trainer=PoseTrainer,
)

if __name__ == "__main__":
    main(KEYPOINTS)
