"""A web server on loopback that answers as it is told to: for adapters that speak HTTP."""

import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self
from urllib.parse import parse_qs, urlsplit


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What the server sends; `hangs` sends nothing until the server is stopped."""

    body: bytes = b"{}"
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    hangs: bool = False
    breaks_off: bool = False

    @classmethod
    def of(cls, payload: object, **more: object) -> Self:
        return cls(body=json.dumps(payload).encode(), **more)  # type: ignore[arg-type]


@dataclass(frozen=True)
class Request:
    path: str
    query: Mapping[str, str]


class JsonServer:
    """Answers each request with the next of `answers`, the last one for ever."""

    def __init__(self, *answers: Answer) -> None:
        self.answers = list(answers)
        self.requests: list[Request] = []
        self._stopped = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    @property
    def patience_s(self) -> float:
        """How long to wait for it: not for ever where it hangs, but a busy machine is slow."""
        return 0.5 if any(answer.hangs for answer in self.answers) else 60.0

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stopped.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _handler(self) -> Callable[..., BaseHTTPRequestHandler]:
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                parts = urlsplit(self.path)
                query = {key: values[0] for key, values in parse_qs(parts.query).items()}
                server.requests.append(Request(parts.path, query))
                number = min(len(server.requests), len(server.answers)) - 1
                server.send(server.answers[number], self)

            def log_message(self, *_: object) -> None:
                """Stay silent."""

        return Handler

    def send(self, answer: Answer, handler: BaseHTTPRequestHandler) -> None:
        if answer.hangs:
            self._stopped.wait()
            return
        handler.send_response(answer.status)
        for name, value in answer.headers.items():
            handler.send_header(name, value)
        extra = 100 if answer.breaks_off else 0
        handler.send_header("Content-Length", str(len(answer.body) + extra))
        handler.end_headers()
        handler.wfile.write(answer.body)
