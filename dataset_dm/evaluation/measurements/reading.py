"""The labelling pass against the sampler's own last step."""

from __future__ import annotations

from dataset_dm.annotators.p_decoder import PDecoderAnnotator
from dataset_dm.diffusion import Backbone
from dataset_dm.evaluation import reading
from dataset_dm.evaluation.measurements.outcome import Outcome
from dataset_dm.evaluation.report import Report
from dataset_dm.miniature.judge import Judge


def measure_reading(
    backbone: Backbone, annotator: PDecoderAnnotator, judge: Judge, *, count: int, batch: int, seed: int
) -> Outcome:
    """mIoU against the judge of the same images, read in a pass of their own and in the sampler's last step."""
    found = reading.compare(backbone, annotator, judge, count=count, batch=batch, seed=seed)
    figures = {"parity_pass_miou": found.parity.miou(), "last_step_miou": found.last_step.miou()}
    report = Report("reading", "", figures=figures)
    report.notes.append("The same decoder, trained at the parity pass's noise level; truth is the judge.")
    return Outcome(report)
