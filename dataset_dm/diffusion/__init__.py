"""The frozen generator: sampling and reading its inner maps. The only room that imports diffusers and peft."""

from dataset_dm.diffusion.attention import Attention, ClassPrompt, class_prompt, record, recorded_layers
from dataset_dm.diffusion.backbone import Backbone
from dataset_dm.diffusion.class_presence import Evidence, explained, read_attention, read_evidence
from dataset_dm.diffusion.class_text import ClassText, encode_classes
from dataset_dm.diffusion.default_features import DEFAULT_TIMESTEP, default_attention, default_levels, feature_spec
from dataset_dm.diffusion.features import add_noise, decode_latents, encode_images, read_features, to_pixels
from dataset_dm.diffusion.noise import labelling_seed
from dataset_dm.diffusion.sampler import SamplerConfig, Samples, default_sampler, sample, to_uint8
from dataset_dm.diffusion.schedulers import scheduler_names
from dataset_dm.diffusion.spans import class_spans, tokens_of
from dataset_dm.diffusion.taps import TapRequest, Taps, tap

__all__ = [
    "DEFAULT_TIMESTEP",
    "Attention",
    "Backbone",
    "ClassPrompt",
    "ClassText",
    "Evidence",
    "SamplerConfig",
    "Samples",
    "TapRequest",
    "Taps",
    "add_noise",
    "class_prompt",
    "class_spans",
    "decode_latents",
    "default_attention",
    "default_levels",
    "default_sampler",
    "encode_classes",
    "encode_images",
    "explained",
    "feature_spec",
    "labelling_seed",
    "read_attention",
    "read_evidence",
    "read_features",
    "record",
    "recorded_layers",
    "sample",
    "scheduler_names",
    "tap",
    "to_pixels",
    "to_uint8",
    "tokens_of",
]
