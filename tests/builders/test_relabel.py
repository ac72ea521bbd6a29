"""`dataset_dm.relabel`: other labels for the same images."""

from pathlib import Path
from typing import Any

import pytest

from dataset_dm.builders.generate import generate
from dataset_dm.builders.relabel import relabel
from dataset_dm.errors import StoreError, UserError
from tests.builders.test_generate import asked  # noqa: F401  (a fixture)


def test_the_images_stay_and_the_first_labels_too(asked: dict[str, Any], tmp_path: Path) -> None:  # noqa: F811
    with pytest.raises(StoreError, match="shards of images are not in the store; make them first"):
        relabel("voc_synth", by="attention", **asked)
    first = generate("voc_synth", **asked)["train"]
    last = relabel("voc_synth", by="attention", **asked)["train"]
    written = relabel("voc_synth", by="attention", out=tmp_path / "set", **asked)["train"]
    for rows in (last, written):
        assert {row["annotator"] for row in rows["provenance"]} == {"attention"}
        assert rows["prompt"] == first["prompt"]
    assert [image.tobytes() for image in last["image"]] == [image.tobytes() for image in first["image"]]
    homes = {name: len(list((tmp_path / "home" / name).iterdir())) for name in ("images", "labels")}
    assert homes == {"images": 1, "labels": 2}


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"rounds": 0}, "^rounds: got 0"),
        ({"by": "attention", "rounds": 2}, "rounds and segmenter are about training one; leave them out, or by"),
        ({"segmenter": {"step": 2}}, "unknown key 'step'.*did you mean 'steps'"),
        ({"by": "attnetion"}, "did you mean 'attention'"),
    ],
)
def test_mistakes_are_one_line(asked: dict[str, Any], more: dict[str, Any], said: str) -> None:  # noqa: F811
    with pytest.raises(UserError, match=said):
        relabel("voc_synth", **{**asked, **more})
