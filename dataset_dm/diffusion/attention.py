"""Class maps and cell affinities from a UNet's attention, recorded while it runs.

After Dataset Diffusion (Nguyen et al. 2023). In the cross-attention layers the image's queries also attend to a second
text, the class names, for recording only; self-attention is recorded as it is. Both are computed in pre-forward hooks
from the layers' own inputs, so that the UNet's output keeps its bits. Kept are running means over heads, layers and
passes, and no layer's full map is held in memory: a 512 x 512 image of Stable Diffusion's shape takes under 8 MB, most
of it the mean itself.

    with record(backbone, [class_prompt(backbone, ["dog", "car"])], size) as attention:
        backbone.pipe.unet(...)                     # or the pipeline itself
    attention.class_maps(0), attention.self_map(0)
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import torch
from einops import rearrange, reduce
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from dataset_dm.diffusion.levels import AttentionTap
from dataset_dm.diffusion.spans import class_prompts, tokens_of
from dataset_dm.errors import ConfigError, GeneratorError, explain

if TYPE_CHECKING:
    from dataset_dm.diffusion.backbone import Backbone

# Finest grid for self-attention, 32 x 32: its map has cells² numbers.
MOST_CELLS = 1024
# Attention weights computed at once, of all heads together.
AT_ONCE = 2**16


@dataclass(frozen=True)
class ClassPrompt:
    """Class names as the texts that an image's queries attend to.

    Args:
        names: the classes.
        texts: of each text its states [n d] and the token positions of each of its classes; over all texts the
            classes are `names`, in order.
    """

    names: tuple[str, ...]
    texts: tuple[tuple[Tensor, tuple[tuple[int, ...], ...]], ...]


def class_prompt(backbone: Backbone, classes: Sequence[str], *, together: bool = True) -> ClassPrompt:
    """The class prompt of some classes: one text where they fit into one, or one text for each class.

    Raises:
        ConfigError: no classes, or a name without a token.
        GeneratorError: the tokenizer gives no offsets.
    """
    names = tuple(classes)
    parts = [names] if together or not names else [(name,) for name in names]
    texts = []
    for text, spans in (prompt for part in parts for prompt in class_prompts(backbone, part)):
        groups = tuple(tokens_of([span], span.name) for span in spans)
        texts.append((backbone.encode_text([text])[0], groups))
    return ClassPrompt(names, tuple(texts))


class Attention:
    """Running means of recorded attention, one for each image, float32 on the model's device.

    Args:
        prompts: the class prompt of every image.
        grid: (h, w), cells of the self-attention map.

    Attributes:
        passes: how many UNet passes were recorded.
    """

    def __init__(self, prompts: Sequence[ClassPrompt], grid: tuple[int, int]) -> None:
        self.prompts, self.grid, self.passes = tuple(prompts), grid, 0
        self._class: list[Tensor] = []
        self._self: list[Tensor] = []
        self._seen = {"class": 0, "self": 0}

    def class_maps(self, image: int) -> Float[Tensor, "k h w"]:
        """Attention to each class name, 0..1: the mean over its tokens, heads, layers and passes."""
        return self._recorded(self._class)[image]

    def self_map(self, image: int) -> Float[Tensor, "n n"]:
        """Attention of cells to cells, n = h · w; rows sum to 1."""
        return self._recorded(self._self)[image]

    def _recorded(self, means: list[Tensor]) -> list[Tensor]:
        if not means:
            raise ConfigError("attention: nothing was recorded; run the UNet inside `record`, within its timesteps")
        return means

    def add_class(
        self,
        query: Float[Tensor, "b a n d"],
        keys: Callable[[Float[Tensor, "m e"]], Float[Tensor, "a m d"]],
        grid: tuple[int, int],
    ) -> None:
        """Adds one cross-attention layer on a grid of n cells.

        Args:
            query: scaled queries of a heads.
            keys: from a text's states of m tokens to the layer's keys.
            grid: (h, w) of the layer.
        """
        maps = [self._attended(each, prompt, keys, grid) for each, prompt in zip(query, self.prompts, strict=True)]
        weight = 1 / self._count("class")
        if not self._class:
            self._class = maps
            return
        for mean, value in zip(self._class, maps, strict=True):
            mean.lerp_(value, weight)

    def _attended(self, query: Tensor, prompt: ClassPrompt, keys: Callable[[Tensor], Tensor], grid: Any) -> Tensor:
        found = []
        for states, groups in prompt.texts:
            key = keys(states)
            mean = query.new_zeros(query.shape[1], key.shape[1], dtype=torch.float32)
            for head in range(len(query)):
                mean += _softmax(query[head], key[head]) / len(query)
            found += [mean[:, list(tokens)].mean(dim=1) for tokens in groups]
        maps = rearrange(torch.stack(found), "k (h w) -> 1 k h w", h=grid[0], w=grid[1])
        if tuple(grid) != tuple(self.grid):
            maps = functional.interpolate(maps, size=self.grid, mode="bicubic", align_corners=False)
        return maps[0]

    def add_self(self, queries: Callable[[slice], Float[Tensor, "b a r d"]], key: Float[Tensor, "b a n d"]) -> None:
        """Adds one self-attention layer.

        Args:
            queries: from a slice of r cells to their scaled queries.
            key: keys of all n cells.
        """
        cells = key.shape[2]
        weight = 1 / self._count("self")
        if not self._self:
            self._self = [key.new_zeros(cells, cells, dtype=torch.float32) for _ in range(len(key))]
        step = max(1, AT_ONCE // (cells * key.shape[1]))
        for start in range(0, cells, step):
            rows = slice(start, min(start + step, cells))
            for mean, query, own in zip(self._self, queries(rows), key, strict=True):
                mean[rows].lerp_(reduce(_softmax(query, own), "a r n -> r n", "mean"), weight)

    def _count(self, kind: str) -> int:
        self._seen[kind] += 1
        return self._seen[kind]


@contextmanager
def record(
    backbone: Backbone,
    prompts: Sequence[ClassPrompt],
    size: tuple[int, int],
    *,
    timesteps: tuple[float, float] | None = None,
) -> Iterator[Attention]:
    """Records every UNet pass of the block, called directly or by the pipeline.

    Args:
        backbone: the model.
        prompts: the class prompt of each image of the batch. Recorded are the batch's last rows, as many as prompts:
            under guidance the conditional half.
        size: (H, W) of the images in pixels.
        timesteps: passes at a noise level in [low, high] are recorded; None records all.

    Raises:
        ConfigError: no prompts, a window out of order.
        GeneratorError: a UNet without attention to record.
    """
    if not prompts:
        raise ConfigError(explain("attention: prompts", got=prompts, expected="one class prompt for each image"))
    low, high = (0.0, float("inf")) if timesteps is None else timesteps
    if not 0 <= low <= high:
        raise ConfigError(explain("attention: timesteps", got=timesteps, expected="(low, high), 0 ≤ low ≤ high"))
    stride, layers = recorded_layers(backbone, size)
    attention = Attention(prompts, (size[0] // stride, size[1] // stride))
    within = [True]

    def see_time(module: nn.Module, args: Any, kwargs: Any) -> None:
        time = args[1] if len(args) > 1 else kwargs["timestep"]
        within[0] = low <= float(torch.as_tensor(time).flatten()[0]) <= high
        attention.passes += within[0]

    with ExitStack() as stack:
        _hook(stack, backbone.pipe.unet, see_time)
        for layer in layers:
            grid = (size[0] // layer.stride, size[1] // layer.stride)
            _hook(stack, layer.module, _class_hook(attention, grid, within))
            if layer.stride == stride:
                _hook(stack, _self_attention(layer), _self_hook(attention, within))
        yield attention


def recorded_layers(backbone: Backbone, size: tuple[int, int]) -> tuple[int, list[AttentionTap]]:
    """Stride of the self-attention map for images of `size`, and the cross-attention layers to record.

    The finest grid of at most MOST_CELLS cells (the coarsest, if all have more); cross-attention is taken there and one
    grid coarser, as in the paper (32 x 32 and 16 x 16). All of it in the UNet's upward half, where the layout is
    settled: on Miniature 68.4 mIoU, 63.5 with all layers (160 images of seed 1, borders not fitted).
    """
    upward = [layer for name, layer in backbone.attention_taps.items() if name.startswith("unet.up.")]
    taps = [layer for layer in upward or backbone.attention_taps.values() if _self_attention(layer, needed=False)]
    if not taps:
        raise GeneratorError(f"generator {backbone.source!r}: its UNet has no attention layers to read labels from")
    strides = sorted({layer.stride for layer in taps})
    few = [stride for stride in strides if (size[0] // stride) * (size[1] // stride) <= MOST_CELLS]
    stride = few[0] if few else strides[-1]
    return stride, [layer for layer in taps if layer.stride in (stride, 2 * stride)]


def _self_attention(layer: AttentionTap, *, needed: bool = True) -> nn.Module | None:
    """The self-attention in the same block as a cross-attention layer."""
    for block in layer.around.transformer_blocks:
        if block.attn2 is layer.module:
            return block.attn1
    assert not needed, f"{layer.name} has no self-attention beside it"
    return None


def _hook(stack: ExitStack, module: nn.Module, before: Callable[..., None]) -> None:
    stack.callback(module.register_forward_pre_hook(before, with_kwargs=True).remove)


def _class_hook(attention: Attention, grid: tuple[int, int], within: list[bool]) -> Callable[..., None]:
    def see(module: nn.Module, args: Any, kwargs: Any) -> None:
        if not within[0]:
            return
        with torch.no_grad():
            hidden = hidden_states(args, kwargs, len(attention.prompts))
            attention.add_class(queries(module, hidden) * module.scale, partial(text_keys, module), grid)

    return see


def _self_hook(attention: Attention, within: list[bool]) -> Callable[..., None]:
    def see(module: nn.Module, args: Any, kwargs: Any) -> None:
        if not within[0]:
            return
        hidden = hidden_states(args, kwargs, len(attention.prompts))
        with torch.no_grad():
            key = _split(module, module.to_k(hidden), module.norm_k)
            attention.add_self(lambda rows: queries(module, hidden[:, rows]) * module.scale, key)

    return see


def hidden_states(args: Any, kwargs: Any, count: int | None = None) -> Float[Tensor, "*axes"]:
    """The input of a hooked layer: the last `count` images of the batch, or all of it."""
    hidden = (args[0] if args else kwargs["hidden_states"]).detach()
    return hidden if count is None else hidden[-count:]


def queries(module: nn.Module, hidden: Float[Tensor, "b n c"]) -> Float[Tensor, "b a n d"]:
    """Unscaled queries of an attention layer's input."""
    return _split(module, module.to_q(hidden), module.norm_q)


def text_keys(module: nn.Module, states: Float[Tensor, "m e"]) -> Float[Tensor, "a m d"]:
    """Keys of one text's states in a cross-attention layer, in the layer's own float type."""
    weight = next(module.to_k.parameters())
    states = states.to(device=weight.device, dtype=weight.dtype)[None]
    states = module.norm_encoder_hidden_states(states) if module.norm_cross else states
    return _split(module, module.to_k(states), module.norm_k)[0]


def _split(module: nn.Module, projected: Tensor, norm: nn.Module | None) -> Tensor:
    """[b n (a d)] → [b a n d]: a heads."""
    heads = rearrange(projected, "b n (a d) -> b a n d", a=module.heads)
    return heads if norm is None else norm(heads)


def _softmax(query: Tensor, key: Tensor) -> Tensor:
    """Attention weights [… r n] of queries [… r d] on keys [… n d]; float32 whatever the model computes in."""
    return torch.matmul(query.float(), rearrange(key.float(), "... n d -> ... d n")).softmax(dim=-1)
