"""HTTP on the loopback interface: reads requests, lets faults befall them, sends answers."""

from __future__ import annotations

import json
import socket
import struct
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, unquote, urlsplit

from tests.hub.loopback import routes
from tests.hub.loopback.repos import Refused

if TYPE_CHECKING:
    from tests.hub.loopback.faults import Fault
    from tests.hub.loopback.hub import LoopbackHub


@dataclass(slots=True)
class Request:
    """One request; `segments` are the path's parts, unquoted one by one, so that `refs%2Fpr%2F1` stays one."""

    method: str
    segments: list[str]
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes
    user: str | None

    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body or b"{}")


@dataclass(slots=True)
class Answer:
    """One answer; `length` is said instead of the body's own when HEAD asks."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, plain: Any, status: int = 200) -> Answer:
        """JSON."""
        return cls(status, json.dumps(plain).encode(), {"Content-Type": "application/json"})


class Server(ThreadingHTTPServer):
    """One thread a connection."""

    daemon_threads = True

    def __init__(self, hub: LoopbackHub) -> None:
        self.hub = hub
        super().__init__(("127.0.0.1", 0), Handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is no news; what is wrong in here is answered with 500 and said there."""


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Server

    def serve(self) -> None:
        """One request: fault before, work, fault after, answer."""
        hub = self.server.hub
        line = f"{self.command} {self.path}"
        fault = hub.faults.take(line)
        if fault is not None and fault.kind == "reset":
            return self._reset(line)
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.headers.get("Transfer-Encoding", "").lower() == "chunked":
            body = b"".join(self._chunks())
        if fault is not None and fault.kind == "slow":
            time.sleep(fault.seconds)
        answer = self._refusal(fault) or self._answer(body)
        if fault is not None and fault.kind == "lost":
            return self._reset(line)
        hub.log.append((line, answer.status))
        self._send(answer, truncated=fault is not None and fault.kind == "truncate")

    do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = serve

    def log_message(self, format: str, *args: Any) -> None:
        """Silent; `LoopbackHub.log` has it."""

    def _chunks(self) -> Any:
        while size := int(self.rfile.readline().split(b";")[0], 16):
            yield self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()

    def _refusal(self, fault: Fault | None) -> Answer | None:
        if fault is None or not fault.kind.isdigit():
            return None
        answer = Answer.of({"error": f"fault {fault.kind}"}, int(fault.kind))
        if fault.kind == "401":  # without this the client takes a 401 of a file for something else
            answer.headers["X-Error-Code"] = "RepoNotFound"
        return answer

    def _answer(self, body: bytes) -> Answer:
        from tests.hub.loopback.hub import TOKENS

        parts = urlsplit(self.path)
        token = self.headers.get("Authorization", "").removeprefix("Bearer ")
        request = Request(
            method=self.command,
            segments=[unquote(segment) for segment in parts.path.strip("/").split("/")],
            query={name: values[0] for name, values in parse_qs(parts.query, keep_blank_values=True).items()},
            headers={name.lower(): value for name, value in self.headers.items()},
            body=body,
            user=TOKENS.get(token),
        )
        try:
            if token and request.user is None:
                raise Refused(401, message="Invalid credentials in Authorization header")
            with self.server.hub.lock:
                return routes.answer(self.server.hub, request)
        except Refused as refused:
            headers = {"X-Error-Code": refused.code, "X-Error-Message": refused.message}
            answer = Answer.of({"error": refused.message}, refused.status)
            answer.headers.update({name: value for name, value in headers.items() if value})
            return answer
        except Exception as error:
            return Answer.of({"error": f"{type(error).__name__}: {error}"}, 500)

    def _send(self, answer: Answer, *, truncated: bool) -> None:
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        if "Content-Length" not in answer.headers:
            self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        if self.command == "HEAD":
            return
        if truncated:
            self.wfile.write(answer.body[: len(answer.body) // 2])
            self.close_connection = True
            return
        self.wfile.write(answer.body)

    def _reset(self, line: str) -> None:
        """Cuts the connection so that the other side sees a reset, not an orderly end."""
        self.server.hub.log.append((line, 0))
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()
        self.close_connection = True
