"""Training targets of a decoder: the true labels of one batch, of every kind that the data has."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from torch.nn import functional

from dataset_dm.labels.vocabulary import VOID


@dataclass(frozen=True, kw_only=True)
class Targets:
    """Truth of b images; a kind that the data does not have is None.

    Args:
        labels: int64 [b H W]; 0 background, 1…k the classes, 255 void: ignored by every loss.
        instances: int64 [b H W]; 0 no object, i + 1 the i-th of the image, 255 ignored.
        classes: for each image the class ids of its objects, int64 [n], 0 for one that is not on the class list; None
            with `instances`.
        keypoints: for each image float32 [n 17 3] of (x, y, v) in pixels; objects without any have v = 0 throughout.
        depth: float32 [b H W] in metres; 0 unknown in truth, NaN not to be trained on.
        metric: bool [b], whether an image's depth is known in metres or up to a factor; None: in metres.
    """

    labels: Int[Tensor, "b H W"] | None = None
    instances: Int[Tensor, "b H W"] | None = None
    classes: tuple[Int[Tensor, " _"], ...] | None = None
    keypoints: tuple[Float[Tensor, "_ 17 3"], ...] | None = None
    depth: Float[Tensor, "b H W"] | None = None
    metric: Bool[Tensor, " b"] | None = None

    def select_classes(self, chosen: Sequence[int]) -> Targets:
        """Truth for the classes at these positions (0 … k-1) of the list, in this order.

        Pixels of other classes are background; objects of other classes are objects of no class that is asked for.
        """
        table = torch.zeros(256, dtype=torch.long)
        table[VOID] = VOID
        table[torch.as_tensor(chosen, dtype=torch.long) + 1] = torch.arange(1, len(chosen) + 1)
        changed = self
        if self.labels is not None:
            changed = replace(changed, labels=table.to(self.labels.device)[self.labels])
        if self.instances is None:
            return changed
        # an instance of another class stays foreground
        return replace(changed, classes=tuple(table.to(ids.device)[ids] for ids in self.classes))

    def instance_masks(self, image: int) -> tuple[Bool[Tensor, "n H W"], Int[Tensor, " n"]]:
        """Masks bool [n H W] and class ids int64 [n] of the instances with at least one pixel."""
        assert self.instances is not None and self.classes is not None, "there are no instances"
        visible = self._visible(image)
        masks = self.instances[image][None] == (visible + 1)[:, None, None]
        return masks, self.classes[image].to(masks.device)[visible]

    def instance_keypoints(self, image: int) -> Float[Tensor, "n 17 3"] | None:
        """Keypoints [n 17 3] in the order of :meth:`instance_masks`; None where the data has none."""
        if self.keypoints is None:
            return None
        points = self.keypoints[image]
        return points[self._visible(image).to(points.device)]

    def _visible(self, image: int) -> Tensor:
        """Numbers (0 …) of the instances with a pixel; a crop may have removed others."""
        count = torch.bincount(self.instances[image].flatten(), minlength=256)
        return torch.nonzero(count[1 : len(self.classes[image]) + 1]).flatten()


def shrink_labels(labels: Int[Tensor, "b H W"], size: tuple[int, int] | torch.Size) -> Int[Tensor, "b h w"]:
    """Labels [b H W] on a coarser grid: nearest, never a mixture of ids."""
    return functional.interpolate(labels[:, None].float(), size=tuple(size), mode="nearest-exact")[:, 0].long()
