"""A web server that takes messages, and answers as it is told to."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Receiver:
    """Keeps what came. `answers` are statuses for the next messages; then it takes each."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.answers: list[int] = []
        self.headers: list[dict[str, str]] = []
        self.bodies: list[bytes] = []
        self.paths: list[str] = []

    @property
    def messages(self) -> list[dict[str, Any]]:
        return [json.loads(body) for body in self.bodies]

    @property
    def said(self) -> list[str]:
        return [message["type"] for message in self.messages]

    def signed_by(self, secret: str) -> bool:
        """Whether each message carries the signature that a library would ask for."""
        key = base64.b64decode(secret.removeprefix("whsec_"))
        for headers, body in zip(self.headers, self.bodies, strict=True):
            content = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
            digest = base64.b64encode(hmac.new(key, content, hashlib.sha256).digest()).decode()
            if headers["webhook-signature"] != f"v1,{digest}":
                return False
        return True


@contextmanager
def receiving() -> Iterator[Receiver]:
    """A receiver on a free port."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            receiver.paths.append(self.path)
            receiver.headers.append({k.lower(): v for k, v in self.headers.items()})
            receiver.bodies.append(body)
            status = receiver.answers.pop(0) if receiver.answers else 200
            self.send_response(status)
            if status == 302:
                self.send_header("location", "http://169.254.169.254/latest")
            if status == 429:
                self.send_header("retry-after", "77")
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    receiver = Receiver(f"http://127.0.0.1:{server.server_address[1]}/hooks/s3cret-path")
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
