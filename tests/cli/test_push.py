"""`dataset-dm push` as a user types it, against a Hub on the loopback interface."""

from pathlib import Path

import pytest

from dataset_dm import cli
from dataset_dm.cli.push import _summary
from dataset_dm.hub import Pushed
from tests.hub.conftest import hub, logged_in  # noqa: F401  (fixtures)
from tests.hub.loopback import LoopbackHub
from tests.hub.reading import head_of
from tests.hub.stores import make_store

pytestmark = pytest.mark.filterwarnings("ignore:Use 'content=:DeprecationWarning")  # of huggingface_hub's own upload
WHERE = {"repo": "me/set", "url": "https://hub/me/set", "commit": "abc"}


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


def test_a_line_a_file_and_the_total() -> None:
    pushed = Pushed(
        **WHERE,
        sent={"README.md": 1_500, "train.parquet": 2_500_000},
        removed=("old.parquet",),
        kept=("test.parquet",),
        notes=("the card's text is kept",),
    )
    assert _summary(pushed).splitlines() == [
        "  new       README.md (1.5 kB)",
        "  new       train.parquet (2.5 MB)",
        "  remove    old.parquet",
        "  unchanged test.parquet",
        "  note      the card's text is kept",
        "pushed 2 files, 2.5 MB to https://hub/me/set",
    ]


def test_the_last_line_depends_on_the_upload() -> None:
    sent = {"README.md": 1_500}
    assert _summary(Pushed(**WHERE)) == "nothing is new: https://hub/me/set is up to date"
    dry = Pushed(**WHERE, sent=sent, dry=True)
    assert _summary(dry).endswith("would push 1 files, 1.5 kB to https://hub/me/set (dry run)")
    request = Pushed(**WHERE, sent=sent, pull_request="https://hub/me/set/pr/1")
    assert _summary(request).endswith("pushed 1 files, 1.5 kB to https://hub/me/set/pr/1")
