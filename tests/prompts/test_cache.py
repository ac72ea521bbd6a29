"""Drawn prompts stay as they are: appended under a lock, read while others write, whole lines only."""

import json
import os
import shutil
import subprocess
import sys
import uuid
from pathlib import Path

import pytest

from dataset_dm.errors import StoreError
from dataset_dm.files.storage import open_storage
from dataset_dm.labels.records import Prompt
from dataset_dm.prompts import Endpoint, LanguageModel, Templates, prepare
from dataset_dm.prompts.cache import Book, Place, open_book
from tests.prompts.conftest import Service

SOURCE = {"kind": "test"}


def place(index: int) -> Place:
    return Place(0, "train", index)


def test_the_first_prompt_of_a_place_stays(tmp_path: Path) -> None:
    file = tmp_path / "prompts" / "book.jsonl"
    one, other = Book(file), Book(file)
    assert one.get(place(0)) is None
    one.add({place(0): Prompt("a dog", ("dog",)), place(1): Prompt("a \u2028 line", None)}, SOURCE)
    other.add({place(1): Prompt("another", None), place(2): Prompt("a cat", ())}, SOURCE)
    for book in (one, other, Book(file)):
        found = [book.get(place(index)) for index in range(4)]
        assert found == [Prompt("a dog", ("dog",)), Prompt("a \u2028 line", None), Prompt("a cat", ()), None]
    assert one.missing([place(3), place(0)]) == [place(3)]
    lines = [json.loads(line) for line in file.read_text(encoding="utf-8").split("\n")[:-1]]
    assert lines[0] == {"source": SOURCE}
    assert lines[1] == {"seed": 0, "split": "train", "index": 0, "prompt": "a dog", "classes": ["dog"]}
    assert len(lines) == 4


def test_a_line_that_a_killed_writer_left_is_passed_over_and_overwritten(tmp_path: Path) -> None:
    file = tmp_path / "prompts" / "book.jsonl"
    Book(file).add({place(0): Prompt("a dog")}, SOURCE)
    whole = file.read_bytes()
    file.write_bytes(whole + b'{"seed": 0, "split": "tr')
    book = Book(file)
    assert book.get(place(0)) == Prompt("a dog") and book.get(place(1)) is None
    book.add({place(1): Prompt("a cat")}, SOURCE)
    assert file.read_bytes().startswith(whole + b'{"seed": 0, "split": "train", "index": 1')
    assert Book(file).get(place(1)) == Prompt("a cat")


def test_a_deleted_file_is_begun_anew(tmp_path: Path) -> None:
    file = tmp_path / "prompts" / "book.jsonl"
    book = Book(file)
    book.add({place(0): Prompt("a dog")}, SOURCE)
    file.unlink()
    assert book.missing([place(0)]) == [place(0)]
    book.add({place(0): Prompt("a cat")}, SOURCE)
    assert Book(file).get(place(0)) == Prompt("a cat")
    assert book.get(place(0)) == Prompt("a cat")


@pytest.mark.parametrize("line", ['{"seed": 0}', "no json", "[1]", '{"seed": "x", "split": "a", "index": 1}'])
def test_a_damaged_line_is_named(tmp_path: Path, line: str) -> None:
    file = tmp_path / "prompts" / "book.jsonl"
    Book(file).add({place(0): Prompt("a dog")}, SOURCE)
    file.write_text(file.read_text() + line + "\n")
    with pytest.raises(StoreError, match=r"book.jsonl, line 3: not a drawn prompt: got .*; remove the line"):
        Book(file).get(place(1))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs limits of the operating system")
def test_a_full_disk_leaves_what_was_there(tmp_path: Path) -> None:
    """The limit of a file's size stands in for the disk: the write stops in the middle of a line."""
    file = tmp_path / "prompts" / "book.jsonl"
    Book(file).add({place(0): Prompt("a dog")}, SOURCE)
    before = file.read_bytes()
    script = f"""
import resource, signal
from pathlib import Path
from dataset_dm.errors import StoreError
from dataset_dm.prompts.cache import Book, Place
from dataset_dm.labels.records import Prompt
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, ({len(before) + 20}, {len(before) + 20}))
try:
    Book(Path({str(file)!r})).add({{Place(0, "train", 1): Prompt("a cat" * 100)}}, {{}})
except StoreError as error:
    print(error)
"""
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert "disk full while writing" in ran.stdout and ran.stdout.count("\n") == 1
    assert file.read_bytes() == before


def test_two_processes_add_to_one_book(tmp_path: Path) -> None:
    file = tmp_path / "prompts" / "book.jsonl"
    script = """
import sys
from pathlib import Path
from dataset_dm.prompts.cache import Book, Place
from dataset_dm.labels.records import Prompt
book = Book(Path(sys.argv[1]))
for index in range(40):
    book.add({Place(0, "train", index): Prompt(f"{sys.argv[2]} {index}")}, {})
"""
    writers = [subprocess.Popen([sys.executable, "-c", script, str(file), name]) for name in ("one", "two")]
    assert [writer.wait() for writer in writers] == [0, 0]
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    assert lines[0] == {"source": {}}
    assert sorted(line["index"] for line in lines[1:]) == list(range(40))  # each once, whoever was first


def test_books_lie_in_the_home_folder_by_their_source(own_home: Path) -> None:
    book = open_book({"kind": "a"})
    assert book.file.parent == own_home / "prompts" and book.file.suffix == ".jsonl"
    assert open_book({"kind": "a"}) is book
    assert open_book({"kind": "b"}).file != book.file
    assert not own_home.exists()


def test_machines_that_share_a_store_share_what_was_drawn(
    service: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two machines, each with a cache folder of its own; one of them loses what it knows."""
    monkeypatch.setenv("DATASET_DM_HOME", f"memory://{uuid.uuid4().hex}")
    source = LanguageModel(writer=Endpoint(model="m", url=service.url), mix=Templates(("cat", "dog")), block=2)

    def on(machine: str) -> None:
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / machine))

    on("one")
    assert prepare(source, 0, {"train": 4}) == 4
    drawn = [source.prompt(0, "train", index) for index in range(4)]
    on("two")
    assert [source.prompt(0, "train", index) for index in range(4)] == drawn
    assert prepare(source, 0, {"train": 6}) == 2 and len(service.requests) == 3
    on("one")
    shutil.rmtree(tmp_path / "one")
    assert prepare(source, 0, {"train": 6}) == 0 and len(service.requests) == 3
    assert [source.prompt(0, "train", index) for index in range(4)] == drawn
    (file,) = open_storage().entries("prompts")
    lines = open_storage().read(f"prompts/{file.name}").splitlines()
    indices = [json.loads(line).get("index") for line in lines]
    # machine one asked for two blocks at the same time, whichever was answered first stands first
    assert indices[0] is None and sorted(indices[1:5]) == [0, 1, 2, 3] and indices[5:] == [4, 5]
    assert json.loads(lines[0])["source"] == source.to_dict()


def test_a_shared_book_that_is_damaged(service: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATASET_DM_HOME", f"memory://{uuid.uuid4().hex}")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    book = open_book(SOURCE)
    open_storage().write(f"prompts/{book.file.name}", b"nonsense\n")
    with (
        pytest.raises(StoreError, match=r"prompts memory://.*\.jsonl, line 1: not a drawn prompt"),
        book.drawing(SOURCE),
    ):
        pass
