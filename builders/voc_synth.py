"""`dataset_dm/voc_synth`: generated images with class masks in the manner of PASCAL VOC."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from dataset_dm.builders._base import SynthBuilder, SynthConfig, configs


@dataclass
class VocSynthConfig(SynthConfig):
    """See SynthConfig."""

    dataset: ClassVar[str] = "voc_synth"


class VocSynth(SynthBuilder):
    """Text in, images with class masks out; `num_images=`, `classes=`, `prompts=`, `generator=` … decide which.

    >>> VocSynth(num_images=16).download_and_prepare()  # doctest: +SKIP
    """

    BUILDER_CONFIG_CLASS = VocSynthConfig
    BUILDER_CONFIGS = configs(VocSynthConfig)
    DEFAULT_CONFIG_NAME = BUILDER_CONFIGS[0].name
