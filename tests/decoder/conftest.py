"""Features of a made-up generator with the shapes of a real one, small enough for many passes a second."""

import pytest
import torch

from dataset_dm.decoder import PDecoder, PDecoderConfig, Targets
from dataset_dm.hypercolumns import Features, FeatureSpec, Level
from dataset_dm.labels.tasks import TASKS

LEVELS = (
    Level("unet.a", "unet", 12, 8),
    Level("unet.b", "unet", 16, 16),
    Level("unet.c", "unet", 16, 32),
    Level("vae.a", "vae", 12, 8),
    Level("vae.b", "vae", 8, 4),
    Level("vae.c", "vae", 6, 2),
    Level("vae.d", "vae", 4, 1),
    Level("image", "image", 3, 1),
)
SPEC = FeatureSpec(
    generator="0" * 16,
    levels=LEVELS,
    attention=("unet.x", "unet.y"),
    attention_heads=4,
    text_width=10,
    timestep=20,
    native_size=(64, 64),
)


def make_features(batch: int = 2, classes: int = 5, seed: int = 0, size: tuple[int, int] = (64, 64)) -> Features:
    draw = torch.Generator().manual_seed(seed)
    height, width = size
    levels = {
        level.name: torch.randn(batch, level.channels, height // level.stride, width // level.stride, generator=draw)
        for level in LEVELS
    }
    attention = torch.randn(batch, classes, 4, height // 8, width // 8, generator=draw)
    return Features(levels, attention, torch.randn(classes, 10, generator=draw), SPEC)


def make_targets(batch: int = 2) -> Targets:
    """A person (class 2) with five labelled joints, an object (class 4), and depth that rises to the right."""
    labels = torch.zeros(batch, 64, 64, dtype=torch.long)
    labels[:, 8:40, 8:24], labels[:, 24:48, 32:56] = 2, 4
    points = torch.zeros(2, 17, 3)
    points[0, :5] = torch.tensor([[16.0, 10.0, 2.0], [12, 14, 2], [20, 14, 1], [12, 30, 2], [20, 30, 2]])
    depth = torch.linspace(1, 5, 64).expand(batch, 64, 64).clone()
    numbers = torch.where(labels == 2, 1, torch.where(labels == 4, 2, 0))
    return Targets(
        labels=labels,
        instances=numbers,
        classes=tuple(torch.tensor([2, 4]) for _ in range(batch)),
        keypoints=tuple(points.clone() for _ in range(batch)),
        depth=depth,
    )


def make_decoder(**changes: object) -> PDecoder:
    """Every weight random, so that no part is at rest (some start as zero)."""
    settings = {"spec": SPEC, "classes": tuple("abcde"), "tasks": tuple(TASKS), "width": 32, "finest_width": 8}
    settings |= {"instance_width": 32}
    torch.manual_seed(0)
    decoder = PDecoder(PDecoderConfig(**{**settings, **changes}))
    with torch.no_grad():
        for parameter in decoder.parameters():
            if not parameter.any():
                parameter.normal_(std=0.1)
    return decoder.eval()


@pytest.fixture
def features() -> Features:
    return make_features()


@pytest.fixture
def decoder() -> PDecoder:
    return make_decoder()
