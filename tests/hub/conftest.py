"""A loopback Hub for each test, and the real client pointed at it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.hub.loopback import TOKENS, LoopbackHub

ROOT = Path(__file__).resolve().parents[2]
MINE, OTHERS = TOKENS


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """huggingface_hub uploads large files by a call that its own HTTP library no longer likes; not our doing."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.filterwarnings("ignore:Use 'content=:DeprecationWarning"))


class _Hurried:
    """The module `time` for a client that shall not wait for long before it tries again."""

    def __getattr__(self, name: str) -> Any:
        return getattr(time, name)

    def sleep(self, seconds: float) -> None:
        time.sleep(min(seconds, 0.01))


@pytest.fixture
def hub() -> Iterator[LoopbackHub]:
    with LoopbackHub() as running:
        yield running


@pytest.fixture
def logged_in(hub: LoopbackHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> LoopbackHub:
    """This process's client talks to the hub as user `me`; it was imported offline, for all other tests."""
    import datasets
    from huggingface_hub import constants, file_download, hf_api
    from huggingface_hub.utils import _http

    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)
    monkeypatch.setattr(constants, "ENDPOINT", hub.endpoint)
    monkeypatch.setattr(hf_api.api, "endpoint", hub.endpoint)  # that of `huggingface_hub.model_info` and the like
    address = hub.endpoint + "/{repo_id}/resolve/{revision}/{filename}"
    for module in (constants, file_download):  # the latter has a copy before version 1
        monkeypatch.setattr(module, "HUGGINGFACE_CO_URL_TEMPLATE", address, raising=False)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub_cache"))
    monkeypatch.setattr(constants, "HF_TOKEN_PATH", str(tmp_path / "no_token"))
    monkeypatch.setattr(datasets.config, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(datasets.config, "HF_ENDPOINT", hub.endpoint)
    monkeypatch.setattr(_http, "time", _Hurried())
    if hasattr(_http, "reset_sessions"):  # before version 1 a session that was made offline stays so
        _http.reset_sessions()
    monkeypatch.setenv("HF_TOKEN", MINE)
    monkeypatch.setenv("HF_HUB_DISABLE_PROGRESS_BARS", "1")
    return hub


@pytest.fixture
def elsewhere(hub: LoopbackHub, tmp_path: Path) -> Callable[..., dict[str, Any]]:
    """Runs Python code as somebody else's process, which has no dataset_dm; what it puts in `told` comes back."""

    def run(code: str, *, ours: bool = False, **environment: str) -> dict[str, Any]:
        blocked = "" if ours else "import sys; sys.modules['dataset_dm'] = None\n"
        whole = f"{blocked}import json\ntold = {{}}\n{code}\nprint('TOLD' + json.dumps(told))"
        env = {
            **os.environ,
            "HF_ENDPOINT": hub.endpoint,
            "HF_HOME": str(tmp_path / "hf_home"),
            "HF_HUB_OFFLINE": "0",
            "HF_HUB_DISABLE_XET": "1",
            "HF_UPDATE_DOWNLOAD_COUNTS": "0",
            "PYTHONPATH": str(ROOT) if ours else "",
            **environment,
        }
        done = subprocess.run([sys.executable, "-c", whole], capture_output=True, text=True, env=env, cwd=tmp_path)
        assert done.returncode == 0, done.stderr[-3000:]
        return json.loads(done.stdout.partition("TOLD")[2])

    return run
