"""Random batches of rendered scenes, on the training device."""

from __future__ import annotations

import torch
from jaxtyping import Float, Int64, UInt8
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

    def draw(
        self, batch: int, generator: torch.Generator
    ) -> tuple[Float[Tensor, "b 3 h w"], Int64[Tensor, "b h w"] | None]:
        """`batch` random scenes, half of them mirrored: images in [-1, 1] and class maps."""
        rows = torch.randint(len(self.images), (batch,), generator=generator, device=generator.device)
        mirror = torch.rand(batch, generator=generator, device=generator.device) < 0.5
        picked = rows.to(self.images.device)
        images = to_float(self.images[picked].to(self.device, non_blocking=True))
        images = torch.where(mirror[:, None, None, None].to(self.device), images.flip(3), images)
        if self.classes is None:
            return images, None
        classes = self.classes[picked].to(self.device).long()
        return images, torch.where(mirror[:, None, None].to(self.device), classes.flip(2), classes)


def to_float(images: UInt8[Tensor, "b h w 3"]) -> Float[Tensor, "b 3 h w"]:
    """Pixels in [-1, 1], channels first."""
    return images.permute(0, 3, 1, 2).float().div_(127.5).sub_(1.0)


def with_sensor_noise(images: Float[Tensor, "b 3 h w"], generator: torch.Generator) -> Float[Tensor, "b 3 h w"]:
    """Clean images plus the sensor noise of a camera."""
    return images + SENSOR_NOISE * torch.randn(images.shape, generator=generator, device=images.device)
