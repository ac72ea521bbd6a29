"""The trained annotator: a P-Decoder checkpoint behind the Annotator protocol."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import torch
from jaxtyping import Bool

from dataset_dm.annotators.base import required
from dataset_dm.annotators.decoder_labels import read_labels
from dataset_dm.annotators.request import AnnotationRequest, reading_of
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

    needs_generator = True

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

    def known(self, classes: Sequence[str]) -> Bool[torch.Tensor, " k"]:
        """Which of these classes the decoder was trained on, in any wording."""
        trained = {word for names in wordings(self.classes) for word in names}
        return torch.tensor([any(names[i] in trained for names in wordings(classes)) for i in range(len(classes))])

    def read(self, request: AnnotationRequest, backbone: Backbone | None) -> AnnotationRequest:
        """One UNet pass over the noised latents, prompted where the prompt names a class."""
        backbone = required(backbone, self.name)
        batch = request.batch.encoded(backbone)
        features = read_features(
            backbone,
            batch.latents,
            batch.prompts,
            encode_classes(backbone, class_words(request.classes)),
            self.spec,
            batch.seeds,
            vae_levels=batch.levels,
            images=batch.images,
            unprompted=[not positions for positions in batch.named],
        )
        return replace(request, batch=batch, reading=features)

    @torch.inference_mode()
    def annotate(self, request: AnnotationRequest) -> list[Annotation]:
        """One annotation an image, of the features in `request.reading` alone; see `base.Annotator`."""
        features, classes = reading_of(request, Features, self.name), request.classes
        self.check(features.spec)
        if features.class_text.shape[0] != len(classes):
            what = f"features hold {features.class_text.shape[0]} classes, the list has {len(classes)}"
            raise ValueError(f"{what}; read them with the same list")
        device = next(self.decoder.parameters()).device
        wanted = set(self.tasks if request.tasks is None else request.tasks)
        wanted |= {INSTANCE.name} if POSE.name in wanted else set()  # poses belong to the people found
        # class maps are made to agree with the instances found, whether or not these are asked for
        heads = wanted | ({INSTANCE.name} & set(self.tasks) if SEMANTIC.name in wanted else set())
        output = self.decoder(features.to(device, torch.float32), heads, self.known(classes))
        return read_labels(
            output,
            self.decoder.config,
            classes,
            request.requested,
            features.image_size if request.size is None else request.size,
            tasks=wanted,
            unasked=self.unasked,
            keep_probability=request.keep_probability,
        )
