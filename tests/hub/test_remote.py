"""The state of a repository, read from a Hub on the loopback interface."""

import hashlib
from pathlib import Path

from huggingface_hub import HfApi

from dataset_dm.hub.remote import git_name, read_remote, sha256
from tests.hub.loopback import LoopbackHub
from tests.hub.stores import make_store, push


def test_hashes_by_hand(tmp_path: Path) -> None:
    file = tmp_path / "a"
    file.write_bytes(b"hello\n")
    assert git_name(b"hello\n") == "ce013625030ba8dba906f756967f9e9ca394464a"  # git hash-object
    assert sha256(file) == hashlib.sha256(b"hello\n").hexdigest()


def test_a_missing_repository_is_an_empty_state(logged_in: LoopbackHub) -> None:
    remote = read_remote(HfApi(), "dataset", "me/nowhere", None, ("README.md",))
    assert (remote.commit, dict(remote.files), dict(remote.texts), remote.private) == (None, {}, {}, None)


def test_commit_files_and_texts(logged_in: LoopbackHub, tmp_path: Path) -> None:
    pushed = push(make_store(tmp_path / "set", train=2), "me/voc_synth", private=True)
    remote = read_remote(HfApi(), "dataset", "me/voc_synth", None, ("README.md", "missing.json"))
    assert remote.commit == pushed.commit and remote.private and not remote.no_branch
    assert set(pushed.sent) <= set(remote.files) and list(remote.texts) == ["README.md"]
    assert remote.files["README.md"] == git_name(remote.texts["README.md"])


def test_a_missing_branch_shows_main(logged_in: LoopbackHub, tmp_path: Path) -> None:
    pushed = push(make_store(tmp_path / "set", train=2), "me/voc_synth")
    remote = read_remote(HfApi(), "dataset", "me/voc_synth", "v1", ())
    assert remote.no_branch and remote.commit == pushed.commit
