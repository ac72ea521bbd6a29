"""Query decoder: masked attention of a few queries over the fused maps (Cheng et al., "Mask2Former", 2022).

The transformer is transformers' own `Mask2FormerTransformerModule`; only the class scores differ: a query is compared
with the *words* of each class, so the list of classes is open and its order means nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional
from transformers import Mask2FormerConfig
from transformers.models.mask2former.modeling_mask2former import Mask2FormerTransformerModule

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
        for table in (self.transformer.queries_embedder, self.transformer.queries_features):
            nn.init.normal_(table.weight, std=0.5)

    def forward(self, fused: dict[int, Tensor], text: Tensor) -> list[QueryOutput]:
        """One prediction a layer, last one best.

        Args:
            fused: stride → fused map.
            text: standardised class embeddings [k d].
        """
        levels = [project(fused[stride]) for project, stride in zip(self.inputs, self.strides, strict=True)]
        result = self.transformer(levels, self.pixels(fused[MASK_STRIDE]))
        words = functional.normalize(self.text(text), dim=-1)
        outputs = []
        for states, masks in zip(result.intermediate_hidden_states, result.masks_queries_logits, strict=True):
            # [q b c]: cosine against the words; 10 is CLIP's order of magnitude for the scale of a cosine
            found = functional.normalize(self.score(states.transpose(0, 1)), dim=-1)
            outputs.append(QueryOutput(masks=masks, classes=10 * found @ words.T + self.bias))
        return outputs
