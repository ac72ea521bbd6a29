"""Text states of class names, each encoded on its own, so that the class list may be permuted or extended."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from dataset_dm.diffusion.spans import own_positions
from dataset_dm.errors import ConfigError, explain

if TYPE_CHECKING:
    from dataset_dm.diffusion.backbone import Backbone


@dataclass(frozen=True)
class ClassText:
    """The text states of a class list.

    Args:
        names: the classes, k of them.
        tokens: states of each class's own m tokens, padded with zeros; float32.
        mask: which of them are not padding.
        null: state of the start token; no text precedes it, so it stands for no class.
        mean: mean state of the class's own tokens.
    """

    names: tuple[str, ...]
    tokens: Float[Tensor, "k m d"]
    mask: Bool[Tensor, "k m"]
    null: Float[Tensor, " d"]
    mean: Float[Tensor, "k d"]

    def __len__(self) -> int:
        return len(self.names)

    def own_tokens(self, index: int) -> Float[Tensor, "m d"]:
        """States of one class's own tokens, without padding."""
        return self.tokens[index, self.mask[index]]

    def select(self, indices: Sequence[int]) -> ClassText:
        """The classes at these positions, in this order."""
        chosen = list(indices)
        return replace(
            self,
            names=tuple(self.names[i] for i in chosen),
            tokens=self.tokens[chosen],
            mask=self.mask[chosen],
            mean=self.mean[chosen],
        )


def encode_classes(backbone: Backbone, classes: Sequence[str]) -> ClassText:
    """The text states of each class, alone in its own text, by the generator's text encoder.

    Args:
        backbone: the model whose tokenizer and text encoder are used; it caches the encoded classes.
        classes: class names, not empty, each fitting the tokenizer.

    Raises:
        ConfigError: no classes, an empty name, or one over the tokenizer's length.
    """
    if isinstance(classes, str) or not classes:
        raise ConfigError(explain("classes", got=classes, expected="a list of at least one name"))
    states = [_own_states(backbone, name) for name in classes]
    longest = max(len(own) for own, _ in states)
    width = states[0][0].shape[-1]
    tokens = torch.zeros(len(states), longest, width, device=backbone.device)
    mask = torch.zeros(len(states), longest, dtype=torch.bool, device=backbone.device)
    for row, (own, _) in enumerate(states):
        tokens[row, : len(own)] = own
        mask[row, : len(own)] = True
    mean = torch.stack([own.mean(dim=0) for own, _ in states])
    return ClassText(tuple(classes), tokens, mask, states[0][1], mean)


@torch.no_grad()
def _own_states(backbone: Backbone, name: str) -> tuple[Tensor, Tensor]:
    """(own tokens [m d], start token [d]) of one class; cached on the backbone."""
    if not isinstance(name, str) or not name.strip():
        raise ConfigError(explain("class name", got=name, expected="a non-empty text"))
    if name not in backbone.class_states:
        if (count := backbone.token_count(name)) > backbone.max_tokens:
            expected = f"at most {backbone.max_tokens} tokens"
            raise ConfigError(explain(f"class {name!r}", got=count, expected=expected))
        positions = own_positions(backbone, name, 0, len(name))
        if not positions:
            raise ConfigError(explain("class name", got=name, expected="a name that the tokenizer knows a token for"))
        # alone, never in a batch: the rounding of a batched product depends on the other rows
        states = backbone.encode_text([name])[0].float()
        backbone.class_states[name] = states[positions], states[0]
    return backbone.class_states[name]
