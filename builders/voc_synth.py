"""`dataset_dm/voc_synth`: generated images with class masks, objects or all labels, in the manner of PASCAL VOC."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from dataset_dm.arguments.declare import with_arguments
from dataset_dm.arguments.table import SetArguments
from dataset_dm.builders._base import SynthBuilder, SynthConfig, configs
from dataset_dm.plan.generation_plan import GenerationPlan
from dataset_dm.training.scarce_arguments import TABLES, LongTailArguments, ZeroShotArguments
from dataset_dm.training.scarce_configs import resolve_config


@dataclass
class VocSynthConfig(SynthConfig):
    """See SynthConfig."""

    dataset: ClassVar[str] = "voc_synth"


@dataclass
class ScarceConfig(VocSynthConfig):
    """Annotated by a decoder that is trained when it is first needed, unless `annotator=` is given."""

    def resolve(self) -> GenerationPlan:
        """As for any config; a decoder that does not exist yet is registered and trained later."""
        return resolve_config(self.recipe(), self.asked(SetArguments, TABLES[self.name]))


@dataclass
@with_arguments(of=(ZeroShotArguments,), default=None)
class ZeroShotConfig(ScarceConfig):
    """The decoder is trained without the classes `unseen`, and predicts them by their words."""


@dataclass
@with_arguments(of=(LongTailArguments,), default=None)
class LongTailConfig(ScarceConfig):
    """The decoder is trained on `imbalance` times more labelled images of the first class than of the last.

    rebalance: False draws all classes equally often; else the rarer a class, the more prompts it leads.
    """


class VocSynth(SynthBuilder):
    """Text in, labelled images out; `num_images=`, `classes=`, `prompts=`, `generator=` … decide which.

    >>> VocSynth(num_images=16).download_and_prepare()  # doctest: +SKIP
    >>> VocSynth(config_name="zero_shot", unseen=["sheep", "sofa"]).download_and_prepare()  # doctest: +SKIP
    """

    BUILDER_CONFIG_CLASS = VocSynthConfig
    BUILDER_CONFIGS = configs(VocSynthConfig, zero_shot=ZeroShotConfig, long_tail=LongTailConfig)
    DEFAULT_CONFIG_NAME = BUILDER_CONFIGS[0].name
