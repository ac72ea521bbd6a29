"""`dataset_dm/nyu_synth`: generated indoor images with depth or all labels, in the manner of NYU Depth."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from dataset_dm.builders._base import SynthBuilder, SynthConfig, configs


@dataclass
class NyuSynthConfig(SynthConfig):
    """See SynthConfig."""

    dataset: ClassVar[str] = "nyu_synth"


class NyuSynth(SynthBuilder):
    """Every prompt says that it is indoors.

    >>> NyuSynth(num_images=16).download_and_prepare()  # doctest: +SKIP
    """

    BUILDER_CONFIG_CLASS = NyuSynthConfig
    BUILDER_CONFIGS = configs(NyuSynthConfig)
    DEFAULT_CONFIG_NAME = BUILDER_CONFIGS[0].name
