"""A set whose prompts a language model writes: requested once for every reader; stored images need no request."""

import shutil
from pathlib import Path

import pytest
from datasets import load_dataset

from tests.prompts.conftest import Service

MIX = [{"source": "openai:tiny", "weight": 0.5}, {"source": "templates", "weight": 0.5}]


def test_drawn_once_streamed_grown_and_relabelled_without_the_service(
    service: Service, quick: dict, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", service.url)
    asked = {**quick, "classes": ["cat", "dog"], "prompts": MIX, "cache_dir": str(tmp_path / "cache"), "split": "train"}
    made = load_dataset("dataset_dm/voc_synth", num_images=3, **asked)
    texts = made["prompt"][:]
    assert [text.startswith("A sunny view of a ") for text in texts] == [True, False, True]
    assert [row["prompts"][0]["text"] for row in made["provenance"]] == texts
    requests = len(service.requests)
    assert requests == 1  # one block of 16 holds the share of many rows
    service.close()
    rows = list(load_dataset("dataset_dm/voc_synth", num_images=5, streaming=True, **asked))
    assert [row["prompt"] for row in rows][:3] == texts and len(rows) == 5
    shutil.rmtree(tmp_path / "home" / "prompts")  # the images know their prompts
    other = load_dataset("dataset_dm/voc_synth", num_images=3, **{**asked, "annotator": "attention"})
    assert other["prompt"][:] == texts and other["image"][1].tobytes() == made["image"][1].tobytes()
