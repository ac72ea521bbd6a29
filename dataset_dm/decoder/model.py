"""P-Decoder: generator maps in, raw predictions of every built task out."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace

import torch
from jaxtyping import Bool
from torch import Tensor, nn

from dataset_dm.decoder.checkpoint import PretrainedDecoder
from dataset_dm.decoder.config import PDecoderConfig
from dataset_dm.decoder.depth_head import DepthHead, DepthOutput
from dataset_dm.decoder.evidence import EVIDENCE_STRIDE, ClassEvidence, hide_words, standardise_text
from dataset_dm.decoder.instance_head import InstanceHead, InstanceOutput
from dataset_dm.decoder.pixel_decoder import PixelDecoder
from dataset_dm.decoder.pose_head import PoseHead, PoseOutput
from dataset_dm.decoder.semantic_head import SemanticHead, SemanticOutput
from dataset_dm.decoder.trunk import SceneTrunk
from dataset_dm.errors import AnnotatorMismatch
from dataset_dm.hypercolumns import Features, FeatureSpec
from dataset_dm.labels.tasks import DEPTH, INSTANCE, POSE, SEMANTIC


@dataclass(frozen=True)
class DecoderOutput:
    """Raw predictions, not yet calibrated; None for a task without a head.

    Args:
        semantic, instance, depth, pose: see the heads.
    """

    semantic: SemanticOutput | None = None
    instance: InstanceOutput | None = None
    depth: DepthOutput | None = None
    pose: PoseOutput | None = None


class PDecoder(nn.Module, PretrainedDecoder):
    """Shared fused maps and class evidence, heads by task.

    Args:
        config: shape of the net.

    Example:
        >>> decoder = PDecoder.from_pretrained("decoder/")              # doctest: +SKIP
        >>> decoder(features).semantic.logits.argmax(1)                 # doctest: +SKIP
    """

    def __init__(self, config: PDecoderConfig) -> None:
        super().__init__()
        self.config = config
        built = set(config.tasks)
        speaks_of_classes = bool(built & {SEMANTIC.name, INSTANCE.name})
        self.pixel_decoder = PixelDecoder(config)
        self.evidence = ClassEvidence(config) if speaks_of_classes else None
        self.trunk = SceneTrunk(config) if INSTANCE.name in built else None
        self.semantic_head = SemanticHead(config) if SEMANTIC.name in built else None
        self.instance_head = InstanceHead(config) if INSTANCE.name in built else None
        self.depth_head = DepthHead(config) if DEPTH.name in built else None
        self.pose_head = PoseHead(config) if POSE.name in built else None

    def forward(
        self, features: Features, tasks: Collection[str] | None = None, known: Bool[Tensor, " k"] | None = None
    ) -> DecoderOutput:
        """Labels every class of ``features.class_text``; in eval mode a pure function of each image.

        Args:
            tasks: the heads to run; default all. Shared maps are computed once.
            known: bool [k], False for a class whose words this decoder was not trained on: the heads do not see
                them, so that the class is recognised from its evidence alone. Default: all True.

        Raises:
            ValueError: a task without a head.
        """
        wanted = set(self.config.tasks if tasks is None else tasks)
        if missing := sorted(wanted - set(self.config.tasks)):
            raise ValueError(f"decoder: no head for {missing[0]!r}, it has {', '.join(self.config.tasks)}")
        fused = self.pixel_decoder(features)
        scene = self.trunk(fused) if wanted & {INSTANCE.name, POSE.name} else None
        depth = self.depth_head(fused) if DEPTH.name in wanted else None
        pose = self.pose_head(scene, fused) if POSE.name in wanted else None
        if not wanted & {SEMANTIC.name, INSTANCE.name}:
            return DecoderOutput(depth=depth, pose=pose)
        text = standardise_text(features.class_text)
        if known is not None:
            text = text * known.to(text)[:, None]
        if self.training and self.config.text_dropout:
            text = hide_words(text, self.config.text_dropout)
        evidence = self.evidence(fused[EVIDENCE_STRIDE], text, features)
        semantic = self.semantic_head(fused, evidence, text) if SEMANTIC.name in wanted else None
        instance = self.instance_head(scene, fused, evidence, text) if INSTANCE.name in wanted else None
        return DecoderOutput(semantic, instance, depth, pose)

    @torch.no_grad()
    def fit_scaling(self, features: Features) -> None:
        """Measures the scale of the generator's maps; called once, on training features, before the first step."""
        self.pixel_decoder.fit(features)
        if self.evidence is not None:
            self.evidence.fit(features)

    def check(self, spec: FeatureSpec) -> None:
        """AnnotatorMismatch, naming both sides, if features of ``spec`` are not what it was trained on."""
        if wrong := self.config.spec.mismatch(spec):
            raise AnnotatorMismatch(
                f"this decoder was trained on other features than the generator gives: {wrong}; "
                "take the generator it was trained for or train a decoder for this one"
            )

    def configured(self, **changes: object) -> PDecoder:
        """This decoder with a config changed in place, in calibration or record only (not in sizes)."""
        self.config = replace(self.config, **changes)
        return self
