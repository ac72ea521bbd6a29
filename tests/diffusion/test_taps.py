"""Taps: the maps are those of the layers, and the outputs are unchanged."""

import pytest
import torch

from dataset_dm.diffusion import (
    Backbone,
    TapRequest,
    encode_classes,
    tap,
)
from dataset_dm.errors import ConfigError

CLASSES = ["aeroplane", "tv monitor", "dog", "potted plant"]


@pytest.fixture(scope="module")
def inputs(backbone: Backbone) -> tuple[torch.Tensor, int, torch.Tensor]:
    """A batch of three: latents, t, text states."""
    channels = backbone.pipe.unet.config.in_channels
    side = backbone.native_size[0] // 8
    latents = torch.randn(3, channels, side, side, generator=torch.Generator().manual_seed(0))
    return latents, 20, backbone.encode_text(["a dog", "two cars", ""])


@torch.no_grad()
def run(backbone: Backbone, inputs: tuple[torch.Tensor, int, torch.Tensor]) -> torch.Tensor:
    return backbone.pipe.unet(inputs[0], inputs[1], encoder_hidden_states=inputs[2], return_dict=False)[0]


def everything(backbone: Backbone, classes: list[str] = CLASSES) -> TapRequest:
    names = tuple(level.name for level in backbone.levels() if level.source == "unet")
    return TapRequest(
        levels=names, class_text=encode_classes(backbone, classes), attention=tuple(backbone.attention_taps)
    )


def test_output_is_unchanged_to_the_last_bit(backbone: Backbone, inputs) -> None:
    plain = run(backbone, inputs)
    processors = dict(backbone.pipe.unet.attn_processors)
    with tap(backbone, everything(backbone)) as taps:
        tapped = run(backbone, inputs)
    assert torch.equal(plain, tapped)
    assert len(taps.levels) > 10 and len(taps.evidence) == len(backbone.attention_taps)
    assert backbone.pipe.unet.attn_processors == processors


def test_every_level_is_as_its_table_says(backbone: Backbone, inputs) -> None:
    with tap(backbone, everything(backbone)) as taps:
        run(backbone, inputs)
    height, width = backbone.native_size
    for level in backbone.levels():
        if level.source == "unet":
            expected = (3, level.channels, height // level.stride, width // level.stride)
            assert taps.levels[level.name].shape == expected, level.name


def test_vae_levels_are_as_their_table_says(backbone: Backbone, inputs) -> None:
    levels = [level for level in backbone.levels() if level.source == "vae"]
    with tap(backbone, TapRequest(levels=tuple(level.name for level in levels))) as taps, torch.no_grad():
        backbone.pipe.vae.decode(inputs[0][:1])
    height, width = backbone.native_size
    for level in levels:
        expected = (1, level.channels, height // level.stride, width // level.stride)
        assert taps.levels[level.name].shape == expected, level.name
    assert {level.stride for level in levels} == {8, 4, 2, 1}


def test_hooks_go_with_the_block_even_on_an_error(backbone: Backbone, inputs) -> None:
    def hooks() -> int:
        parts = [*backbone.pipe.unet.modules(), *backbone.pipe.vae.modules()]
        return sum(len(part._forward_hooks) + len(part._forward_pre_hooks) for part in parts)

    before = hooks()
    with pytest.raises(RuntimeError, match="stop"), tap(backbone, everything(backbone)):
        assert hooks() > before
        raise RuntimeError("stop")
    assert hooks() == before


def test_only_requested_maps_are_recorded(backbone: Backbone, inputs) -> None:
    layer = next(iter(backbone.attention_taps))
    request = TapRequest(levels=("unet.mid",), class_text=encode_classes(backbone, ["dog"]), attention=(layer,))
    with tap(backbone, request) as taps:
        run(backbone, inputs)
    assert list(taps.levels) == ["unet.mid"] and list(taps.evidence) == [layer]


def test_evidence_is_the_log_ratio_of_the_layers_own_attention(backbone: Backbone, inputs) -> None:
    """Against the layer's own probabilities over (start token, class tokens): log p(class) − log p(start)."""
    text = encode_classes(backbone, ["tv monitor"])
    assert int(text.mask.sum()) > 1, "the test needs a class of several tokens"
    for name, layer in backbone.attention_taps.items():
        entering = []
        handle = layer.module.register_forward_pre_hook(
            lambda module, args, kwargs, into=entering: into.append(args[0]), with_kwargs=True
        )
        with tap(backbone, TapRequest(class_text=text, attention=(name,))) as taps:
            run(backbone, inputs)
        handle.remove()
        states = torch.cat([text.null[None], text.own_tokens(0)]).expand(3, -1, -1)
        attention = layer.module
        query = attention.head_to_batch_dim(attention.to_q(entering[0]))
        key = attention.head_to_batch_dim(attention.to_k(states))
        logs = attention.get_attention_scores(query, key).log()  # (b a) q (1 + m)
        expected = (logs[..., 1:] - logs[..., :1]).mean(-1)
        got = taps.evidence[name]
        side = backbone.native_size[0] // layer.stride
        assert got.shape == (3, 1, layer.heads, side, side)
        assert torch.allclose(got.reshape(expected.shape), expected, atol=1e-4)


def test_permuted_and_extended_class_list_permutes_and_extends(backbone: Backbone, inputs) -> None:
    maps = {}
    for names in (CLASSES, CLASSES[2:] + CLASSES[:2], [*CLASSES, "zebra crossing", "boat"], ["dog"]):
        with tap(backbone, everything(backbone, list(names))) as taps:
            run(backbone, inputs)
        maps[tuple(names)] = taps.class_attention
    whole, turned, longer, alone = maps.values()
    assert torch.equal(turned, whole[:, [2, 3, 0, 1]])
    assert torch.equal(longer[:, :4], whole)
    assert torch.equal(alone[:, 0], whole[:, 2])


def test_evidence_of_all_layers_is_put_on_the_largest_grid(backbone: Backbone, inputs) -> None:
    with tap(backbone, everything(backbone)) as taps:
        run(backbone, inputs)
    side = backbone.native_size[0] // min(layer.stride for layer in backbone.attention_taps.values())
    heads = sum(layer.heads for layer in backbone.attention_taps.values())
    assert taps.class_attention.shape == (3, len(CLASSES), heads, side, side)


def test_non_square_grid(backbone: Backbone) -> None:
    step = backbone.size_multiple // 8
    latents = torch.randn(1, backbone.pipe.unet.config.in_channels, step, 2 * step)
    with tap(backbone, everything(backbone)) as taps:
        run(backbone, (latents, 20, backbone.encode_text(["a dog"])))
    finest = min(layer.stride for layer in backbone.attention_taps.values()) // 8
    assert taps.class_attention.shape[-2:] == (step // finest, 2 * step // finest)


def test_no_mixing_of_samples(backbone: Backbone, inputs) -> None:
    latents, time, text = inputs
    changed = latents.clone()
    changed[0] += 1
    results = []
    for batch in (latents, changed):
        with tap(backbone, everything(backbone)) as taps:
            run(backbone, (batch, time, text))
        results.append(taps)
    before, after = results
    for name in before.levels:
        assert torch.equal(before.levels[name][1:], after.levels[name][1:])
        assert not torch.equal(before.levels[name][0], after.levels[name][0])
    assert torch.equal(before.class_attention[1:], after.class_attention[1:])


def test_unknown_names(backbone: Backbone) -> None:
    with (
        pytest.raises(ConfigError, match="no level 'unet.midd'; did you mean 'unet.mid'"),
        tap(backbone, TapRequest(levels=("unet.midd",))),
    ):
        pass
    with pytest.raises(ConfigError, match="cross-attention layer"), tap(backbone, TapRequest(attention=("x",))):
        pass
    layer = next(iter(backbone.attention_taps))
    with pytest.raises(ConfigError, match="no classes are given"), tap(backbone, TapRequest(attention=(layer,))):
        pass
