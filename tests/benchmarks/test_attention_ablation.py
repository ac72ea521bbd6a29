"""The ablation of the annotator "attention": every variant on a few images."""

import numpy as np
import pytest

from dataset_dm.annotators.attention import AttentionAnnotator
from dataset_dm.diffusion import SamplerConfig
from dataset_dm.errors import ConfigError
from dataset_dm.evaluation.attention import label_named, naming
from dataset_dm.evaluation.sources import drawn
from dataset_dm.miniature.judge import Judge
from tests.benchmarks import attention_ablation
from tests.benchmarks.attention_ablation import compare, measure_attention_ablation, variants

ONE_STEP = SamplerConfig(steps=1, guidance=2.0)


def test_the_ablation_varies_one_setting_each(backbone, tmp_path):
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
    assert all(row[-1] == 4 for row in table.rows), "images of both seeds"
    assert outcome.report.figures["as shipped: miou"] == table.rows[0][1]
    assert table.rows[0][2:5] == [0, 0, 0], "the first gains nothing over itself"
    for _, miou, gain, worst, best, *_ in table.rows:
        assert worst <= gain <= best and worst + best == pytest.approx(2 * gain)
        assert gain == pytest.approx(miou - table.rows[0][1])
    outcome.save(tmp_path)
    assert (tmp_path / "ablation.png").stat().st_size > 1000


def test_one_run_counts_every_image(backbone):
    batches = drawn(backbone, 2, 2, sampler=ONE_STEP)
    (run,) = compare(backbone, Judge.load(), naming(batches), variants()[:1], 2, ONE_STEP)
    assert run.labels.images == 2 and 0 <= run.figures()["miou"] <= 1


def test_the_shipped_variant_labels_as_the_annotator_does(backbone):
    sampler = SamplerConfig(steps=4, guidance=2.0)
    judge, batches = Judge.load(), list(drawn(backbone, 2, 2, sampler=sampler))
    (run,) = compare(backbone, judge, naming(batches), variants()[:1], 2, sampler)
    alone = label_named(backbone, judge, naming(batches), AttentionAnnotator(), 2).tasks["semantic"]
    found = run.labels.tasks["semantic"]
    assert found.every.matrix[:, 1:].sum() > 0, "something is labelled"
    assert np.array_equal(found.every.matrix, alone.every.matrix)
    assert np.array_equal(found.reliability.confidence, alone.reliability.confidence)


def test_an_unknown_variant_is_named_before_anything_is_generated():
    with pytest.raises(ConfigError, match="--only: got 'as shiped'.*did you mean 'as shipped'"):
        attention_ablation.main(["--only", "as shiped"])
