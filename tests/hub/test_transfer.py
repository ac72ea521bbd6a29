"""One push of any content, against a Hub on the loopback interface."""

from dataclasses import dataclass
from pathlib import Path

import pytest
from huggingface_hub import HfApi

from dataset_dm.hub.errors import HubError, RetryPolicy
from dataset_dm.hub.remote import Remote, git_name, sha256
from dataset_dm.hub.transfer import Content, Item, Pushed, PushOptions, transfer
from tests.hub.conftest import MINE
from tests.hub.loopback import LoopbackHub

AT_ONCE = RetryPolicy(first_delay=0.0)


@dataclass
class Texts:
    """An upload of small texts."""

    files: dict[str, bytes]
    obsolete: tuple[str, ...] = ()
    kind = "dataset"
    title = "Push texts"
    texts = ("a.txt",)

    def content(self, remote: Remote) -> Content:
        return Content({path: Item(text) for path, text in self.files.items()}, self.obsolete, ("a note",))


def send(files: dict[str, bytes], obsolete: tuple[str, ...] = (), **options: object) -> Pushed:
    return transfer(HfApi(token=MINE), Texts(files, obsolete), "me/texts", PushOptions(**options), AT_ONCE)


def test_new_changed_unchanged_and_removed_files(logged_in: LoopbackHub) -> None:
    first = send({"a.txt": b"1", "b.txt": b"22"})
    assert first.sent == {"a.txt": 1, "b.txt": 2} and first.kept == () and first.notes == ("a note",)
    assert first.url == f"{logged_in.endpoint}/datasets/me/texts"
    second = send({"a.txt": b"1", "c.txt": b"333"}, obsolete=("b.txt", "never.txt"))
    assert (second.sent, second.kept, second.removed) == ({"c.txt": 3}, ("a.txt",), ("b.txt",))
    third = send({"a.txt": b"1", "c.txt": b"333"})
    assert third.sent == {} and third.commit == second.commit


def test_a_dry_run_writes_no_commit(logged_in: LoopbackHub) -> None:
    assert send({"a.txt": b"1"}, dry_run=True) == Pushed(
        "me/texts", f"{logged_in.endpoint}/datasets/me/texts", None, sent={"a.txt": 1}, notes=("a note",), dry=True
    )
    assert not logged_in.repos


def test_a_public_repository_is_not_pushed_to_as_private(logged_in: LoopbackHub) -> None:
    send({"a.txt": b"1"})
    with pytest.raises(HubError, match="it exists and is public; make it private on the Hub first"):
        send({"a.txt": b"2"}, private=True)


def test_names_of_small_and_large_files(tmp_path: Path) -> None:
    small, large = tmp_path / "small", tmp_path / "large"
    small.write_bytes(b"x")
    large.write_bytes(bytes(16 * 2**20 + 1))
    assert Item(small).names == (sha256(small), git_name(b"x")) and Item(small).size == 1
    assert Item(large).names == (sha256(large),)
