"""Random batches of rendered scenes, on the training device."""

from __future__ import annotations

import torch
from torch import Tensor

from dataset_dm.miniature.recipe.renders import Renders

# standard deviation of the sensor noise in [-1, 1]; the renderer's own noise is of this size
SENSOR_NOISE = 2 * 0.008


class Batches:
    """Draws batches of images and class maps; keeps everything on the device when that is a GPU."""

    def __init__(self, renders: Renders, device: torch.device, with_classes: bool = False):
        place = device if device.type == "cuda" else torch.device("cpu")
        self.device = device
        self.images = torch.cat([torch.from_numpy(part.copy()).to(place) for part in renders.images])
        self.classes = None
        if with_classes:
            self.classes = torch.cat([torch.from_numpy(part.copy()).to(place) for part in renders.classes])

    def draw(self, batch: int, generator: torch.Generator) -> tuple[Tensor, Tensor | None]:
        """`batch` random scenes, half of them mirrored: images (b, 3, h, w) in [-1, 1], classes long (b, h, w)."""
        rows = torch.randint(len(self.images), (batch,), generator=generator, device=generator.device)
        mirror = torch.rand(batch, generator=generator, device=generator.device) < 0.5
        picked = rows.to(self.images.device)
        images = to_float(self.images[picked].to(self.device, non_blocking=True))
        images = torch.where(mirror[:, None, None, None].to(self.device), images.flip(3), images)
        if self.classes is None:
            return images, None
        classes = self.classes[picked].to(self.device).long()
        return images, torch.where(mirror[:, None, None].to(self.device), classes.flip(2), classes)


def to_float(images: Tensor) -> Tensor:
    """uint8 (b, h, w, 3) -> float32 (b, 3, h, w) in [-1, 1]."""
    return images.permute(0, 3, 1, 2).float().div_(127.5).sub_(1.0)


def with_sensor_noise(images: Tensor, generator: torch.Generator) -> Tensor:
    """The image as a camera gives it: clean plus sensor noise."""
    return images + SENSOR_NOISE * torch.randn(images.shape, generator=generator, device=images.device)
