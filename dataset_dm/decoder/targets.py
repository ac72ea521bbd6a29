"""What a decoder is trained towards: the truth of one batch, whatever kinds of label it has."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor
from torch.nn import functional

VOID = 255


@dataclass(frozen=True, kw_only=True)
class Targets:
    """Truth of b images; a kind that the data does not have is None.

    Args:
        labels: int64 [b H W]; 0 background, 1…k the classes, 255 void: trained on by nothing.
        instances: int64 [b H W]; 0 no object, i + 1 the i-th of the image, 255 ignored.
        classes: for each image the class ids of its objects, int64 [n]; None with `instances`.
        keypoints: for each image float32 [n 17 3] of (x, y, v) in pixels; objects without any have v = 0 throughout.
        depth: float32 [b H W] in metres; 0 unknown in truth, NaN not to be trained on.
    """

    labels: Tensor | None = None
    instances: Tensor | None = None
    classes: tuple[Tensor, ...] | None = None
    keypoints: tuple[Tensor, ...] | None = None
    depth: Tensor | None = None

    def to(self, device: torch.device | str) -> Targets:
        """The same truth elsewhere."""
        moved = {name: None if value is None else _to(value, device) for name, value in vars(self).items()}
        return Targets(**moved)

    def select_classes(self, chosen: Sequence[int]) -> Targets:
        """Truth for the classes at these positions (0 … k-1) of the list, in this order; others are background."""
        table = torch.zeros(256, dtype=torch.long)
        table[VOID] = VOID
        table[torch.as_tensor(chosen, dtype=torch.long) + 1] = torch.arange(1, len(chosen) + 1)
        changed = self
        if self.labels is not None:
            changed = replace(changed, labels=table.to(self.labels.device)[self.labels])
        if self.instances is None:
            return changed
        maps, classes, keypoints = [], [], []
        for row, (each, ids) in enumerate(zip(self.instances, self.classes, strict=True)):
            new = table.to(ids.device)[ids]
            kept = torch.nonzero(new).flatten()
            numbers = torch.zeros(256, dtype=torch.long, device=each.device)
            numbers[VOID] = VOID
            numbers[kept.to(each.device) + 1] = torch.arange(1, len(kept) + 1, device=each.device)
            maps.append(numbers[each])
            classes.append(new[kept])
            keypoints.append(None if self.keypoints is None else self.keypoints[row][kept])
        return replace(
            changed,
            instances=torch.stack(maps),
            classes=tuple(classes),
            keypoints=None if self.keypoints is None else tuple(keypoints),
        )

    def regions(self, image: int) -> tuple[Tensor, Tensor, Tensor]:
        """What the queries shall find: its objects, or, where only a class map is known, one region a class.

        Returns:
            masks bool [n H W], class ids int64 [n], and where nothing is known bool [H W].
        """
        if self.instances is not None and self.classes is not None:
            numbers = torch.arange(1, len(self.classes[image]) + 1, device=self.instances.device)
            masks = self.instances[image][None] == numbers[:, None, None]
            seen = masks.flatten(1).any(1)  # a crop may have left nothing of an object
            keep = torch.nonzero(seen).flatten()
            return masks[keep], self.classes[image][keep.to(self.classes[image].device)], self.instances[image] == VOID
        assert self.labels is not None, "neither instances nor a class map to find regions in"
        label = self.labels[image]
        ids = torch.unique(label)
        ids = ids[(ids > 0) & (ids != VOID)]
        return label[None] == ids[:, None, None], ids, label == VOID

    def objects_keypoints(self, image: int) -> Tensor | None:
        """Keypoints [n 17 3] in the order of :meth:`regions`; None where the data has none."""
        if self.keypoints is None or self.instances is None:
            return None
        numbers = torch.arange(1, len(self.keypoints[image]) + 1, device=self.instances.device)
        seen = (self.instances[image][None] == numbers[:, None, None]).flatten(1).any(1)
        return self.keypoints[image][seen.to(self.keypoints[image].device)]


def shrink_labels(labels: Tensor, size: tuple[int, int] | torch.Size) -> Tensor:
    """Labels [b H W] on a coarser grid: nearest, never a mixture of ids."""
    return functional.interpolate(labels[:, None].float(), size=tuple(size), mode="nearest-exact")[:, 0].long()


def _to(value: Tensor | tuple[Tensor, ...], device: torch.device | str) -> Tensor | tuple[Tensor, ...]:
    return tuple(each.to(device) for each in value) if isinstance(value, tuple) else value.to(device)
