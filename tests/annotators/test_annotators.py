"""Opening annotators by their names."""

import subprocess
import sys
from pathlib import Path

import pytest

from dataset_dm.annotators import load
from dataset_dm.errors import ModelError


def test_a_missing_decoder_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(ModelError) as caught:
        load(str(tmp_path / "nowhere"))
    assert "\n" not in str(caught.value)


def test_the_room_is_light() -> None:
    code = "import sys, dataset_dm.annotators; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
