"""Labels without training: how good they are, whether absent classes are told apart, what each part is worth.

Truth is the judge's opinion of generated images. For presence every picture is also asked about classes that its prompt
does not name; a class counts as there or not by the judge alone.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
from torch import Tensor

from dataset_dm.annotators.attention import AttentionAnnotator, asked_of, words_of
from dataset_dm.annotators.base import Pictures
from dataset_dm.diffusion import (
    Attention,
    Backbone,
    ClassPrompt,
    Evidence,
    SamplerConfig,
    class_prompt,
    class_spans,
    explained,
    read_attention,
    record,
    sample,
    tokens_of,
)
from dataset_dm.engine.progress import bar
from dataset_dm.evaluation.figures import LabelFigures
from dataset_dm.evaluation.prompt_adherence import LEAST_SHARE
from dataset_dm.evaluation.sources import NAMES
from dataset_dm.labels.vocabulary import VOC_CLASSES
from dataset_dm.metrics.truth import Truth
from dataset_dm.miniature.judge import Judge
from dataset_dm.models.attention_settings import AttentionSettings

ABSENT = 2  # classes a picture that are asked for beside those its prompt names


@dataclass
class Presences:
    """Scores of classes asked for, and whether they are there."""

    scores: list[float] = field(default_factory=list)
    there: list[bool] = field(default_factory=list)

    def add(self, positions: Iterable[int], presence: np.ndarray, class_map: np.ndarray) -> None:
        """Count the classes asked for of one picture; one with a few stray pixels is neither there nor absent.

        Args:
            presence: score of every class [k].
            class_map: truth, uint8 [H W].
        """
        share = np.bincount(class_map.ravel(), minlength=len(NAMES))[1:] / class_map.size
        for position in positions:
            if share[position] == 0 or share[position] >= LEAST_SHARE:
                self.scores.append(float(presence[position]))
                self.there.append(bool(share[position] > 0))

    def curve(self) -> tuple[np.ndarray, np.ndarray]:
        """The ROC curve: share of absent and of present classes that score at least a threshold, from 0 to 1 each."""
        scores, there = np.asarray(self.scores), np.asarray(self.there, dtype=bool)
        cuts = np.unique(scores)[::-1]
        wrong = [0.0, *(float((scores[~there] >= cut).mean()) for cut in cuts)]
        right = [0.0, *(float((scores[there] >= cut).mean()) for cut in cuts)]
        return np.asarray(wrong), np.asarray(right)

    def auc(self) -> float:
        """Chance that a class that is there scores above one that is not, ties halved; NaN if either kind lacks."""
        if not any(self.there) or all(self.there):
            return float("nan")
        wrong, right = self.curve()
        return float(np.trapezoid(right, wrong)) if hasattr(np, "trapezoid") else float(np.trapz(right, wrong))


@dataclass(frozen=True, kw_only=True)
class Variant:
    """A way of reading labels out of attention.

    Args:
        name: as the table calls it.
        settings: of the annotator.
        appended: whether the images are drawn by prompts with the class names behind them.
        caption: whether the picture attends to the prompt, and a class is its tokens there, instead of the class names.
        drawing: noise levels (low, high) that are recorded while the image is drawn; None reads passes of its own.
    """

    name: str
    settings: AttentionSettings = field(default_factory=AttentionSettings)
    appended: bool = False
    caption: bool = False
    drawing: tuple[float, float] | None = None


def variants() -> tuple[Variant, ...]:
    """The ablation: each differs from the first, which is what is shipped, in one thing."""
    usual = AttentionSettings()

    def other(name: str, **values: object) -> Variant:
        return Variant(name=name, settings=replace(usual, **values))

    return (
        Variant(name="as shipped"),
        Variant(name="class names appended to prompts", appended=True),
        other("every class in a text of its own", together=False),
        Variant(name="tokens of the caption", caption=True),
        *(other(f"self-attention power {power}", power=power) for power in (0, 1, 4, 8) if power != usual.power),
        other("borders not fitted to the picture", edges=False),
        other("power 4, borders not fitted (the paper)", edges=False, power=4),
        *(other(f"passes at t = {', '.join(map(str, steps))}", timesteps=steps)
          for steps in ((50,), (200,), (300,), (500,), (100, 300), (100, 300, 500))),
        Variant(name="while drawing, all steps", drawing=(0.0, float("inf"))),
        Variant(name="while drawing, t ≤ 500", drawing=(0.0, 500.0)),
        Variant(name="while drawing, t ≤ 200", drawing=(0.0, 200.0)),
        other("thresholds 0.5 and 0.6 (the paper)", background=0.5, foreground=0.6),
        other("thresholds 0.4 and 0.5", background=0.4, foreground=0.5),
        other("thresholds 0.3 and 0.6", background=0.3, foreground=0.6),
        other("absent classes kept", presence=0.0),
    )  # fmt: skip


@dataclass
class Run:
    """Figures of one variant."""

    variant: Variant
    labels: LabelFigures = field(default_factory=lambda: LabelFigures(NAMES))

    def figures(self) -> dict[str, float]:
        """mIoU on every pixel, without void, void share and more; see `SemanticFigures`."""
        return self.labels.tasks["semantic"].figures()


def compare(
    backbone: Backbone,
    judge: Judge,
    batches: Iterable[Pictures],
    chosen: Sequence[Variant],
    count: int,
    sampler: SamplerConfig,
) -> list[Run]:
    """All variants on the same images, each asked about the classes that the prompt names.

    Args:
        batches: images of prompts that name a class each.
        sampler: how they were drawn, for variants that record while drawing.
    """
    runs = [Run(variant) for variant in chosen]
    with bar(count, "image", "images labelled") as progress:
        for pictures in batches:
            reading = Reading(backbone, pictures, sampler, [run.variant.drawing for run in runs])
            truths = [Truth(one) for one in judge.segment(pictures.images).cpu().numpy()]
            for run in runs:
                annotator = AttentionAnnotator(run.variant.settings)
                seen = annotator.seen(reading.evidence(run.variant), pictures, reading.asked, len(VOC_CLASSES))
                found = annotator.annotate(seen, VOC_CLASSES, reading.asked, keep_probability=True)
                for image, one, truth, prompt in zip(
                    pictures.images.numpy(), found, truths, pictures.prompts, strict=True
                ):
                    run.labels.add(image, one, truth, prompt)
            progress.update(len(pictures))
    return runs


class Reading:
    """Evidence of one batch in every way that is asked for; what two ways share is read once."""

    def __init__(
        self,
        backbone: Backbone,
        pictures: Pictures,
        sampler: SamplerConfig,
        windows: Sequence[tuple[float, float] | None] = (),
    ) -> None:
        self.backbone, self.pictures, self.sampler = backbone, pictures, sampler
        self.windows = {window for window in windows if window is not None}
        self.asked = asked_of(pictures, VOC_CLASSES)
        self.words = words_of(self.asked, VOC_CLASSES)
        self._read: dict[tuple[object, ...], Evidence] = {}

    def evidence(self, variant: Variant) -> Evidence:
        """What the variant's annotator is shown."""
        settings = variant.settings
        key = (settings.timesteps, settings.together, variant.caption)
        if key not in self._read:
            self._read[key] = self._passes(settings, variant.caption)
        read = self._read[key]
        return read if variant.drawing is None else replace(read, attention=self._drawn[variant.drawing])

    def _passes(self, settings: AttentionSettings, caption: bool) -> Evidence:
        pictures = self.pictures
        prompts = self._captions() if caption else self._prompts(settings.together)
        attention, passes = read_attention(
            self.backbone, pictures.latents, prompts, pictures.seeds, timesteps=settings.timesteps
        )
        for (steps, _, _), read in self._read.items():
            if steps == settings.timesteps:  # what naming explains does not hang on how attention is read
                return Evidence(attention, read.explained)
        return Evidence(attention, explained(self.backbone, passes, self.words))

    @cached_property
    def _drawn(self) -> dict[tuple[float, float], Attention]:
        """The same images drawn once more, recorded in all windows at once."""
        size, prompts = self.pictures.size, self._prompts(True)
        with ExitStack() as stack:
            read = {
                window: stack.enter_context(record(self.backbone, prompts, size, timesteps=window))
                for window in self.windows
            }
            sample(self.backbone, self.pictures.prompts, self.pictures.seeds, self.sampler, size)
        return read

    def _prompts(self, together: bool) -> list[ClassPrompt]:
        return [class_prompt(self.backbone, words, together=together) for words in self.words]

    def _captions(self) -> list[ClassPrompt]:
        """The picture's own prompt as its class prompt; a class that it does not mention is looked for by name."""
        return [self._caption(text, words) for text, words in zip(self.pictures.prompts, self.words, strict=True)]

    def _caption(self, text: str, words: list[str]) -> ClassPrompt:
        spans = class_spans(self.backbone, text, words)
        groups = tuple(tokens_of(spans, word) for word in words)
        if not all(groups):
            return class_prompt(self.backbone, words)
        states: Tensor = self.backbone.encode_text([text])[0]
        return ClassPrompt(tuple(words), ((states, groups),))


def with_absent(pictures: Pictures) -> Pictures:
    """The same pictures, also asked about ABSENT classes that their prompts do not name, drawn by their seeds."""

    def more(seed: int, named: Sequence[int]) -> list[int]:
        others = [position for position in range(len(VOC_CLASSES)) if position not in named]
        return sorted([*named, *random.Random(seed).sample(others, min(ABSENT, len(others)))])

    return replace(
        pictures, named=[more(*pair) if pair[1] else [] for pair in zip(pictures.seeds, pictures.named, strict=True)]
    )


def presences(
    backbone: Backbone, judge: Judge, batches: Iterable[Pictures], annotator: AttentionAnnotator, count: int
) -> tuple[Presences, Presences]:
    """Presence of all classes asked for, absent ones among them; and of those alone that the prompts name."""
    every, named = Presences(), Presences()
    with bar(count, "image", "presences read") as progress:
        for pictures in batches:
            asked = with_absent(pictures)
            seen = annotator.look(backbone, asked, VOC_CLASSES)
            truth = judge.segment(pictures.images).cpu().numpy()
            for row, one in enumerate(annotator.annotate(seen, VOC_CLASSES)):
                every.add(seen[row].asked, one.presence, truth[row])
                named.add(pictures.named[row], one.presence, truth[row])
            progress.update(len(pictures))
    return every, named


def naming(batches: Iterable[Pictures]) -> Iterator[Pictures]:
    """Batches without the pictures whose prompt names no class: there is nothing to ask about."""
    for pictures in batches:
        rows = [row for row, named in enumerate(pictures.named) if named]
        if rows:
            yield Pictures(
                images=pictures.images[rows],
                prompts=[pictures.prompts[row] for row in rows],
                seeds=[pictures.seeds[row] for row in rows],
                named=[pictures.named[row] for row in rows],
                latents=None if pictures.latents is None else pictures.latents[rows],
            )
