"""Shared set-ups, checks of answers, and real calls of tools, over the API."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from stockpot.core import config
from stockpot.core.errors import InvalidInput
from stockpot.playground.models import ToolAsked
from stockpot.playground.tools import ToolCaller
from tests.integration.control.plane import Plane, plane, running

__all__ = ["plane"]

pytestmark = pytest.mark.integration

SCHEMA = {"type": "object", "required": ["items"], "properties": {
    "items": {"type": "array", "items": {"type": "object", "required": ["price"],
              "properties": {"price": {"type": "number"}}}}}}  # fmt: skip


class Tool(BaseHTTPRequestHandler):
    """A tool that tells what it was asked."""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        self._say({"got": json.loads(body), "token": self.headers["authorization"]})

    def do_GET(self) -> None:
        if self.path.startswith("/away"):
            self.send_response(302)
            self.send_header("location", "http://127.0.0.1:9/elsewhere")
            self.end_headers()
            return
        self._say({"path": self.path, "host": self.headers["host"]})

    def _say(self, said: object) -> None:
        body = json.dumps(said).encode()
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def tool() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Tool)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield f"127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


async def test_a_tool_is_called_and_its_secret_is_not_written_down(
    tmp_path: Path, tool: str
) -> None:
    async with running(tmp_path, tool_hosts="127.0.0.1") as fresh:
        admin = await fresh.admin()
        asked = {"name": "look", "url": f"http://{tool}/look?at=1", "arguments": {"dish": "soup"},
                 "headers": {"authorization": "Bearer hush-hush"}}  # fmt: skip
        answer = await admin.post("/api/v1/playground/tools", json=asked)
        assert answer.status_code == 200, answer.text
        said = json.loads(answer.json()["body"])
        assert said == {"got": {"dish": "soup"}, "token": "Bearer hush-hush"}
        got = await admin.post("/api/v1/playground/tools", json={**asked, "method": "GET"})
        told = json.loads(got.json()["body"])
        assert told == {"path": "/look?at=1&dish=soup", "host": tool}
        moved = {**asked, "method": "GET", "url": f"http://{tool}/away"}
        assert (await admin.post("/api/v1/playground/tools", json=moved)).json()["status"] == 302
        (last, *_) = (await admin.get("/api/v1/audit", params={"limit": 1})).json()
        assert (last["action"], last["subject"]) == ("playground.tool", "look")
        assert b"hush-hush" not in await fresh.kept()


@pytest.mark.parametrize(
    ("allowed", "address", "why"),
    [
        ("", "93.184.216.34", "may not call"),
        ("*.example.com", "93.184.216.34", ""),
        ("*.example.com", "10.0.0.7", "a private address"),
        ("api.example.com", "10.0.0.7", ""),
        ("api.example.com", "169.254.169.254", "never call"),
        ("other.example.org", "93.184.216.34", "STOCKPOT_TOOL_HOSTS=other.example.org,api"),
    ],
)
async def test_tools_call_only_what_the_setting_names(allowed: str, address: str, why: str) -> None:
    async def resolve(host: str, port: int) -> str:
        return address

    settings = config.load({}).replaced(tool_hosts=allowed)
    caller = ToolCaller(settings, resolve)
    if not why:
        assert await caller._checked("api.example.com", 443) == address
        return
    with pytest.raises(InvalidInput) as refused:
        await caller.call(ToolAsked(name="look", url="https://api.example.com/x"))
    assert why in str(refused.value)


async def test_a_set_up_is_shared_and_an_answer_checked(plane: Plane) -> None:
    admin = await plane.admin()
    state = {"columns": [{"settings": {"model": "echo"}}], "variables": {"dish": "soup"}}
    made = await admin.post("/api/v1/playground/shares", json={"title": "two", "state": state})
    assert made.status_code == 201, made.text
    found = (await admin.get(f"/api/v1/playground/shares/{made.json()['id']}")).json()
    assert (found["state"], found["title"], found["project"]) == (state, "two", "default")
    assert (await admin.get("/api/v1/playground/shares/shr_none")).status_code == 404

    async def checked(text: str) -> list[tuple[str, str]]:
        asked = {"json_schema": SCHEMA, "text": text}
        answer = (await admin.post("/api/v1/playground/checks", json=asked)).json()
        assert answer["valid"] is (not answer["problems"])
        return [(one["path"], one["message"]) for one in answer["problems"]]

    assert await checked('{"items": [{"price": 7.5}]}') == []
    assert await checked('{"items": [{"price": "7"}]}') == [
        ("$.items[0].price", "'7' is not of type 'number'")
    ]
    assert (await checked("soup"))[0][0] == "$"
    bad = await admin.post(
        "/api/v1/playground/checks", json={"json_schema": {"type": "soup"}, "text": "{}"}
    )
    assert bad.status_code == 422
    assert "the schema is at fault" in bad.json()["error"]["message"]
