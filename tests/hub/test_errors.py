"""Pushes under faults end complete, or leave the repository as it was; which errors pass by themselves."""

import logging
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from dataset_dm.hub import HubError
from dataset_dm.hub.errors import RetryPolicy, is_transient, to_user_error
from tests.hub.conftest import MINE, ROOT
from tests.hub.faulty import one_push, whole
from tests.hub.loopback import LoopbackHub
from tests.hub.stores import make_store, push


@pytest.mark.parametrize("seed", range(10))
def test_a_push_under_faults_ends_complete(logged_in: LoopbackHub, tmp_path: Path, seed: int) -> None:
    stores = [make_store(tmp_path / "few", train=[2, 2], test=2), make_store(tmp_path / "many", train=[2, 4], test=2)]
    happened = one_push(logged_in, stores, random.Random(seed))
    assert happened


@pytest.mark.parametrize(
    ("kind", "on"),
    [
        ("409", "POST .*/commit/"),
        ("412", "POST .*/commit/"),
        ("503", "POST .*/commit/"),
        ("reset", "POST .*/commit/"),
        ("lost", "POST .*/commit/"),
        ("lost", "POST /api/repos/create"),
        ("503", "POST .*/objects/batch"),
        ("reset", "PUT /lfs"),
        ("503", "POST /lfs-verify"),
        ("429", "GET /api/whoami"),
        ("truncate", "GET /api/datasets/"),
    ],
)
def test_each_fault_twice(logged_in: LoopbackHub, tmp_path: Path, kind: str, on: str) -> None:
    logged_in.fail(kind, on=on, times=2)
    store = make_store(tmp_path / "set", train=2)
    push(store, "me/voc_synth")
    assert len(logged_in.faults.happened) == 2 - (kind == "lost")  # done is done: it is not asked again
    assert len(logged_in.dataset("me/voc_synth").commits) == 2
    assert whole(logged_in, "me/voc_synth") == {"train": 2}


def test_a_fault_that_stays_leaves_the_repository_as_it_was(logged_in: LoopbackHub, tmp_path: Path) -> None:
    push(make_store(tmp_path / "set", train=2), "me/voc_synth")
    logged_in.fail("503", on="POST .*/commit/", times=99)
    with pytest.raises(HubError, match="every attempt failed, the Hub answered 503; uploaded content is kept") as error:
        push(make_store(tmp_path / "more", train=4), "me/voc_synth", attempts=3)
    assert "\n" not in str(error.value)
    assert whole(logged_in, "me/voc_synth") == {"train": 2}
    logged_in.heal()
    puts = logged_in.seen("PUT /lfs")
    push(tmp_path / "more", "me/voc_synth")
    assert logged_in.seen("PUT /lfs") == puts  # what was uploaded is found again
    assert whole(logged_in, "me/voc_synth") == {"train": 4}


def test_a_killed_push_goes_on_where_it_was(logged_in: LoopbackHub, tmp_path: Path) -> None:
    store = make_store(tmp_path / "set", train=2, test=4)
    logged_in.fail("slow", on="PUT /lfs", after=1, times=9, seconds=60)  # the first file arrives, the others do not
    command = [sys.executable, "-c", f"from dataset_dm.hub import push; push({str(store)!r}, 'me/voc_synth')"]
    env = {**os.environ, "HF_ENDPOINT": logged_in.endpoint, "HF_HUB_OFFLINE": "0", "HF_HUB_DISABLE_XET": "1"}
    env |= {"HF_HOME": str(tmp_path / "hf_home"), "PYTHONPATH": str(ROOT)}
    process = subprocess.Popen(command, env=env, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 120
    while len(logged_in.objects) < 1 and time.monotonic() < deadline and process.poll() is None:
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert len(logged_in.objects) == 1
    assert list(logged_in.dataset("me/voc_synth").files("main")) == [".gitattributes"]  # nothing, not half
    logged_in.heal()
    puts = logged_in.seen("PUT /lfs")
    push(store, "me/voc_synth")
    assert logged_in.seen("PUT /lfs") == puts + 2  # two of three files were missing
    assert whole(logged_in, "me/voc_synth") == {"train": 2, "test": 4}


def test_a_listing_that_is_cut_is_asked_for_again(logged_in: LoopbackHub, tmp_path: Path) -> None:
    push(make_store(tmp_path / "set", train=2), "me/voc_synth")
    logged_in.fail("truncate", on="GET .*/tree/", times=2)
    logged_in.fail("truncate", on="GET .*/resolve/.*README")
    push(make_store(tmp_path / "more", train=4), "me/voc_synth")
    assert len(logged_in.faults.happened) == 3
    assert whole(logged_in, "me/voc_synth") == {"train": 4}


def test_somebody_else_s_commit_in_between_is_not_lost(
    logged_in: LoopbackHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from huggingface_hub import HfApi

    push(make_store(tmp_path / "set", train=2), "me/voc_synth")
    more, real = make_store(tmp_path / "more", train=4), HfApi.preupload_lfs_files
    elsewhere = HfApi()

    def interrupted(api: HfApi, *args: object, **options: object) -> None:
        if api is not elsewhere and not logged_in.dataset("me/voc_synth").files("main").get("notes.txt"):
            elsewhere.upload_file(
                path_or_fileobj=b"hello", path_in_repo="notes.txt", repo_id="me/voc_synth", repo_type="dataset"
            )
        real(api, *args, **options)

    monkeypatch.setattr(HfApi, "preupload_lfs_files", interrupted)
    push(more, "me/voc_synth")
    assert ("POST" in " ".join(line for line, status in logged_in.log if status == 412)) is True
    assert logged_in.content("datasets", "me/voc_synth", "notes.txt") == b"hello"
    assert whole(logged_in, "me/voc_synth") == {"train": 4}


def test_which_errors_pass() -> None:
    assert is_transient(ConnectionResetError()) and is_transient(TimeoutError())
    assert not is_transient(ValueError("x")) and not is_transient(KeyError("x"))
    wrapped = RuntimeError("Error while uploading")
    wrapped.__cause__ = BrokenPipeError()
    assert is_transient(wrapped)


def test_no_token_in_an_error() -> None:
    from huggingface_hub.errors import HFValidationError

    told = to_user_error(HFValidationError(f"bad header Bearer {MINE} and secret"), "push to me/x", "secret")
    assert isinstance(told, HubError) and MINE not in str(told) and "secret" not in str(told)


def test_no_token_in_what_is_logged_or_written(
    logged_in: LoopbackHub, tmp_path: Path, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    for kind, on in (("503", "PUT /lfs"), ("reset", "POST .*/commit/"), ("409", "POST .*/commit/")):
        logged_in.fail(kind, on=on)
    push(make_store(tmp_path / "set", train=2), "me/voc_synth")
    said = capfd.readouterr()
    assert "PUT" in caplog.text and MINE not in caplog.text + said.out + said.err
    assert all(MINE.encode() not in content for content in logged_in.objects.values())


def test_a_token_that_is_refused_later_is_said_at_once(logged_in: LoopbackHub, tmp_path: Path) -> None:
    logged_in.fail("401", on="GET /api/datasets/", times=99)
    with pytest.raises(HubError, match="does not accept this token, or the repository is not yours") as error:
        push(make_store(tmp_path / "set", train=2), "me/voc_synth")
    assert "\n" not in str(error.value) and logged_in.seen("GET /api/datasets/") == 1


def test_waits_grow_and_end() -> None:
    waits: list[float] = []
    tries = list(RetryPolicy(attempts=5, first_delay=1.0, max_delay=3.0, sleep=waits.append))
    assert tries == [False, False, False, False, True] and len(waits) == 4
    for wait, least, most in zip(waits, (0.75, 1.5, 2.25, 2.25), (1.25, 2.5, 3.75, 3.75), strict=True):
        assert least <= wait <= most
