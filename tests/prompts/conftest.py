"""A small OpenAI-style service on this machine, sources that use it, and a separate home folder for every test."""

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from dataset_dm.prompts import Endpoint, LanguageModel, Templates

MIX = Templates(("cat", "dog", "tvmonitor"))
KEY = "sk-very-secret-0123456789"
# (number of the request from 0, its JSON) → (status, body)
Answer = Callable[[int, dict[str, Any]], tuple[int, Any]]


class Service:
    """A service whose answers are computed by a function; it records the requests."""

    def __init__(self) -> None:
        self.requests: list[dict[str, Any]] = []
        self.keys: list[str | None] = []
        self.answer: Answer = lambda number, request: (200, said(sentences(request)))
        self._lock = threading.Lock()
        service = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                with service._lock:
                    number = len(service.requests)
                    service.requests.append({"path": self.path, **request})
                    service.keys.append(self.headers.get("Authorization"))
                status, body = service.answer(number, request)
                data = body if isinstance(body, bytes) else json.dumps(body).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(data)))
                self.send_header("retry-after-ms", "1")
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/v1"
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


def asked(request: dict[str, Any]) -> list[list[str]]:
    """The class words of every caption of a request."""
    lines = [line for line in request["messages"][-1]["content"].splitlines() if line[:1].isdigit()]
    return [line.partition(". ")[2].partition(" (")[0].split(", ") for line in lines]


def sentences(request: dict[str, Any]) -> str:
    """One usable caption a line, with its number."""
    lines = (" and a ".join(words) for words in asked(request))
    return "\n".join(f"{number}. A sunny view of a {line}." for number, line in enumerate(lines, start=1))


def writer_of(service: Service, **more: Any) -> Endpoint:
    return Endpoint(model="tiny", url=service.url, **more)


def source_of(service: Service, block: int = 4, **more: Any) -> LanguageModel:
    return LanguageModel(writer=writer_of(service, **more), mix=MIX, block=block)


def files(folder: Path) -> list[Path]:
    """The prompt caches in a home folder."""
    return sorted((folder / "prompts").glob("*"))


def said(text: str | None) -> dict[str, Any]:
    """A complete answer of the chat protocol."""
    message = {"role": "assistant", "content": text}
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    return {"id": "1", "object": "chat.completion", "created": 0, "model": "m", "choices": [choice]}


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Iterator[Service]:
    """A running service; no key and no address in the environment."""
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1,localhost")
    running = Service()
    yield running
    running.close()


@pytest.fixture
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The test's own $DATASET_DM_HOME."""
    monkeypatch.setenv("DATASET_DM_HOME", str(tmp_path / "home"))
    return tmp_path / "home"
