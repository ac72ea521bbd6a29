"""The net's maps as annotations, by the simplest known ways: every task's figures are then those of any annotator."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from dataset_dm.labels.coco import JOINTS
from dataset_dm.labels.instances import Instances
from dataset_dm.labels.records import Annotation
from tests.benchmarks.baseline.net import UNIT, BaselineNet, Maps
from tests.benchmarks.baseline.targets import pixels

TASKS = ("semantic", "instance", "depth", "pose")
LEAST_CENTRE = 0.1  # chance below which a peak is no centre
MOST = 20  # instances in an image
APART = 7  # pixels of the window in which a centre must be the highest
LEAST_AREA = 8  # pixels of an instance
REACH = 0.25  # how far from its vote a joint's peak may lie, of the person's size (square root of the area)


class Baseline:
    """A trained net that labels images; `person` is the class id of people."""

    def __init__(self, net: BaselineNet, person: int, device: str | torch.device = "cpu") -> None:
        self.net, self.person, self.device = net.to(device).eval(), person, torch.device(device)

    @torch.inference_mode()
    def annotate(self, images: np.ndarray) -> list[Annotation]:
        """All tasks' labels of images uint8 [b H W 3]; no pixel is void."""
        self.net.eval()
        maps = self.net(torch.from_numpy(pixels(images)).to(self.device))
        maps = Maps(*(getattr(maps, name).float().cpu() for name in maps.__dataclass_fields__))
        chances = maps.semantic.softmax(1)
        return [self._annotation(chances[i], maps, i) for i in range(len(images))]

    def _annotation(self, chances: Tensor, maps: Maps, i: int) -> Annotation:
        probability, full = (each.numpy() for each in chances.max(0))
        full = full.astype(np.uint8)
        masks, scores = group(full, maps.centre[i].sigmoid(), maps.offset[i])
        classes = [int(np.bincount(full[mask]).argmax()) for mask in masks]
        certainty = [score * float(chances[k][torch.from_numpy(mask)].mean()) for k, mask, score in
                zip(classes, masks, scores, strict=True)]  # fmt: skip
        order = np.argsort([-score for score in certainty], kind="stable")
        points, point_scores = np.zeros((len(masks), JOINTS, 3), np.float32), np.zeros((len(masks), JOINTS), np.float32)
        for row, one in enumerate(order):
            if classes[one] == self.person:
                points[row], point_scores[row] = joints(masks[one], maps.heat[i].sigmoid(), maps.votes[i])
        objects = Instances.from_masks(
            np.stack([masks[one] for one in order]) if masks else np.zeros((0, *full.shape), dtype=bool),
            np.array([classes[one] for one in order], dtype=np.int64),
            np.array([certainty[one] for one in order], dtype=np.float32),
            points,
            point_scores,
        )
        depth = maps.depth[i].exp().numpy()
        return Annotation(
            confidence=float(probability.mean()), label=full, full=full, uncertain=0.0, probability=probability,
            objects=objects, depth=depth, depth_confidence=np.ones_like(depth),
        )  # fmt: skip


def group(full: np.ndarray, centre: Tensor, offset: Tensor) -> tuple[list[np.ndarray], list[float]]:
    """Masks and scores of instances: every foreground pixel goes to the peak that is closest to where it points.

    Args:
        full: class map uint8 [H W].
        centre: chance of a centre [H W].
        offset: [2 H W], x and y in `UNIT`s.
    """
    highest = F.max_pool2d(centre[None, None], APART, stride=1, padding=APART // 2)[0, 0]
    rows, columns = torch.nonzero((centre == highest) & (centre > LEAST_CENTRE), as_tuple=True)
    best = centre[rows, columns].argsort(descending=True, stable=True)[:MOST]
    y, x = np.nonzero(full)
    if not len(best) or not len(y):
        return [], []
    peaks = torch.stack([columns[best], rows[best]]).numpy() + 0.5
    to = np.stack([x, y]) + 0.5 + offset[:, y, x].numpy() * (UNIT * max(full.shape))
    owner = ((to[:, :, None] - peaks[:, None]) ** 2).sum(0).argmin(1)
    masks, scores = [], []
    for k, score in enumerate(centre[rows, columns][best].tolist()):
        mask = np.zeros(full.shape, dtype=bool)
        mask[y[owner == k], x[owner == k]] = True
        if mask.sum() >= LEAST_AREA:
            masks.append(mask)
            scores.append(score)
    return masks, scores


def joints(mask: np.ndarray, heat: Tensor, votes: Tensor) -> tuple[np.ndarray, np.ndarray]:
    """Joints float32 [17 3] and scores [17] of a person: the highest heat near the median of the pixels' votes.

    Args:
        mask: of the person, bool [H W].
        heat: chance of each joint [17 H W].
        votes: [17 2 H W], x and y in `UNIT`s.
    """
    height, width = mask.shape
    y, x = np.nonzero(mask)
    own = np.stack([x, y]) + 0.5 + votes[:, :, y, x].numpy() * (UNIT * max(height, width))  # [17 2 n]
    voted = np.median(own, axis=2)
    across = (np.arange(width) + 0.5 - voted[:, :1]) ** 2
    down = (np.arange(height) + 0.5 - voted[:, 1:]) ** 2
    spread = REACH * np.sqrt(mask.sum())
    near = np.exp(-(down[:, :, None] + across[:, None]) / (2 * spread**2))
    best = (heat.numpy() * near).reshape(len(voted), -1).argmax(1)
    rows, columns = np.divmod(best, width)
    scores = heat.numpy()[np.arange(len(voted)), rows, columns]
    points = np.stack([columns + 0.5, rows + 0.5, np.full(len(voted), 2.0)], axis=1)
    return points.astype(np.float32), scores.astype(np.float32)
