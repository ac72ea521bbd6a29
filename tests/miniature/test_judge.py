"""The judge: its network's shapes, its checkpoint, and what it finds in renders."""

from pathlib import Path

import numpy as np
import pytest
import torch

from dataset_dm.errors import ModelError
from dataset_dm.miniature.judge import Judge, JudgeNet
from dataset_dm.miniature.world import labelled


def test_logits_have_the_size_of_the_image() -> None:
    net = JudgeNet(5, (8, 8, 16))
    assert net(torch.zeros(2, 3, 32, 48)).shape == (2, 5, 32, 48)


def test_a_saved_judge_segments_alike(tmp_path: Path) -> None:
    torch.manual_seed(0)
    judge = Judge(JudgeNet(4, (8, 8)))
    judge.save(tmp_path)
    images = torch.randint(0, 256, (2, 32, 32, 3), dtype=torch.uint8)
    probabilities = judge.probabilities(images)
    assert torch.allclose(probabilities.sum(1), torch.ones(2, 32, 32), atol=1e-5)
    assert torch.equal(judge.segment(images), probabilities.argmax(1).to(torch.uint8))
    torch.testing.assert_close(Judge.load(tmp_path).probabilities(images), probabilities, atol=0.02, rtol=0)


def test_the_shipped_judge_finds_what_a_render_shows() -> None:
    _, rendering = labelled("test", 0)
    found = Judge.load().segment(torch.from_numpy(rendering.image)[None])[0].numpy()
    assert (found == rendering.class_map).mean() > 0.9
    assert set(np.unique(rendering.class_map)) <= set(np.unique(found))


def test_a_missing_judge_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no judge at .*: expected model.safetensors"):
        Judge.load(tmp_path)
