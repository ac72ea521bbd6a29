"""The cache of drawn prompts: appended under a lock, read while others write, complete lines only."""

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
from dataset_dm.prompts.cache import Place, PromptCache, open_cache
from tests.prompts.conftest import Service

SOURCE = {"kind": "test"}


def place(index: int) -> Place:
    return Place(0, "train", index)


def test_the_first_prompt_of_a_place_stays(tmp_path: Path) -> None:
    file = tmp_path / "prompts" / "cache.jsonl"
    one, other = PromptCache(file), PromptCache(file)
    assert one.get(place(0)) is None
    one.add({place(0): Prompt("a dog", ("dog",)), place(1): Prompt("a \u2028 line", None)}, SOURCE)
    other.add({place(1): Prompt("another", None), place(2): Prompt("a cat", ())}, SOURCE)
    for cache in (one, other, PromptCache(file)):
        found = [cache.get(place(index)) for index in range(4)]
        assert found == [Prompt("a dog", ("dog",)), Prompt("a \u2028 line", None), Prompt("a cat", ()), None]
    assert one.missing([place(3), place(0)]) == [place(3)]
    lines = [json.loads(line) for line in file.read_text(encoding="utf-8").split("\n")[:-1]]
    assert lines[0] == {"source": SOURCE}
    assert lines[1] == {"seed": 0, "split": "train", "index": 0, "prompt": "a dog", "classes": ["dog"]}
    assert len(lines) == 4


def test_an_incomplete_line_of_a_killed_writer_is_ignored_and_overwritten(tmp_path: Path) -> None:
    file = tmp_path / "prompts" / "cache.jsonl"
    PromptCache(file).add({place(0): Prompt("a dog")}, SOURCE)
    whole = file.read_bytes()
    file.write_bytes(whole + b'{"seed": 0, "split": "tr')
    cache = PromptCache(file)
    assert cache.get(place(0)) == Prompt("a dog") and cache.get(place(1)) is None
    cache.add({place(1): Prompt("a cat")}, SOURCE)
    assert file.read_bytes().startswith(whole + b'{"seed": 0, "split": "train", "index": 1')
    assert PromptCache(file).get(place(1)) == Prompt("a cat")


def test_a_deleted_file_is_written_again(tmp_path: Path) -> None:
    file = tmp_path / "prompts" / "cache.jsonl"
    cache = PromptCache(file)
    cache.add({place(0): Prompt("a dog")}, SOURCE)
    file.unlink()
    assert cache.missing([place(0)]) == [place(0)]
    cache.add({place(0): Prompt("a cat")}, SOURCE)
    assert PromptCache(file).get(place(0)) == Prompt("a cat")
    assert cache.get(place(0)) == Prompt("a cat")


@pytest.mark.parametrize("line", ['{"seed": 0}', "no json", "[1]", '{"seed": "x", "split": "a", "index": 1}'])
def test_a_damaged_line_is_named(tmp_path: Path, line: str) -> None:
    file = tmp_path / "prompts" / "cache.jsonl"
    PromptCache(file).add({place(0): Prompt("a dog")}, SOURCE)
    file.write_text(file.read_text() + line + "\n")
    with pytest.raises(StoreError, match=r"cache.jsonl, line 3: not a drawn prompt: got .*; remove the line"):
        PromptCache(file).get(place(1))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs limits of the operating system")
def test_a_full_disk_keeps_the_file_unchanged(tmp_path: Path) -> None:
    """The limit of a file's size stands in for the disk: the write stops in the middle of a line."""
    file = tmp_path / "prompts" / "cache.jsonl"
    PromptCache(file).add({place(0): Prompt("a dog")}, SOURCE)
    before = file.read_bytes()
    script = f"""
import resource, signal
from pathlib import Path
from dataset_dm.errors import StoreError
from dataset_dm.prompts.cache import PromptCache, Place
from dataset_dm.labels.records import Prompt
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, ({len(before) + 20}, {len(before) + 20}))
try:
    PromptCache(Path({str(file)!r})).add({{Place(0, "train", 1): Prompt("a cat" * 100)}}, {{}})
except StoreError as error:
    print(error)
"""
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert "disk full while writing" in ran.stdout and ran.stdout.count("\n") == 1
    assert file.read_bytes() == before


def test_two_processes_append_to_one_file(tmp_path: Path) -> None:
    file = tmp_path / "prompts" / "cache.jsonl"
    script = """
import sys
from pathlib import Path
from dataset_dm.prompts.cache import PromptCache, Place
from dataset_dm.labels.records import Prompt
cache = PromptCache(Path(sys.argv[1]))
for index in range(40):
    cache.add({Place(0, "train", index): Prompt(f"{sys.argv[2]} {index}")}, {})
"""
    writers = [subprocess.Popen([sys.executable, "-c", script, str(file), name]) for name in ("one", "two")]
    assert [writer.wait() for writer in writers] == [0, 0]
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    assert lines[0] == {"source": {}}
    assert sorted(line["index"] for line in lines[1:]) == list(range(40))  # each once, in any order


def test_caches_are_files_of_the_home_folder_by_source(own_home: Path) -> None:
    cache = open_cache({"kind": "a"})
    assert cache.file.parent == own_home / "prompts" and cache.file.suffix == ".jsonl"
    assert open_cache({"kind": "a"}) is cache
    assert open_cache({"kind": "b"}).file != cache.file
    assert not own_home.exists()


def test_machines_that_share_a_store_share_drawn_prompts(
    service: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two machines, each with a cache folder of its own; one of them loses its local copy."""
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


def test_a_damaged_shared_file(service: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATASET_DM_HOME", f"memory://{uuid.uuid4().hex}")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    cache = open_cache(SOURCE)
    open_storage().write(f"prompts/{cache.file.name}", b"nonsense\n")
    with (
        pytest.raises(StoreError, match=r"prompts memory://.*\.jsonl, line 1: not a drawn prompt"),
        cache.drawing(SOURCE),
    ):
        pass
