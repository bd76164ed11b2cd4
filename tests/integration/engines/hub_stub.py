"""A model hub on loopback that speaks the Hugging Face protocol, with a separate host for bytes.

Written from the protocol as the hub documents it; shares no code with the product. Each fault that
a download must survive is a knob.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote

COMMIT = "c0ffee" + "0" * 34


@dataclass
class Hub:
    """The repository `acme/tiny` and how the servers misbehave."""

    files: dict[str, bytes]
    branches: dict[str, str] = field(default_factory=lambda: {"main": COMMIT})
    token: str = ""
    lfs: bool = True
    break_after: int = 0
    breaks: int = 0
    ignore_range: bool = False
    failures: int = 0
    served: bytes | None = None
    url: str = ""
    cdn: str = ""
    requests: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)

    def asked(self, method: str, part: str) -> list[dict[str, str]]:
        """Headers of the requests whose path contains `part`."""
        return [h for m, path, h in self.requests if m == method and part in path]


@contextlib.contextmanager
def running(hub: Hub) -> Iterator[Hub]:
    """Serve until the block ends."""
    servers = [ThreadingHTTPServer(("127.0.0.1", 0), _handler(hub, kind)) for kind in (_Api, _Cdn)]
    threads = [threading.Thread(target=s.serve_forever, args=(0.02,)) for s in servers]
    for thread in threads:
        thread.start()
    hub.url, hub.cdn = (f"http://127.0.0.1:{s.server_address[1]}" for s in servers)
    try:
        yield hub
    finally:
        for server, thread in zip(servers, threads, strict=True):
            server.shutdown()
            thread.join()
            server.server_close()


class _Base(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    hub: Hub

    def log_message(self, *_: object) -> None:
        pass

    def answer(self, status: int, body: bytes = b"", **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        if "Content_Length" not in headers:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def note(self) -> None:
        headers = {k.lower(): v for k, v in self.headers.items()}
        self.hub.requests.append((self.command, unquote(self.path), headers))


class _Api(_Base):
    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        self.note()
        hub = self.hub
        if hub.failures:
            hub.failures -= 1
            return self.answer(503, b"busy")
        if hub.token and self.headers.get("Authorization") != f"Bearer {hub.token}":
            return self.answer(401, X_Error_Code="GatedRepo", X_Error_Message="Access is gated.")
        if match := re.fullmatch(r"/api/models/acme/tiny/revision/([^/?]+)", self.path):
            return self._revision(unquote(match[1]))
        if match := re.fullmatch(r"/acme/tiny/resolve/([0-9a-f]{40})/(.+)", self.path):
            return self._file(match[1], unquote(match[2]))
        return self.answer(404, X_Error_Code="RepoNotFound", X_Error_Message="Repository not found")

    def _revision(self, revision: str) -> None:
        commit = self.hub.branches.get(revision, revision)
        if commit not in self.hub.branches.values():
            return self.answer(404, X_Error_Code="RevisionNotFound", X_Error_Message="No revision")
        siblings = [{"rfilename": name} for name in ("README.md", *self.hub.files)]
        document = {"id": "acme/tiny", "sha": commit, "siblings": siblings, "private": False}
        return self.answer(200, json.dumps(document).encode(), Content_Type="application/json")

    def _file(self, commit: str, name: str) -> None:
        content = self.hub.files.get(name)
        if content is None or commit not in self.hub.branches.values():
            return self.answer(404, X_Error_Code="EntryNotFound")
        if not self.hub.lfs:
            blob = hashlib.sha1(b"blob %d\0%b" % (len(content), content)).hexdigest()
            return self.answer(200, self.hub.served or content, ETag=f'"{blob}"')
        return self.answer(
            302,
            Location=f"{self.hub.cdn}/blobs/{name}",
            ETag='"of-the-redirect"',
            X_Repo_Commit=commit,
            X_Linked_Size=str(len(content)),
            X_Linked_Etag=f'"{hashlib.sha256(content).hexdigest()}"',
        )


class _Cdn(_Base):
    def do_GET(self) -> None:
        self.note()
        hub = self.hub
        content = hub.served or hub.files.get(unquote(self.path).removeprefix("/blobs/"))
        if content is None:
            return self.answer(200, b"<html>a page</html>")
        wanted = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        begin = int(wanted[1]) if wanted and not hub.ignore_range else 0
        rest = content[begin:]
        headers = {"Content_Length": str(len(rest)), "ETag": '"of-the-bytes"'}
        if begin:
            headers["Content_Range"] = f"bytes {begin}-{len(content) - 1}/{len(content)}"
        if hub.breaks:
            hub.breaks -= 1
            self.answer(206 if begin else 200, rest[: hub.break_after], **headers)
            self.close_connection = True
            return None
        return self.answer(206 if begin else 200, rest, **headers)


def _handler(hub: Hub, kind: type[_Base]) -> type[_Base]:
    return type(kind.__name__, (kind,), {"hub": hub})
