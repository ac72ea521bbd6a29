"""The only room that knows diffusers: the frozen generator, how it draws, and how its inner maps are read."""

from .backbone import Backbone
from .choice import DEFAULT_TIMESTEP, default_attention, default_levels, feature_spec, megabytes
from .class_text import ClassText
from .noise import labelling_seed
from .noising import add_noise, decode_latents, encode_images, read_features, to_pixels
from .sampler import SamplerConfig, Samples, default_sampler, sample, to_uint8
from .schedulers import scheduler_names
from .taps import TapRequest, Taps, tap

__all__ = [
    "DEFAULT_TIMESTEP",
    "Backbone",
    "ClassText",
    "SamplerConfig",
    "Samples",
    "TapRequest",
    "Taps",
    "add_noise",
    "decode_latents",
    "default_attention",
    "default_levels",
    "default_sampler",
    "encode_images",
    "feature_spec",
    "labelling_seed",
    "megabytes",
    "read_features",
    "sample",
    "scheduler_names",
    "tap",
    "to_pixels",
    "to_uint8",
]
