"""The hub as tests hold it: started on a free port, its users, its contents, its faults and its log."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from types import TracebackType

from tests.hub.loopback.faults import Fault, Faults
from tests.hub.loopback.repos import Repo
from tests.hub.loopback.server import Server

# token → user; the shape is the Hub's, the letters are not
TOKENS = {"hf_" + "m" * 34: "me", "hf_" + "o" * 34: "other"}
ORGANISATIONS = {"me": ["lab"], "other": []}


@dataclass
class LoopbackHub:
    """A server on 127.0.0.1; large files are redirected to `localhost`, another origin as far as clients know."""

    repos: dict[tuple[str, str], Repo] = field(default_factory=dict)
    objects: dict[str, bytes] = field(default_factory=dict)
    faults: Faults = field(default_factory=Faults)
    log: list[tuple[str, int]] = field(default_factory=list)
    lock: threading.RLock = field(default_factory=threading.RLock)

    def __enter__(self) -> LoopbackHub:
        self.server = Server(self)
        self._thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.server.shutdown()
        self.server.server_close()
        self._thread.join()

    @property
    def endpoint(self) -> str:
        """What HF_ENDPOINT shall be."""
        return f"http://127.0.0.1:{self.server.server_port}"

    @property
    def cdn(self) -> str:
        """Where large files come from."""
        return f"http://localhost:{self.server.server_port}"

    def fail(self, kind: str, on: str = "", *, times: int = 1, after: int = 0, seconds: float = 0.3) -> None:
        """Switches a fault on; see :class:`Fault`."""
        self.faults.waiting.append(Fault(kind, on, times, after, seconds))

    def heal(self) -> None:
        """Switches all faults off."""
        self.faults.waiting.clear()

    def dataset(self, name: str) -> Repo:
        """A dataset's repository."""
        return self.repos["datasets", name]

    def seen(self, request: str) -> int:
        """How many requests began with this text ("PUT /lfs")."""
        return sum(line.startswith(request) for line, _ in self.log)

    def content(self, kind: str, name: str, path: str, revision: str = "main") -> bytes:
        """The bytes of one file."""
        blob = self.repos[kind, name].files(revision)[path]
        return blob.data if blob.sha256 is None else self.objects[blob.sha256]
