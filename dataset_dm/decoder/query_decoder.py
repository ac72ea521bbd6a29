"""Query decoder: masked attention of a few queries over the fused maps (Cheng et al., "Mask2Former", 2022).

The transformer is transformers' own `Mask2FormerTransformerModule`; only the class scores differ: a query is compared
with the *words* of each class, and with what speaks for the class under the query's mask. A single cell knows little of
classes, a whole object more. The list of classes is open and its order means nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional
from transformers import Mask2FormerConfig
from transformers.models.mask2former.modeling_mask2former import Mask2FormerTransformerModule

from dataset_dm.decoder.blocks import resize
from dataset_dm.decoder.config import PDecoderConfig

MASK_STRIDE = 4  # of the mask logits


@dataclass(frozen=True)
class QueryOutput:
    """Predictions after one layer.

    Args:
        masks: mask logits [b q h w] at stride 4.
        classes: log-odds of every class against "no object" [b q k]; each class on its own.
    """

    masks: Tensor
    classes: Tensor

    def semantic(self) -> Tensor:
        """Evidence of each class at each pixel [b k h w]: log of the summed odds of the queries that cover it."""
        odds = self.classes.clamp(-12, 12).exp()  # a class's odds hold whatever other classes are asked for
        covered = torch.einsum("bqk,bqhw->bkhw", odds, self.masks.sigmoid())
        return torch.log1p(covered)


class QueryDecoder(nn.Module):
    """Queries that each find one region and compare it with the class words.

    Args:
        config: number of queries, layers, width.
    """

    def __init__(self, config: PDecoderConfig) -> None:
        super().__init__()
        width = config.query_width
        self.strides = tuple(stride for stride in config.strides if stride >= MASK_STRIDE)[-3:]
        if len(self.strides) < 3:  # the transformer reads exactly three levels
            self.strides = (8, 8, 4)
        self.inputs = nn.ModuleList([nn.Conv2d(config.width_at(stride), width, 1) for stride in self.strides])
        self.pixels = nn.Conv2d(config.width_at(MASK_STRIDE), width, 1)
        self.transformer = Mask2FormerTransformerModule(
            in_features=width,
            config=Mask2FormerConfig(
                hidden_dim=width,
                mask_feature_size=width,
                num_queries=config.queries,
                num_attention_heads=4,
                dim_feedforward=2 * width,
                decoder_layers=config.query_layers + 1,  # transformers builds one less
                dropout=0.0,  # its dropout also skips whole layers at random, which resume and seeds must not meet
            ),
        )
        self.text = nn.Linear(config.spec.text_width, width)
        self.score = nn.Linear(width, width)
        self.bias = nn.Parameter(torch.tensor(-2.0))  # most queries find nothing
        self.weigh = nn.Sequential(nn.Linear(config.evidence_width, width), nn.SiLU(), nn.Linear(width, 1))
        for table in (self.transformer.queries_embedder, self.transformer.queries_features):
            nn.init.normal_(table.weight, std=0.5)

    def forward(self, fused: dict[int, Tensor], text: Tensor, evidence: Tensor) -> list[QueryOutput]:
        """One prediction a layer, last one best.

        Args:
            fused: stride → fused map.
            text: standardised class embeddings [k d]; zeros for a class whose words say nothing.
            evidence: what speaks for each class at stride 8 [b k c h w].
        """
        levels = [project(fused[stride]) for project, stride in zip(self.inputs, self.strides, strict=True)]
        result = self.transformer(levels, self.pixels(fused[MASK_STRIDE]))
        words = functional.normalize(self.text(text), dim=-1)
        outputs = []
        for states, masks in zip(result.intermediate_hidden_states, result.masks_queries_logits, strict=True):
            states = states.transpose(0, 1)
            found = functional.normalize(self.score(states), dim=-1)
            pooled = self.weigh(pool(evidence, masks)).squeeze(-1)
            # a cosine against the words, at CLIP's order of magnitude for its scale
            outputs.append(QueryOutput(masks, 10 * found @ words.T + pooled + self.bias))
        return outputs


def pool(evidence: Tensor, masks: Tensor) -> Tensor:
    """Mean evidence under each mask: [b k c h w] and mask logits [b q H W] → [b q k c].

    No gradient flows into the masks: what a region is must not move its outline.
    """
    share = resize(masks.detach().sigmoid(), tuple(evidence.shape[-2:])) + 1e-4
    share = share / share.sum((-2, -1), keepdim=True)
    return torch.einsum("bqhw,bkchw->bqkc", share, evidence)
