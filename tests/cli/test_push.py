"""`dataset-dm push` as a user types it, against a Hub on the loopback interface."""

from pathlib import Path

import pytest

from dataset_dm import cli
from tests.hub.conftest import hub, logged_in  # noqa: F401  (fixtures)
from tests.hub.loopback import LoopbackHub
from tests.hub.reading import head_of
from tests.hub.stores import make_store

pytestmark = pytest.mark.filterwarnings("ignore:Use 'content=:DeprecationWarning")  # of huggingface_hub's own upload


def test_the_command_line(
    logged_in: LoopbackHub,  # noqa: F811
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    store = str(make_store(tmp_path / "set"))
    assert cli.main(["push", store, "me/voc_synth", "--dry-run"]) == 0
    assert "would push 7 files" in capsys.readouterr().out and not logged_in.repos
    assert cli.main(["push", store, "me/voc_synth", "--license", "cc-by-4.0"]) == 0
    said = capsys.readouterr().out
    assert "  new       README.md" in said and f"to {logged_in.endpoint}/datasets/me/voc_synth" in said
    assert head_of(logged_in)["license"] == "cc-by-4.0"
    assert cli.main(["push", store, "me/voc_synth"]) == 0
    assert "nothing is new" in capsys.readouterr().out
    assert cli.main(["push", store, "other/voc_synth"]) == 2
    assert capsys.readouterr().err.startswith("error: push: other/voc_synth belongs to another owner")
