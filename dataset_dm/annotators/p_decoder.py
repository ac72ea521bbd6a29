"""The trained labeller: a P-Decoder checkpoint behind the Annotator protocol."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from dataset_dm.annotators.base import Pictures
from dataset_dm.annotators.decoder_labels import read_labels
from dataset_dm.decoder import PDecoder
from dataset_dm.decoder.checkpoint import checkpoint_hash
from dataset_dm.diffusion import Backbone, encode_classes, read_features
from dataset_dm.errors import AnnotatorMismatch, explain
from dataset_dm.hypercolumns import Features, FeatureSpec
from dataset_dm.labels.classes import class_words, wordings
from dataset_dm.labels.records import Annotation
from dataset_dm.labels.tasks import INSTANCE, POSE, SEMANTIC
from dataset_dm.models.device import resolve_device
from dataset_dm.models.embedded import locate

UNASKED = 0.02


class PDecoderAnnotator:
    """Labels all requested classes by their words.

    Args:
        decoder: a trained decoder, in eval mode.
        name, fingerprint: what opens it again, and the hash of its files.
        unasked: prior odds of a class that the prompt does not name against one that it names (see
            `postprocess.semantic.restrict`); a prompt that names none may show any.
    """

    def __init__(self, decoder: PDecoder, *, name: str, fingerprint: str, unasked: float = UNASKED) -> None:
        self.decoder = decoder.eval()
        self.name, self.fingerprint, self.unasked = name, fingerprint, unasked

    @classmethod
    def load(cls, source: str, *, device: str = "auto", unasked: float = UNASKED) -> PDecoderAnnotator:
        """From "miniature", a folder or a Hub id with an optional ``@revision``; ModelError if there is none."""
        folder = locate(str(source), "decoder")
        decoder = PDecoder.from_pretrained(folder, device=resolve_device(device))
        return cls(decoder, name=str(source), fingerprint=checkpoint_hash(folder), unasked=unasked)

    @property
    def classes(self) -> tuple[str, ...]:
        """The class words it was trained on."""
        return self.decoder.config.classes

    @property
    def spec(self) -> FeatureSpec:
        """The maps it needs."""
        return self.decoder.config.spec

    @property
    def levels(self) -> tuple[str, ...]:
        """The VAE-decoder maps it needs."""
        return self.spec.names("vae")

    @property
    def tasks(self) -> tuple[str, ...]:
        """The kinds of label it reads."""
        return self.decoder.config.tasks

    def check(self, spec: FeatureSpec) -> None:
        """AnnotatorMismatch, naming both sides, when the generator gives other features than it was trained on."""
        self.decoder.check(spec)

    def check_generator(self, fingerprint: str, name: str) -> None:
        """The same for the generator's hash alone, before anything is computed."""
        if fingerprint != self.spec.generator:
            what = f"annotator {self.name!r}: it was trained for the generator with hash {self.spec.generator}"
            remedy = "take that generator, or train a decoder for this one with `dataset-dm train --generator …`"
            raise AnnotatorMismatch(explain(what, got=f"{name} with hash {fingerprint}", remedy=remedy))

    def known(self, classes: Sequence[str]) -> torch.Tensor:
        """Which of these classes the decoder was trained on, in any wording: bool [k]."""
        trained = {word for names in wordings(self.classes) for word in names}
        return torch.tensor([any(names[i] in trained for names in wordings(classes)) for i in range(len(classes))])

    def look(self, backbone: Backbone, pictures: Pictures, classes: Sequence[str]) -> Features:
        """The labelling pass: one UNet pass on the noised latents, told the prompt where that names a class."""
        return read_features(
            backbone,
            pictures.encoded(backbone).latents,
            pictures.prompts,
            encode_classes(backbone, class_words(classes)),
            self.spec,
            pictures.seeds,
            vae_levels=pictures.levels,
            images=pictures.images,
            unprompted=[not positions for positions in pictures.named],
        )

    @torch.inference_mode()
    def annotate(
        self,
        seen: Features,
        classes: Sequence[str],
        requested: Sequence[Sequence[int]] | None = None,
        size: tuple[int, int] | None = None,
        *,
        tasks: Sequence[str] | None = None,
        keep_probability: bool = False,
    ) -> list[Annotation]:
        """One annotation an image; see :class:`dataset_dm.annotators.base.Annotator`.

        Args:
            keep_probability: also keep the probability of every pixel's class.
        """
        self.check(seen.spec)
        if seen.class_text.shape[0] != len(classes):
            what = f"features hold {seen.class_text.shape[0]} classes, the list has {len(classes)}"
            raise ValueError(f"{what}; read them with the same list")
        device = next(self.decoder.parameters()).device
        wanted = set(self.tasks if tasks is None else tasks)
        wanted |= {INSTANCE.name} if POSE.name in wanted else set()  # poses belong to people found
        # a class map is made to agree with the instances found, whether or not instances are requested
        heads = wanted | ({INSTANCE.name} & set(self.tasks) if SEMANTIC.name in wanted else set())
        output = self.decoder(seen.to(device, torch.float32), heads, self.known(classes))
        size = seen.image_size if size is None else tuple(size)
        return read_labels(
            output,
            self.decoder.config,
            classes,
            requested,
            size,
            tasks=wanted,
            unasked=self.unasked,
            keep_probability=keep_probability,
        )
