"""What each part of the annotator "attention" is worth: `python -m tests.benchmarks.attention_ablation`.

Every variant differs from the first in one setting and is read from the same generated images; truth is the judge.
"""

from __future__ import annotations

import argparse
import shlex
import sys
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from pathlib import Path
from statistics import fmean

from torch import Tensor

from dataset_dm.annotators.attention import AttentionAnnotator, asked_of, words_of
from dataset_dm.annotators.request import AnnotationRequest, ImageBatch
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
from dataset_dm.evaluation.attention import Batches, naming
from dataset_dm.evaluation.options import add_options, count, open_backbone, open_judge, plan_of
from dataset_dm.evaluation.outcome import Outcome, check_folder, deliver
from dataset_dm.evaluation.sources import NAMES, stored
from dataset_dm.labels.vocabulary import VOC_CLASSES
from dataset_dm.metrics import plots
from dataset_dm.metrics.figures import LabelFigures
from dataset_dm.metrics.report import Report, Table
from dataset_dm.metrics.truth import Truth
from dataset_dm.miniature.judge import Judge
from dataset_dm.models.attention_settings import AttentionSettings
from tests.benchmarks.choice import chosen


@dataclass(frozen=True, kw_only=True)
class Variant:
    """A way of reading labels out of attention.

    Args:
        name: as the table calls it.
        settings: of the annotator.
        appended: whether the images are drawn by prompts with the class names behind them.
        caption: whether the image attends to the prompt, and a class is its tokens there, instead of the class names.
        drawing: noise levels (low, high) that are recorded while the image is drawn; None reads passes of its own.
    """

    name: str
    settings: AttentionSettings = field(default_factory=AttentionSettings)
    appended: bool = False
    caption: bool = False
    drawing: tuple[float, float] | None = None


def variants() -> tuple[Variant, ...]:
    """The ablation: each differs from the first, which is what is shipped, in one setting."""
    usual = AttentionSettings()

    def other(name: str, **values: object) -> Variant:
        return Variant(name=name, settings=replace(usual, **values))

    return (
        Variant(name="as shipped"),
        Variant(name="class names appended to prompts", appended=True),
        other("every class in a text of its own", together=False),
        Variant(name="tokens of the caption", caption=True),
        *(other(f"self-attention power {power}", power=power) for power in (0, 1, 4, 8) if power != usual.power),
        other("borders not fitted to the image", edges=False),
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
    batches: Iterable[ImageBatch],
    wanted: Sequence[Variant],
    count: int,
    sampler: SamplerConfig,
) -> list[Run]:
    """All variants on the same images, each asked about the classes that the prompt names.

    Args:
        batches: images of prompts that name a class each.
        sampler: how they were drawn, for variants that record while drawing.
    """
    runs = [Run(variant) for variant in wanted]
    with bar(count, "image", "images labelled") as progress:
        for batch in batches:
            reading = Reading(backbone, batch, sampler, [run.variant.drawing for run in runs])
            truths = [Truth(one) for one in judge.segment(batch.images).cpu().numpy()]
            for run in runs:
                annotator = AttentionAnnotator(run.variant.settings)
                read = annotator.reading(reading.evidence(run.variant), batch, reading.asked, len(VOC_CLASSES))
                found = annotator.annotate(
                    AnnotationRequest(batch=batch, classes=VOC_CLASSES, keep_probability=True, reading=read)
                )
                for image, one, truth, prompt in zip(batch.images.numpy(), found, truths, batch.prompts, strict=True):
                    run.labels.add(image, one, truth, prompt)
            progress.update(len(batch))
    return runs


class Reading:
    """Evidence of one batch for every variant; what two variants share is read once."""

    def __init__(
        self,
        backbone: Backbone,
        batch: ImageBatch,
        sampler: SamplerConfig,
        windows: Sequence[tuple[float, float] | None] = (),
    ) -> None:
        self.backbone, self.batch, self.sampler = backbone, batch, sampler
        self.windows = {window for window in windows if window is not None}
        self.asked = asked_of(batch, VOC_CLASSES)
        self.words = words_of(self.asked, VOC_CLASSES)
        self._read: dict[tuple[object, ...], Evidence] = {}

    def evidence(self, variant: Variant) -> Evidence:
        """The evidence that the variant's annotator reads."""
        settings = variant.settings
        key = (settings.timesteps, settings.together, variant.caption)
        if key not in self._read:
            self._read[key] = self._passes(settings, variant.caption)
        read = self._read[key]
        return read if variant.drawing is None else replace(read, attention=self._drawn[variant.drawing])

    def _passes(self, settings: AttentionSettings, caption: bool) -> Evidence:
        batch = self.batch
        prompts = self._captions() if caption else self._prompts(settings.together)
        attention, passes = read_attention(
            self.backbone, batch.latents, prompts, batch.seeds, timesteps=settings.timesteps
        )
        for (steps, _, _), read in self._read.items():
            if steps == settings.timesteps:  # what naming explains does not depend on how attention is read
                return Evidence(attention, read.explained)
        return Evidence(attention, explained(self.backbone, passes, self.words))

    @cached_property
    def _drawn(self) -> dict[tuple[float, float], Attention]:
        """The same images generated once more, recorded in all windows at once."""
        size, prompts = self.batch.size, self._prompts(True)
        with ExitStack() as stack:
            read = {
                window: stack.enter_context(record(self.backbone, prompts, size, timesteps=window))
                for window in self.windows
            }
            sample(self.backbone, self.batch.prompts, self.batch.seeds, self.sampler, size)
        return read

    def _prompts(self, together: bool) -> list[ClassPrompt]:
        return [class_prompt(self.backbone, words, together=together) for words in self.words]

    def _captions(self) -> list[ClassPrompt]:
        """The image's own prompt as its class prompt; a class that it does not mention is looked for by name."""
        return [self._caption(text, words) for text, words in zip(self.batch.prompts, self.words, strict=True)]

    def _caption(self, text: str, words: list[str]) -> ClassPrompt:
        spans = class_spans(self.backbone, text, words)
        groups = tuple(tokens_of(spans, word) for word in words)
        if not all(groups):
            return class_prompt(self.backbone, words)
        states: Tensor = self.backbone.encode_text([text])[0]
        return ClassPrompt(tuple(words), ((states, groups),))


def measure_attention_ablation(
    backbone: Backbone,
    judge: Judge,
    plain: Sequence[Batches],
    appended: Sequence[Batches],
    count: int,
    sampler: SamplerConfig,
    variants: Sequence[Variant],
) -> Outcome:
    """One row a variant; those with appended prompts on the images that these draw.

    Args:
        plain, appended: the images of every seed; figures are means over the seeds.
        count: images a seed.
    """
    runs: dict[str, list[Run]] = {variant.name: [] for variant in variants}
    for seeds, drawn_so in ((plain, False), (appended, True)):
        wanted = [variant for variant in variants if variant.appended == drawn_so]
        for batches in seeds if wanted else ():
            for run in compare(backbone, judge, naming(batches()), wanted, count, sampler):
                runs[run.variant.name].append(run)
    ordered = list(runs.values())
    report = Report("attention-ablation", "")
    for several in ordered:
        name = several[0].variant.name
        report.figures.update({f"{name}: {key}": _mean(several, key) for key in _COLUMNS})
    report.tables.append(_table(ordered))
    report.notes += [
        "Every row differs from the first in one setting; the same images, but for those of appended prompts.",
        "Truth is the judge; mIoU counts every pixel. Means over the seeds; the gain over the first row is given for "
        "the worst and the best seed too.",
    ]
    return Outcome(report, plots={"ablation.png": partial(plot_ablation, ordered)})


_COLUMNS = {"miou": "mIoU", "miou_without_void": "mIoU, void left out", "void_share": "void share", "boundary_f": "F"}


def _table(runs: Sequence[Sequence[Run]]) -> Table:
    """One row a variant; `runs` has the runs of every seed of each."""
    rows: list[list[str | float | int | None]] = []
    for several in runs:
        gains = _gains(several, runs[0])
        figures = [_mean(several, key) for key in _COLUMNS]
        images = sum(run.labels.images for run in several)
        rows.append([several[0].variant.name, figures[0], fmean(gains), min(gains), max(gains), *figures[1:], images])
    miou, *others = _COLUMNS.values()
    columns = ["variant", miou, "gain", "worst seed", "best seed", *others, "images"]
    return Table("labels from attention, one setting at a time", columns, rows)


def _mean(runs: Sequence[Run], key: str) -> float:
    return fmean(run.figures()[key] for run in runs)


def _gains(runs: Sequence[Run], first: Sequence[Run]) -> list[float]:
    """mIoU over that of the first variant, seed by seed: the same images, so that these do not count."""
    return [one.figures()["miou"] - other.figures()["miou"] for one, other in zip(runs, first, strict=True)]


def plot_ablation(runs: Sequence[Sequence[Run]], path: Path) -> None:
    """Draw one bar a variant, mIoU on every pixel, and write a PNG to `path`; a dot a seed, a line marks the first."""
    drawn = plots.figure(7.5, 0.7 + 0.3 * len(runs))
    axes = drawn.subplots()
    scores = [100 * _mean(several, "miou") for several in runs]
    axes.barh(range(len(runs)), scores, color=[plots.RED, *[plots.BLUE] * (len(runs) - 1)])
    for place, (score, several) in enumerate(zip(scores, runs, strict=True)):
        seeds = [100 * run.figures()["miou"] for run in several]
        axes.scatter(seeds, [place] * len(seeds), s=9, color=plots.INK, zorder=3)
        axes.text(max(seeds) + 0.8, place, f"{score:.1f}", va="center", fontsize=8, color=plots.INK)
    axes.axvline(scores[0], color=plots.RED, linewidth=1, linestyle="--")
    axes.set_yticks(range(len(runs)), [several[0].variant.name for several in runs], fontsize=8)
    axes.invert_yaxis()
    axes.set(xlabel="mIoU against the judge, every pixel, %", xlim=(0, 100))
    axes.tick_params(length=0)
    plots.save(drawn, path)


def main(words: list[str] | None = None) -> int:
    """Print one row a variant; with --out write report.json, report.md and a plot."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add_options(parser, "num", "generator", "judge", "seed", "device", "out")
    parser.add_argument("--only", action="append", metavar="NAME", help="this variant (again for more)")
    parser.add_argument("--repeat", type=count, default=1, help="sets of images, seeds 0, 1 … from --seed on")
    args = parser.parse_args(words)
    wanted = chosen(args.only, variants())
    check_folder(args.out)
    args.annotator = "attention"
    backbone, judge = open_backbone(args), open_judge(args)

    def images(seed: int, appended: bool = False) -> Batches:
        plan = plan_of(args, classes=VOC_CLASSES, append_classes=appended, seed=seed)
        return partial(stored, plan, args.num, device=args.device)

    plan = plan_of(args, classes=VOC_CLASSES)
    sampler = SamplerConfig(steps=plan.steps, guidance=plan.guidance, scheduler=plan.scheduler)
    seeds = range(args.seed, args.seed + args.repeat)
    plain, appended = [images(seed) for seed in seeds], [images(seed, True) for seed in seeds]
    outcome = measure_attention_ablation(backbone, judge, plain, appended, args.num, sampler, wanted)
    deliver(outcome, shlex.join(["python", "-m", "tests.benchmarks.attention_ablation", *sys.argv[1:]]), args)
    return 0


if __name__ == "__main__":
    sys.exit(main())
