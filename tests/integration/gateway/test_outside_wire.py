"""A wire from outside: the documentation's example, installed as a package, in a real worker."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import openai
import pytest

from tests.integration.gateway.conftest import SECRET, Rig

pytestmark = pytest.mark.integration

PAGE = (Path(__file__).parents[3] / "docs/how-to/add-a-vendor.md").read_text("utf-8")
WIRE = re.search(r"<!-- the wire of the test -->\n```python\n(.*?)```", PAGE, re.DOTALL)
POINT = re.search(r'```toml\n\[project.entry-points."stockpot.wires"\]\n(.*?)```', PAGE, re.DOTALL)


class PlainHandler(BaseHTTPRequestHandler):
    """Says each word of what it is told, one chunk after the other."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        said = self.rfile.read(int(self.headers["content-length"])).decode()
        if self.path != "/say" or self.headers["content-type"] != "text/plain":
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header("content-type", "text/plain; charset=utf-8")
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()
        for word in re.findall(r"\S+\s*", f"You said: {said} ☕"):
            for piece in (word.encode()[:1], word.encode()[1:]):
                if piece:
                    self.wfile.write(b"%x\r\n%b\r\n" % (len(piece), piece))
                    self.wfile.flush()
        self.wfile.write(b"0\r\n\r\n")

    def log_message(self, format: str, *args: object) -> None:
        return None


@pytest.fixture
def plain_url() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), PlainHandler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


def installed(folder: Path) -> Path:
    """The example as an installer leaves it: a module, and metadata with its entry point."""
    assert WIRE is not None
    assert POINT is not None
    about = folder / "plain_wire-1.0.dist-info"
    about.mkdir(parents=True)
    (folder / "plain_wire.py").write_text(WIRE[1], "utf-8")
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: plain-wire\nVersion: 1.0\n")
    point = POINT[1].replace('"', "")
    (about / "entry_points.txt").write_text(f"[stockpot.wires]\n{point}")
    return folder


def test_the_documentations_wire_serves_the_stock_sdk(
    rig: Rig, plain_url: str, tmp_path: Path
) -> None:
    rig.environ = {"PYTHONPATH": str(installed(tmp_path / "site"))}
    target = rig.target("any", wire="plain", base_url=plain_url, headers=(), free=True)
    rig.route("small", target, degrade="hints")
    rig.start()
    with openai.OpenAI(base_url=rig.url, api_key=SECRET, max_retries=0) as sdk:
        whole = sdk.chat.completions.create(
            model="small", messages=[{"role": "user", "content": "hello"}]
        )
        chunks = list(
            sdk.chat.completions.create(
                model="small", messages=[{"role": "user", "content": "hello"}], stream=True
            )
        )
        response = sdk.responses.create(model="small", input="tea")
    assert whole.choices[0].message.content == "You said: hello ☕"
    assert "".join(c.choices[0].delta.content or "" for c in chunks if c.choices) == (
        "You said: hello ☕"
    )
    assert chunks[-1].choices[0].finish_reason == "stop"
    assert response.output_text == "You said: tea ☕"
    assert [r.target for r in rig.records(3)] == ["any"] * 3


def test_what_the_wire_cannot_say_is_refused_in_its_words(
    rig: Rig, plain_url: str, tmp_path: Path
) -> None:
    rig.environ = {"PYTHONPATH": str(installed(tmp_path / "site"))}
    rig.route("small", rig.target("any", wire="plain", base_url=plain_url, headers=()))
    rig.start()
    answer = rig.post(
        messages=[{"role": "system", "content": "x"}, {"role": "user", "content": "y"}]
    )
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "unsupported_by_target")
    assert "only the last message is said" in answer.json()["error"]["message"]
    auth = {"authorization": f"Bearer {SECRET}"}
    body = {"model": "small", "input": "x"}
    refused = httpx.post(f"{rig.url}/embeddings", json=body, headers=auth, timeout=60)
    assert "nothing like embeddings" in refused.json()["error"]["message"]
