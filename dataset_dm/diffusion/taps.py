"""Reads inner maps of a frozen model with hooks that last for a `with` block and change nothing.

Maps are outputs of modules (`levels.py`). Class evidence is computed beside the ordinary cross-attention, from its
input and its own projections, in a pre-forward hook: it works with every attention kernel, and the UNet's output keeps
its bits. Only requested maps are recorded.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import torch
from einops import rearrange
from jaxtyping import Float
from torch import Tensor, nn

from dataset_dm.diffusion.attention import hidden_states, queries, text_keys
from dataset_dm.diffusion.class_text import ClassText
from dataset_dm.diffusion.levels import AttentionTap
from dataset_dm.errors import ConfigError, did_you_mean
from dataset_dm.hypercolumns import gather_attention

if TYPE_CHECKING:
    from dataset_dm.diffusion.backbone import Backbone


@dataclass(frozen=True, kw_only=True)
class TapRequest:
    """The maps to record.

    Args:
        levels: level names, as in `Backbone.levels()`.
        class_text: the classes whose evidence is recorded; needed when `attention` names a layer.
        attention: cross-attention layers, as in `Backbone.attention_taps`.
        samples: keep the last so many rows of each batch: under guidance the conditional half. None keeps all.
    """

    levels: tuple[str, ...] = ()
    class_text: ClassText | None = None
    attention: tuple[str, ...] = ()
    samples: int | None = None


@dataclass
class Taps:
    """Maps of the latest pass through each module.

    Args:
        levels: by level name, float32.
        evidence: class evidence by layer name, on the layer's own grid, a its heads; float32.
        order: the layers in the order of `class_attention`.
    """

    levels: dict[str, Float[Tensor, "b _ _ _"]] = field(default_factory=dict)
    evidence: dict[str, Float[Tensor, "b k _ _ _"]] = field(default_factory=dict)
    order: tuple[str, ...] = ()

    @property
    def class_attention(self) -> Float[Tensor, "b k a h w"] | None:
        """Evidence of all recorded layers and heads on the largest grid; None if none was recorded."""
        if not self.evidence:
            return None
        return gather_attention([self.evidence[name] for name in self.order])


@contextmanager
def tap(backbone: Backbone, request: TapRequest) -> Iterator[Taps]:
    """Records the requested maps inside the block; later passes overwrite earlier ones.

    Args:
        backbone: the model that will run inside the block, called directly or by its pipeline.
        request: the maps to record.

    Raises:
        ConfigError: an unknown level or layer, or layers without classes.

    Example:
        >>> with tap(backbone, TapRequest(levels=("unet.mid",))) as taps:  # doctest: +SKIP
        ...     backbone.pipe.unet(latents, 100, encoder_hidden_states=text)
        >>> taps.levels["unet.mid"].shape  # doctest: +SKIP
    """
    _check(request.levels, backbone.level_taps, "level")
    _check(request.attention, backbone.attention_taps, "cross-attention layer")
    if request.attention and request.class_text is None:
        raise ConfigError("taps: cross-attention layers are named but no classes are given; pass class_text")
    taps = Taps(order=request.attention)
    with ExitStack() as stack:
        for name in request.levels:
            hook = _level_hook(taps, name, request.samples)
            handle = backbone.level_taps[name].module.register_forward_hook(hook)
            stack.callback(handle.remove)
        for name in request.attention:
            assert request.class_text is not None
            layer = backbone.attention_taps[name]
            keys = class_keys(backbone, layer, request.class_text)
            _install_evidence(stack, taps, layer, keys, request.samples)
        yield taps


def class_keys(backbone: Backbone, layer: AttentionTap, classes: ClassText) -> Float[Tensor, "k a d"]:
    """Each class's key in a layer less the null token's, divided by √d, for a heads of width d; float32.

    The evidence is the query's product with this: the mean over a class's tokens and the subtraction are linear, so
    they are computed once for each class, not at every pixel. Every class is projected alone, independent of the list.
    """
    keys = []
    for index, name in enumerate(classes.names):
        known = (layer.name, name)
        if known not in backbone.class_keys:
            with torch.no_grad():
                own = text_keys(layer.module, classes.own_tokens(index)).float().mean(dim=1)
                null = text_keys(layer.module, classes.null[None]).float()[:, 0]
            backbone.class_keys[known] = (own - null) * own.shape[-1] ** -0.5
        keys.append(backbone.class_keys[known])
    return torch.stack(keys)


def _level_hook(taps: Taps, name: str, samples: int | None) -> Callable[..., None]:
    def record(module: nn.Module, args: Any, output: Any) -> None:
        value = output if isinstance(output, Tensor) else output[0]
        taps.levels[name] = _last(value.detach(), samples).float()

    return record


def _install_evidence(stack: ExitStack, taps: Taps, layer: AttentionTap, keys: Tensor, samples: int | None) -> None:
    grid: list[tuple[int, int]] = [(0, 0)]

    def see_grid(module: nn.Module, args: Any, kwargs: Any) -> None:
        grid[0] = tuple(hidden_states(args, kwargs).shape[-2:])

    def record(module: nn.Module, args: Any, kwargs: Any) -> None:
        with torch.no_grad():
            hidden = _last(hidden_states(args, kwargs), samples)
            taps.evidence[layer.name] = _evidence(module, hidden, keys, grid[0])

    stack.callback(layer.around.register_forward_pre_hook(see_grid, with_kwargs=True).remove)
    stack.callback(layer.module.register_forward_pre_hook(record, with_kwargs=True).remove)


def _evidence(module: nn.Module, hidden: Tensor, keys: Tensor, grid: tuple[int, int]) -> Tensor:
    """Class evidence [b k a h w] of a layer's input [b (h w) c]: query · key of each class, as logits."""
    query = queries(module, hidden).float()
    # one class at a time: a joint product may round a class differently depending on the others
    maps = [torch.matmul(query, rearrange(key, "a d -> a d 1")) for key in keys]
    return rearrange(torch.stack(maps, dim=1), "b k a (h w) 1 -> b k a h w", h=grid[0], w=grid[1])


def _last(value: Tensor, samples: int | None) -> Tensor:
    """The last `samples` rows, copied so that the others are freed."""
    return value if samples is None or samples == len(value) else value[-samples:].clone()


def _check(names: tuple[str, ...], known: dict[str, Any], what: str) -> None:
    for name in names:
        if name not in known:
            close = did_you_mean(name, known) or f"; known are {', '.join(known)}"
            raise ConfigError(f"taps: this generator has no {what} {name!r}{close}")
