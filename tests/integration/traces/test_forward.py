"""Spans go on to another backend as OTLP: all of them, in order, also over faults and restarts."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest

from stockpot.core.instance import Instance
from stockpot.traces import forwarder, open_span_log
from stockpot.traces.forward import BackendAway
from tests.unit.traces.made import make_shipment, make_shipped

pytestmark = pytest.mark.integration


class Backend(ThreadingHTTPServer):
    """Takes OTLP's JSON; `answers` are statuses for the next requests, then 200."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Taker)
        self.answers: list[tuple[int, dict[str, Any]]] = []
        self.spans: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/otel"


class Taker(BaseHTTPRequestHandler):
    server: Backend

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        assert self.path == "/otel/v1/traces"
        status, answer = self.server.answers.pop(0) if self.server.answers else (200, {})
        self.server.headers.append({k.lower(): v for k, v in self.headers.items()})
        if status == 200:
            for resource in body["resourceSpans"]:
                for scope in resource["scopeSpans"]:
                    self.server.spans += scope["spans"]
        said = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("content-length", str(len(said)))
        self.end_headers()
        self.wfile.write(said)

    def log_message(self, *_: object) -> None:
        return None


@pytest.fixture
def backend() -> Iterator[Backend]:
    with Backend() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def shipped(home: Path, *seeds: int, begin: int = 0) -> Instance:
    instance = Instance(home)
    log = open_span_log(instance)
    log.ingest(make_shipment(*(make_shipped(seed) for seed in seeds), begin=begin))
    log.close()
    return instance


def facts(span: dict[str, Any]) -> dict[str, Any]:
    return {a["key"]: next(iter(a["value"].values())) for a in span["attributes"]}


async def test_every_span_goes_on_once_with_the_names_of_the_conventions(
    tmp_path: Path, backend: Backend
) -> None:
    instance = shipped(tmp_path, 1, 2, 3)
    sender = forwarder(instance, backend.url, {"authorization": "Bearer hush"})
    async with httpx.AsyncClient(headers=sender._headers, timeout=60) as client:
        assert not await sender.step(client)
        assert not await sender.step(client)
    assert len(backend.spans) == 3
    assert backend.headers[0]["authorization"] == "Bearer hush"
    first = facts(backend.spans[0])
    assert first["gen_ai.operation.name"] == "chat"
    assert first["gen_ai.provider.name"] == "openai"
    assert first["gen_ai.usage.input_tokens"] == "11"
    assert float(first["stockpot.cost_usd"]) == 1e-6
    assert len(backend.spans[0]["traceId"]) == 32
    begun, ended = (int(backend.spans[0][f"{at}TimeUnixNano"]) for at in ("start", "end"))
    assert begun < ended
    sender.close()


async def test_while_the_backend_is_away_spans_wait_and_a_restart_goes_on_where_it_was(
    tmp_path: Path, backend: Backend
) -> None:
    instance = shipped(tmp_path, 1, 2)
    backend.answers = [(503, {})]
    sender = forwarder(instance, backend.url, {})
    async with httpx.AsyncClient(headers=sender._headers, timeout=60) as client:
        with pytest.raises(BackendAway):
            await sender.step(client)
        assert backend.spans == []
        await sender.step(client)
        sender.close()
        assert len(backend.spans) == 2
        again = forwarder(instance, backend.url, {})
        await again.step(client)
        again.close()
    assert len(backend.spans) == 2


async def test_what_is_refused_for_good_is_counted_and_does_not_hold_up_the_rest(
    tmp_path: Path, backend: Backend
) -> None:
    instance = shipped(tmp_path, 1)
    backend.answers = [(400, {}), (200, {"partialSuccess": {"rejectedSpans": "1"}})]
    sender = forwarder(instance, backend.url, {})
    async with httpx.AsyncClient(headers=sender._headers, timeout=60) as client:
        await sender.step(client)
        assert (sender.sent, sender.refused) == (0, 1)
        (instance.home / "otlp.place").unlink()
        await sender.step(client)
    assert (sender.sent, sender.refused) == (0, 2)
    sender.close()


async def test_it_runs_beside_and_comes_back_by_itself(tmp_path: Path, backend: Backend) -> None:
    instance = shipped(tmp_path, 1, 2)
    backend.answers = [(429, {})]
    sender = forwarder(instance, backend.url, {})
    running = asyncio.create_task(sender.run())
    for _ in range(100):
        await asyncio.sleep(0.05)
        if len(backend.spans) == 2:
            break
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert len(backend.spans) == 2
