"""The generator's images: are the requested classes in them, and what does the autoencoder lose?"""

from __future__ import annotations

from dataset_dm.diffusion import Backbone
from dataset_dm.evaluation import autoencoder, prompt_adherence
from dataset_dm.evaluation.outcome import Outcome
from dataset_dm.evaluation.sources import Pictures, drawn, renders
from dataset_dm.metrics.report import Report, Table, percent
from dataset_dm.miniature.judge import Judge
from dataset_dm.visualization.sheet import Row


def measure_found(backbone: Backbone, judge: Judge, count: int, batch: int, seed: int) -> Outcome:
    """How often the judge finds the requested classes in images that the generator draws."""
    finds, misses = prompt_adherence.in_generated(judge, drawn(backbone, count, batch, seed=seed), count)
    control = prompt_adherence.in_renders(
        judge, renders(min(count, 200), batch, size=backbone.native_size), min(count, 200)
    )
    report = Report("found", "", figures={**finds.figures(), "judge_finds_on_renders": control.each()})
    kinds = [[f"{k} class(es)", finds.images[k], finds.rate(k)] for k in sorted(finds.images)]
    report.tables.append(Table("prompts", ["prompt names", "images", "all found"], kinds))
    report.tables.append(finds.table("requested classes found"))
    least = percent(prompt_adherence.LEAST_SHARE)
    report.notes.append(f"found: the judge gives the class at least {least} of the picture; two classes: both found.")
    report.notes.append(
        "judge_finds_on_renders: the same judge on renders that truly show the class; no more is possible."
    )
    return Outcome(report, {}, {"missed.png": ("first misses, as the judge reads them", _missed(judge, misses))})


def _missed(judge: Judge, misses: list[tuple[Pictures, int]]) -> list[Row]:
    rows = []
    for pictures, i in misses:
        class_map = judge.segment(pictures.images[i : i + 1])[0].cpu().numpy()
        rows.append(
            Row(pictures.images[i].numpy(), class_map, pictures.prompts[i], None, pictures.seeds[i] & 0xFFFFFFFF)
        )
    return rows


def measure_autoencoder(backbone: Backbone, judge: Judge, count: int, batch: int) -> Outcome:
    """What encoding and decoding a render loses, in dB and in the judge's eyes."""
    held_out = renders(count, batch, size=backbone.native_size)
    fidelity, worst = autoencoder.measure(backbone, judge, held_out, count)
    report = Report("autoencoder", "", figures=fidelity.figures(), tables=[fidelity.table()])
    report.notes.append("PSNR is against the render before its sensor noise: what the picture should be.")
    title = "worst reconstructions: image after the autoencoder, truth, the judge's reading"
    return Outcome(report, {}, {"worst.png": (title, worst)})
