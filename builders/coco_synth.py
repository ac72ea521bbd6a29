"""`dataset_dm/coco_synth`: generated images with objects, keypoints or all labels, in the manner of COCO."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from dataset_dm.builders._base import SynthBuilder, SynthConfig, configs


@dataclass
class CocoSynthConfig(SynthConfig):
    """See SynthConfig."""

    dataset: ClassVar[str] = "coco_synth"


class CocoSynth(SynthBuilder):
    """COCO's 80 classes are the label space; the embedded generator is prompted with the 20 of them that it can draw.

    >>> CocoSynth(num_images=16).download_and_prepare()  # doctest: +SKIP
    """

    BUILDER_CONFIG_CLASS = CocoSynthConfig
    BUILDER_CONFIGS = configs(CocoSynthConfig)
    DEFAULT_CONFIG_NAME = BUILDER_CONFIGS[0].name
