"""A set that the embedded generator drew and an untrained decoder labelled: ragged masks, many parts and holes."""

from pathlib import Path

import pytest

from dataset_dm import cli
from dataset_dm.exports import FORMATS, export_set, import_set
from tests.exports.sets import rows_of, submitted, unreviewed


@pytest.fixture(scope="module")
def generated(every_head: str, generator_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two images with labels of every kind."""
    folder = tmp_path_factory.mktemp("generated")
    words = ["generate", "voc_synth", "all", "--generator", str(generator_folder), "--annotator", every_head]
    words += ["--steps", "1", "--batch-size", "2", "--shard-size", "2", "--device", "cpu", "--num-images", "2"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DATASET_DM_HOME", str(folder / "home"))
        assert cli.main([*words, "--out", str(folder / "set")]) == 0
    return folder / "set"


@pytest.mark.parametrize("name", FORMATS)
def test_it_comes_back_equal(name: str, generated: Path, tmp_path: Path) -> None:
    done = export_set(str(generated), name, tmp_path / "out")
    back = import_set(submitted(done.folder, name), name, str(generated), tmp_path / "new")
    assert (back.reviewed, back.rows) == (2, 2) and not any(back.counts.values())
    assert unreviewed(rows_of(tmp_path / "new")) == rows_of(generated)
