"""Reading a generated image in a pass of its own, and in the sampler's last step."""

import numpy as np

from dataset_dm.annotators import load
from dataset_dm.miniature.judge import Judge
from tests.benchmarks import parity_pass
from tests.benchmarks.parity_pass import measure_parity_pass


def test_both_readings_label_every_pixel_of_the_same_images(backbone, every_head):
    annotator, judge = load(every_head, device="cpu"), Judge.load(device="cpu")
    found = parity_pass.compare(backbone, annotator, judge, count=3, batch=2, seed=0)
    assert found.parity.matrix.sum() == found.last_step.matrix.sum() == 3 * 128 * 128
    truth = [confusion.matrix.sum(1) for confusion in (found.parity, found.last_step)]
    assert np.array_equal(*truth), "one truth for both"
    assert not np.array_equal(found.parity.matrix, found.last_step.matrix), "they read at different noise levels"


def test_the_report_names_both(backbone, every_head):
    judge = Judge.load(device="cpu")
    outcome = measure_parity_pass(backbone, load(every_head, device="cpu"), judge, count=1, batch=1, seed=1)
    assert set(outcome.report.figures) == {"parity_pass_miou", "last_step_miou"}
