"""Requested classes in generated images and in renders."""

from pathlib import Path

import numpy as np
import torch

from dataset_dm.diffusion import Backbone, SamplerConfig
from dataset_dm.evaluation import found, sources
from dataset_dm.miniature.judge import Judge
from dataset_dm.miniature.world import labelled


class Painter(Judge):
    """A judge that sees one class map in every image."""

    def __init__(self, class_map: np.ndarray) -> None:
        """No network is needed."""
        self.class_map = torch.from_numpy(class_map)

    def segment(self, images: torch.Tensor) -> torch.Tensor:
        return self.class_map.expand(len(images), *self.class_map.shape)


def test_found_on_renders() -> None:
    first, second = (labelled("test", i)[1].class_map for i in range(2))
    shown = [{k for k in range(1, 21) if (truth == k).mean() >= 0.01} for truth in (first, second)]
    finds = found.in_renders(Painter(first), sources.renders(2, 2), 2)
    assert finds.asked.sum() == len(shown[0]) + len(shown[1])
    assert finds.found.sum() == len(shown[0]) + len(shown[0] & shown[1]), "it sees the first render everywhere"


def test_the_first_misses_are_kept_to_be_shown(backbone: Backbone) -> None:
    batches = list(sources.drawn(backbone, 3, 2, sampler=SamplerConfig(steps=1, guidance=0.0)))
    named = [positions for batch in batches for positions in batch.named]
    class_map = np.full((128, 128), named[0][0] + 1, np.uint8)
    finds, misses = found.in_generated(Painter(class_map), batches, 3)
    assert finds.asked.sum() == sum(map(len, named)) and finds.found.sum() == sum(named[0][0] in one for one in named)
    complete = [one == [named[0][0]] for one in named]
    assert [(batch is batches[1], i) for batch, i in misses] == [
        place for place, whole in zip([(False, 0), (False, 1), (True, 0)], complete, strict=True) if not whole
    ]


def test_the_report_has_both_figures(backbone: Backbone, judge: Judge, tmp_path: Path) -> None:
    outcome = found.measure_found(backbone, judge, 1, 1, seed=0)
    assert {"each_class_found", "judge_finds_on_renders"} <= set(outcome.report.figures)
    outcome.save(tmp_path)
    assert (tmp_path / "report.json").is_file()
