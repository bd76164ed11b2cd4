"""A server of the standard library that takes what the SDK sends, and can be away."""

from __future__ import annotations

import contextlib
import gzip
import json
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from stockpot.sdk import Observer, Options

JSON = dict[str, Any]


class Collector:
    """What arrived. `statuses` are answered first, one a request, then 200."""

    def __init__(self, port: int = 0) -> None:
        self.bodies: list[tuple[str, JSON]] = []
        self.heads: list[dict[str, str]] = []
        self.statuses: list[int] = []
        self.respond: Callable[[str, dict[str, str]], tuple[int, JSON | None, str]] | None = None
        collector = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                raw = self.rfile.read(int(self.headers["content-length"]))
                if self.headers.get("content-encoding") == "gzip":
                    raw = gzip.decompress(raw)
                status = collector.statuses.pop(0) if collector.statuses else 200
                collector.heads.append({k.lower(): v for k, v in self.headers.items()})
                if status == 200:
                    collector.bodies.append((self.path, json.loads(raw)))
                self._answer(status, b"{}", "")

            def do_GET(self) -> None:
                assert collector.respond is not None
                heads = {k.lower(): v for k, v in self.headers.items()}
                status, body, tag = collector.respond(self.path, heads)
                self._answer(status, b"" if body is None else json.dumps(body).encode(), tag)

            def _answer(self, status: int, body: bytes, tag: str) -> None:
                with contextlib.suppress(OSError):  # whoever asked may have left
                    self.send_response(status)
                    if tag:
                        self.send_header("etag", tag)
                    self.send_header("content-length", str(len(body)))
                    self.end_headers()
                    self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                return None

        self._server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self.port = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def spans(self, count: int = 0) -> dict[str, JSON]:
        """Spans by name, waiting until there are `count`."""
        return {span["name"]: span for span in self.all(count)}

    def all(self, count: int = 0) -> list[JSON]:
        def found() -> list[JSON]:
            return [
                flat(span)
                for path, body in self.bodies
                if path == "/v1/traces"
                for group in body["resourceSpans"]
                for scope in group["scopeSpans"]
                for span in scope["spans"]
            ]

        until(lambda: len(found()) >= count)
        return found()

    def feedback(self) -> list[JSON]:
        return [
            item
            for path, body in self.bodies
            if path == "/api/v1/feedback"
            for item in body["items"]
        ]

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def flat(span: JSON) -> JSON:
    """The span with its attributes as a plain dictionary."""
    return {**span, "attributes": {a["key"]: plain(a["value"]) for a in span["attributes"]}}


def plain(value: JSON) -> Any:
    ((kind, inner),) = value.items()
    if kind == "arrayValue":
        return [plain(one) for one in inner["values"]]
    return int(inner) if kind == "intValue" else inner


def until(condition: Callable[[], Any], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.005)


@pytest.fixture
def server() -> Iterator[Collector]:
    running = Collector()
    yield running
    running.stop()


@pytest.fixture
def observe(server: Collector) -> Observer:
    return Observer(Options(url=server.url, key="sk-sp-test", send_every_s=0.02, service="kitchen"))
