"""Instance head: the queries' masks at the picture's own size; what each query is, the query decoder says."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor, nn

from dataset_dm.decoder.blocks import convex_upsample
from dataset_dm.decoder.config import PDecoderConfig
from dataset_dm.decoder.query_decoder import QueryOutput


@dataclass(frozen=True)
class InstanceOutput:
    """One object, or none, a query.

    Args:
        masks: logits [b q H W].
        classes: log-odds of every class against "no object" [b q k].
    """

    masks: Tensor
    classes: Tensor


class InstanceHead(nn.Module):
    """Enlarges the last layer's masks along the picture's edges.

    Args:
        config: widths.
    """

    def __init__(self, config: PDecoderConfig) -> None:
        super().__init__()
        self.neighbours = nn.Conv2d(config.width_at(1), 9, 1)

    def forward(self, fused: dict[int, Tensor], query: QueryOutput) -> InstanceOutput:
        """Full-size masks from the masks at stride 4 and the finest fused map."""
        return InstanceOutput(convex_upsample(query.masks, self.neighbours(fused[1])), query.classes)
