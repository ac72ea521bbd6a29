"""Measuring labels without training: the presence curve by hand, and every variant of the ablation on one picture."""

import argparse

import numpy as np
import pytest

from dataset_dm.cli import evaluate
from dataset_dm.diffusion import SamplerConfig
from dataset_dm.errors import ConfigError
from dataset_dm.evaluation.attention import Presences, compare, naming, variants, with_absent
from dataset_dm.evaluation.attention_report import measure_attention_ablation, plot_roc
from dataset_dm.evaluation.sources import drawn
from dataset_dm.miniature.judge import Judge

ONE_STEP = SamplerConfig(steps=1, guidance=2.0)


def test_auc_by_hand():
    presences = Presences([0.9, 0.6, 0.6, 0.2], [True, True, False, False])
    assert presences.auc() == pytest.approx(3.5 / 4)  # of four pairs three are right, one is tied
    wrong, right = presences.curve()
    assert wrong.tolist() == [0, 0, 0.5, 1] and right.tolist() == [0, 0.5, 1, 1]
    assert np.isnan(Presences([0.5], [True]).auc())


def test_stray_pixels_are_neither_there_nor_absent():
    presences, truth = Presences(), np.zeros((10, 100), np.uint8)
    truth[0, :10], truth[1, :9] = 1, 2  # 1 % and 0.9 % of the picture
    presences.add([0, 1, 2], np.array([0.7, 0.6, 0.1]), truth)
    assert presences.scores == [0.7, 0.1] and presences.there == [True, False]


def test_the_ablation_varies_one_thing_each(backbone, tmp_path):
    names = [variant.name for variant in variants()]
    assert len(set(names)) == len(names) and names[0] == "as shipped"
    assert variants()[0].settings.name == "attention"
    chosen = [one for one in variants() if one.name in ("as shipped", "self-attention power 0", "tokens of the caption",
              "every class in a text of its own", "while drawing, all steps")]  # fmt: skip
    assert len(chosen) == 5

    batches = [lambda: drawn(backbone, 2, 2, sampler=ONE_STEP), lambda: drawn(backbone, 2, 2, seed=1, sampler=ONE_STEP)]
    outcome = measure_attention_ablation(backbone, Judge.load(), batches, batches, 2, ONE_STEP, chosen)
    (table,) = outcome.report.tables
    assert [row[0] for row in table.rows] == [variant.name for variant in chosen]
    assert all(row[-1] == 4 for row in table.rows), "pictures of both seeds"
    assert outcome.report.figures["as shipped: miou"] == table.rows[0][1]
    assert table.rows[0][2:5] == [0, 0, 0], "the first gains nothing over itself"
    for _, miou, gain, worst, best, *_ in table.rows:
        assert worst <= gain <= best and worst + best == pytest.approx(2 * gain)
        assert gain == pytest.approx(miou - table.rows[0][1])
    outcome.save(tmp_path)
    assert (tmp_path / "ablation.png").stat().st_size > 1000


def test_absent_classes_are_added_and_the_unnamed_left_out(backbone):
    (pictures,) = drawn(backbone, 2, 2, sampler=ONE_STEP)
    asked = with_absent(pictures)
    for before, after in zip(pictures.named, asked.named, strict=True):
        assert set(before) < set(after) and len(after) == len(before) + 2
    assert with_absent(pictures).named == asked.named, "by the seeds, not by chance"
    pictures.named[0] = []
    (left,) = naming([pictures])
    assert len(left) == 1 and left.prompts == pictures.prompts[1:]


def test_one_run_counts_every_picture(backbone):
    batches = drawn(backbone, 2, 2, sampler=ONE_STEP)
    (run,) = compare(backbone, Judge.load(), naming(batches), variants()[:1], 2, ONE_STEP)
    assert run.labels.images == 2 and 0 <= run.figures()["miou"] <= 1


def test_the_curve_is_drawn(tmp_path):
    curves = [("all", Presences([0.9, 0.1], [True, False])), ("present alone", Presences([0.5], [True]))]
    plot_roc(curves, tmp_path / "roc.png")
    assert (tmp_path / "roc.png").stat().st_size > 1000


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--only", "as shipped"), "--only: expected --ablation beside it"),
        (("--repeat", "2"), "--repeat: expected --ablation beside it"),
        (("--ablation", "--only", "as shiped"), "did you mean 'as shipped'"),
        (("--annotator", 'attention:{"powr":1}'), "did you mean 'power'"),
        (("--annotator", "miniature"), "expected attention or attention:"),
    ],
)
def test_mistakes_are_found_before_anything_is_drawn(words, said):
    parser = argparse.ArgumentParser()
    evaluate.add_arguments(parser)
    with pytest.raises(ConfigError, match=said):
        evaluate.run(parser.parse_args(["attention", *words]))
