"""`dataset_dm/voc_synth`: generated images with class masks, objects or all labels, in the manner of PASCAL VOC."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, ClassVar

from dataset_dm.builders._base import SynthBuilder, SynthConfig, configs
from dataset_dm.plan.generation_plan import GenerationPlan
from dataset_dm.plan.resolve import DEFAULTS
from dataset_dm.training.scarce_configs import ARGUMENTS, resolve_config


@dataclass
class VocSynthConfig(SynthConfig):
    """See SynthConfig."""

    dataset: ClassVar[str] = "voc_synth"


@dataclass
class ScarceConfig(VocSynthConfig):
    """Labelled by a decoder that is trained when it is first needed, unless `annotator=` is given.

    labelled: the images to train it on ("miniature", a folder, a Hub id), num_labelled: the first so many of them;
    training: settings of the decoder's training (`TrainConfig`) such as {"steps": 400}.
    """

    labelled: Any = None
    num_labelled: Any = None
    training: Any = None

    def plan(self) -> GenerationPlan:
        """As for any config; a decoder that does not exist yet is registered and trained later."""
        known = {entry.name for entry in fields(self)} & {*DEFAULTS, *ARGUMENTS[self.name]}
        return resolve_config(self.recipe(), {name: getattr(self, name) for name in known})


@dataclass
class ZeroShotConfig(ScarceConfig):
    """The decoder never sees a label of the classes `unseen`, and finds them by their words."""

    unseen: Any = None


@dataclass
class LongTailConfig(ScarceConfig):
    """The decoder sees `imbalance` times more labelled images of the first class than of the last.

    rebalance: False draws all classes equally often; else the rarer a class, the more prompts it leads.
    """

    imbalance: Any = None
    rebalance: Any = None


class VocSynth(SynthBuilder):
    """Text in, labelled images out; `num_images=`, `classes=`, `prompts=`, `generator=` … decide which.

    >>> VocSynth(num_images=16).download_and_prepare()  # doctest: +SKIP
    >>> VocSynth(config_name="zero_shot", unseen=["sheep", "sofa"]).download_and_prepare()  # doctest: +SKIP
    """

    BUILDER_CONFIG_CLASS = VocSynthConfig
    BUILDER_CONFIGS = configs(VocSynthConfig, zero_shot=ZeroShotConfig, long_tail=LongTailConfig)
    DEFAULT_CONFIG_NAME = BUILDER_CONFIGS[0].name
