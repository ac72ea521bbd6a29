"""Recorded attention equals that of the layers; recording leaves the outputs unchanged."""

from pathlib import Path

import pytest
import torch
from diffusers.models.attention_processor import Attention as Layer

from dataset_dm.diffusion import (
    Backbone,
    SamplerConfig,
    class_prompt,
    default_sampler,
    read_evidence,
    record,
    recorded_layers,
    sample,
)
from dataset_dm.diffusion.attention import Attention, ClassPrompt, _class_hook, _self_hook
from dataset_dm.errors import ConfigError

QUICK = SamplerConfig(steps=2, guidance=3.0)
SIZE = (128, 128)


@pytest.fixture(scope="module")
def prompt(backbone: Backbone) -> ClassPrompt:
    return class_prompt(backbone, ["dining table", "dog"])


@torch.no_grad()
def one_pass(backbone: Backbone, count: int = 1, seed: int = 0, size: tuple[int, int] = SIZE) -> torch.Tensor:
    grid = [side // backbone.vae_stride for side in size]
    channels = backbone.pipe.unet.config.in_channels
    latents = torch.randn(count, channels, *grid, generator=torch.Generator().manual_seed(seed)).to(backbone.dtype)
    text = backbone.encode_text(["a dog"]).expand(count, -1, -1)
    return backbone.pipe.unet(latents, 100, encoder_hidden_states=text, return_dict=False)[0]


def test_recording_leaves_the_image_the_same_to_the_last_bit(backbone, prompt):
    plain = sample(backbone, ["a dog", "a sofa"], [1, 2], QUICK)
    with record(backbone, [prompt, prompt], SIZE) as attention:
        recorded = sample(backbone, ["a dog", "a sofa"], [1, 2], QUICK)
    assert torch.equal(plain.images, recorded.images) and torch.equal(plain.latents, recorded.latents)
    assert attention.passes == 2
    assert not any(part._forward_pre_hooks for part in backbone.pipe.unet.modules())


def test_maps_are_means_of_the_layers_own_probabilities(backbone, prompt):
    """Against diffusers' own scores of every recorded layer, stored whole and averaged at the end, over two passes."""
    stride, layers = recorded_layers(backbone, SIZE)
    grid = SIZE[0] // stride
    states = prompt.texts[0][0]
    crossed, selves, handles = [], [], []
    for layer in layers:
        inner = next(block.attn1 for block in layer.around.transformer_blocks if block.attn2 is layer.module)

        def see(module, args, kwargs, to_itself=False):
            entering = args[0] if args else kwargs["hidden_states"]
            query = module.head_to_batch_dim(module.to_q(entering))
            text = entering if to_itself else states[None]
            scores = module.get_attention_scores(query, module.head_to_batch_dim(module.to_k(text)))
            if to_itself:
                selves.append(scores)
                return
            side = round(entering.shape[1] ** 0.5)
            maps = torch.stack([scores[..., list(own)].mean(-1) for own in prompt.texts[0][1]])
            crossed.append(maps.mean(1).reshape(2, side, side))

        handles.append(layer.module.register_forward_pre_hook(see, with_kwargs=True))
        if layer.stride == stride:
            own = lambda module, args, kwargs: see(module, args, kwargs, True)  # noqa: E731
            handles.append(inner.register_forward_pre_hook(own, with_kwargs=True))
    with torch.no_grad(), record(backbone, [prompt], SIZE) as attention:
        one_pass(backbone, seed=0)
        one_pass(backbone, seed=1)
    for handle in handles:
        handle.remove()
    expected = torch.cat(selves).mean(0)
    assert torch.allclose(attention.self_map(0), expected, atol=1e-6)
    assert torch.allclose(attention.self_map(0).sum(dim=1), torch.ones(grid * grid), atol=1e-5)
    enlarge = torch.nn.Upsample(size=(grid, grid), mode="bicubic")
    whole = torch.stack([enlarge(each[None])[0] if each.shape[-1] != grid else each for each in crossed]).mean(0)
    assert attention.class_maps(0).shape == (2, grid, grid)
    assert torch.allclose(attention.class_maps(0), whole, atol=1e-6)


def test_guidance_records_the_conditional_half(backbone, prompt):
    """Half of the batch is prompted; recorded alone, that half gives the same maps."""
    with torch.no_grad():
        latents = torch.randn(1, backbone.pipe.unet.config.in_channels, 16, 16).expand(2, -1, -1, -1)
        text = backbone.encode_text(["", "a dog on a sofa"])
        with record(backbone, [prompt], SIZE) as both:
            backbone.pipe.unet(latents, 100, encoder_hidden_states=text)
        with record(backbone, [prompt], SIZE) as alone:
            backbone.pipe.unet(latents[1:], 100, encoder_hidden_states=text[1:])
    assert torch.allclose(both.self_map(0), alone.self_map(0), atol=1e-5)
    assert torch.allclose(both.class_maps(0), alone.class_maps(0), atol=1e-5)


@pytest.mark.parametrize("guidance", [None, 4.0])
@pytest.mark.parametrize("steps", [1, 4])
def test_with_and_without_guidance_and_in_few_steps(backbone, prompt, guidance, steps):
    sampler = SamplerConfig(steps=steps, guidance=guidance, scheduler="LCMScheduler" if steps == 4 else None)
    with record(backbone, [prompt], SIZE) as attention:
        sample(backbone, ["a dog"], [3], sampler)
    assert attention.passes == steps and bool((attention.class_maps(0) > 0).all())


def test_an_image_does_not_depend_on_the_rest_of_the_batch(backbone, prompt):
    with record(backbone, [prompt] * 3, SIZE) as batch:
        one_pass(backbone, 3)
    with record(backbone, [prompt], SIZE) as alone:
        one_pass(backbone)  # the first of the three
    assert torch.allclose(batch.class_maps(0), alone.class_maps(0), atol=1e-5)
    assert torch.allclose(batch.self_map(0), alone.self_map(0), atol=1e-5)


def test_non_square_sizes(backbone, prompt):
    size = (backbone.size_multiple * 3, backbone.size_multiple * 5)
    with record(backbone, [prompt], size) as attention:
        one_pass(backbone, size=size)
    height, width = attention.grid
    assert height / width == 3 / 5
    assert attention.class_maps(0).shape == (2, height, width)
    assert attention.self_map(0).shape == (height * width, height * width)


def test_the_timestep_window(backbone, prompt):
    whole = default_sampler(backbone)
    with record(backbone, [prompt], SIZE, timesteps=(0, 400)) as late, record(backbone, [prompt], SIZE) as every:
        sample(backbone, ["a dog"], [3], SamplerConfig(steps=4, guidance=whole.guidance))
    assert 0 < late.passes < every.passes == 4
    assert not torch.equal(late.class_maps(0), every.class_maps(0))


def test_maps_of_an_empty_recording_are_refused(backbone, prompt):
    with record(backbone, [prompt], SIZE, timesteps=(0, 1)) as attention:
        one_pass(backbone)
    with pytest.raises(ConfigError, match="nothing was recorded"):
        attention.class_maps(0)


def test_the_grids_are_chosen_from_the_model(backbone, sd15_folder: Path):
    stride, layers = recorded_layers(backbone, SIZE)
    assert stride == 8 and {layer.stride for layer in layers} == {8, 16}
    other = Backbone.load(sd15_folder, device="cpu")
    stride, layers = recorded_layers(other, (512, 512))  # the paper's 32 x 32 and 16 x 16
    assert stride == 16 and {layer.stride for layer in layers} == {16, 32}
    assert all(layer.name.startswith("unet.up.") for layer in layers)
    assert recorded_layers(other, (256, 256))[0] == 8 and recorded_layers(other, (768, 1024))[0] == 32


def test_xl_with_several_blocks_a_layer(sdxl_folder: Path):
    backbone = Backbone.load(sdxl_folder, device="cpu")
    latents = torch.randn(2, 4, 8, 8)
    evidence = read_evidence(backbone, latents, [["dog"], ["car", "dog"]], [1, 2], timesteps=(100,))
    assert len(evidence.attention.class_maps(1)) == 2 and evidence.explained[1].shape == (2,)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_half_precision_is_summed_in_single(generator_folder: Path, backbone, prompt, dtype):
    half = Backbone.load(generator_folder, device="cpu", dtype=dtype)
    with record(backbone, [prompt], SIZE) as whole:
        one_pass(backbone)
    with record(half, [class_prompt(half, prompt.names)], SIZE) as attention:
        one_pass(half)
    assert attention.self_map(0).dtype == attention.class_maps(0).dtype == torch.float32
    assert torch.allclose(attention.self_map(0), whole.self_map(0), atol=0.02)
    assert torch.allclose(attention.class_maps(0), whole.class_maps(0), atol=0.02)


def test_memory_at_the_shape_of_stable_diffusion():
    """The bar is 8 MB an image of 512 x 512: SD 1.5's recorded layers have 640 channels at 32², 1280 at 16²."""
    texts = ((torch.randn(77, 768), ((1,), (2, 3))),)
    attention = Attention([ClassPrompt(("a", "b"), texts)], (32, 32))
    layers = {
        640: (torch.randn(1, 1024, 640), Layer(640, heads=8, dim_head=80), (32, 32)),
        1280: (torch.randn(1, 256, 1280), Layer(1280, heads=8, dim_head=160), (16, 16)),
    }
    crossed = {width: Layer(width, cross_attention_dim=768, heads=8, dim_head=width // 8) for width in layers}
    with (
        torch.no_grad(),
        torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CPU], profile_memory=True) as seen,
    ):
        for width, (hidden, layer, grid) in layers.items():
            _class_hook(attention, grid, [True])(crossed[width], (hidden,), {})
            if width == 640:
                _self_hook(attention, [True])(layer, (hidden,), {})
    sizes = [
        (event.start_ns(), event.nbytes())
        for event in seen.profiler.kineto_results.events()
        if event.name() == "[memory]"
    ]
    held = highest = 0
    for _, size in sorted(sizes):
        held += size
        highest = max(highest, held)
    print(f"kept {held / 1e6:.2f} MB, at most {highest / 1e6:.2f} MB")
    assert 4.2e6 < held < 4.5e6, "what is kept: the self-attention map and two class maps"
    assert highest <= 8e6


def test_pairs_of_names_are_read_from_their_own_tokens(backbone):
    """A wrong token would give another class's map: each name's map in a list is nearest to its own alone."""
    for names in (
        ["aeroplane", "car"],
        ["hot dog", "pizza"],
        ["fire hydrant", "bench"],
        ["potted plant", "tv monitor"],
    ):
        listed = class_prompt(backbone, names)
        ((_, groups),) = listed.texts
        assert groups[0][-1] + 1 == groups[1][0] and groups[0][0] == 1, "side by side, none shared"
        tokens = backbone.pipe.tokenizer(" ".join(names))["input_ids"]
        for name, own in zip(names, groups, strict=True):
            said = backbone.pipe.tokenizer.decode([tokens[at] for at in own]).replace(" ", "")
            assert said == name.replace(" ", "")


def test_long_lists_take_several_texts(backbone):
    nouns = ("dining table", "potted plant", "tv monitor", "fire hydrant", "motorbike", "aeroplane", "sheep")
    names = [f"{colour} {noun}" for colour in ("red", "blue", "green", "white", "black") for noun in nouns]
    long = class_prompt(backbone, names)
    assert len(long.texts) > 1 and sum(len(groups) for _, groups in long.texts) == len(names)
    with record(backbone, [long], SIZE) as attention:
        one_pass(backbone)
    assert len(attention.class_maps(0)) == len(names)


def test_no_prompts_a_window_out_of_order_and_no_classes(backbone, prompt):
    with pytest.raises(ConfigError, match="attention: prompts"), record(backbone, [], SIZE):
        pass
    with pytest.raises(ConfigError, match="timesteps"), record(backbone, [prompt], SIZE, timesteps=(5, 1)):
        pass
    with pytest.raises(ConfigError, match="classes"):
        class_prompt(backbone, [])
