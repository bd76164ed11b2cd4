"""OTLP over HTTP into the span log: what is acknowledged is there, by whichever door it came."""

from __future__ import annotations

import asyncio
import gzip
import json
import random
import signal
import threading
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest
import zstandard
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from stockpot.gateway import spool
from stockpot.gateway.ship import Ingest as ToIngest
from stockpot.gateway.ship import Shipper
from stockpot.traces import SpanLog, TraceFilter, open_span_log
from stockpot.traces.receiving.pricing import ToldPrices, no_prices
from tests.integration.control.plane import Plane, running
from tests.integration.traces.processes import Ingest

pytestmark = pytest.mark.integration

PROTOBUF = {"content-type": "application/x-protobuf"}


def batch(first: int, size: int = 5, **resource: str) -> bytes:
    """Spans of one trace each, numbered by their ids."""
    request = ExportTraceServiceRequest()
    group = request.resource_spans.add()
    for name, value in resource.items():
        group.resource.attributes.add(key=name.replace("_", ".")).value.string_value = value
    spans = group.scope_spans.add().spans
    for number in range(first, first + size):
        now = time.time_ns()
        span = spans.add(
            trace_id=number.to_bytes(16, "big"), span_id=number.to_bytes(8, "big"), name="chat m",
            start_time_unix_nano=now - 10**6, end_time_unix_nano=now,
        )  # fmt: skip
        told = {
            "gen_ai.operation.name": "chat",
            "gen_ai.request.model": "m",
            "gen_ai.input.messages": f'[{{"role":"user","content":"soup {number}"}}]',
        }
        for name, value in told.items():
            span.attributes.add(key=name).value.string_value = value
        span.attributes.add(key="gen_ai.usage.input_tokens").value.int_value = 7
    return request.SerializeToString()


@pytest.fixture
async def plane(tmp_path: Path) -> AsyncIterator[Plane]:
    async with running(tmp_path / "home") as fresh:
        yield fresh


@pytest.fixture
def ingest(plane: Plane) -> Iterator[Ingest]:
    process = Ingest(plane.instance.home)
    yield process
    if process.child.poll() is None:
        process.end()


async def with_key(plane: Plane, **settings: object) -> httpx.AsyncClient:
    """An application: it has a virtual key and nothing else."""
    admin = await plane.admin()
    wanted = {"name": "shop", "environment": "staging", **settings}
    made = await admin.post("/api/v1/keys", json=wanted)
    assert made.status_code == 201, made.text
    return await plane.client(made.json()["key"])


def log_of(plane: Plane) -> SpanLog:
    return open_span_log(plane.instance)


async def test_a_key_decides_where_spans_belong_and_an_answer_means_committed(
    plane: Plane, ingest: Ingest
) -> None:
    shop = await with_key(plane)
    body = batch(1, deployment_environment_name="production", stockpot_project="elsewhere")
    forms = {
        "": body, "gzip": gzip.compress(body), "zstd": zstandard.compress(body),
    }  # fmt: skip
    for encoding, sent in forms.items():  # the same spans again and again
        headers = {**PROTOBUF, "content-encoding": encoding} if encoding else PROTOBUF
        answer = await shop.post("/v1/traces", content=sent, headers=headers)
        assert (answer.status_code, answer.content) == (200, b""), answer.text
        assert answer.headers["content-type"] == "application/x-protobuf"
    log = log_of(plane)
    rows = log.traces(TraceFilter(q="soup")).items
    assert len(rows) == 5
    assert {(r.root.project, r.root.environment, r.root.source) for r in rows} == {
        ("default", "staging", "otlp")
    }
    bodies = log.payload(rows[0].trace_id, rows[0].root.span_id)
    assert json.loads(bodies.request or "")["messages"][0]["content"].startswith("soup")
    overview = log.overview(TraceFilter(environment="staging"))
    assert (overview.totals.calls, overview.totals.input_tokens) == (5, 35)
    assert [(g.key, g.totals.calls) for g in overview.by_model] == [("m", 5)]
    log.close()


async def test_json_is_answered_in_json_and_says_what_was_refused(
    plane: Plane, ingest: Ingest
) -> None:
    shop = await with_key(plane)
    good = {"traceId": "a" * 32, "spanId": "b" * 16, "name": "s"}
    spans = [good, {**good, "spanId": ""}]
    told = {"resourceSpans": [{"scopeSpans": [{"spans": spans}]}]}
    answer = await shop.post("/v1/traces", json=told)
    assert answer.status_code == 200
    partial = answer.json()["partialSuccess"]
    assert partial["rejectedSpans"] == "1"
    assert "8 bytes" in partial["errorMessage"]
    answer = await shop.post("/v1/traces", content=batch(1)[:-3], headers=PROTOBUF)
    assert answer.status_code == 400
    assert b"ExportTraceServiceRequest" in answer.content
    answer = await shop.post("/v1/traces", content=b"x", headers={"content-type": "text/plain"})
    assert answer.status_code == 415
    answer = await (await plane.client("sk-sp-unknown")).post("/v1/traces", json=told)
    assert answer.status_code == 401


async def test_a_token_says_its_project_in_a_header_or_in_the_resource(
    plane: Plane, ingest: Ingest
) -> None:
    admin = await plane.admin()
    assert (await admin.post("/api/v1/projects", json={"name": "till"})).status_code == 201
    send = [
        (batch(10), {"x-stockpot-project": "till", "x-stockpot-environment": "dev"}),
        (batch(20, stockpot_project="till", deployment_environment_name="dev"), {}),
    ]
    for body, headers in send:
        answer = await admin.post("/v1/traces", content=body, headers={**PROTOBUF, **headers})
        assert answer.status_code == 200, answer.text
    for body, headers, status in (
        (batch(30), {}, 400),
        (batch(30, stockpot_project="nowhere"), {}, 404),
        (batch(30, stockpot_project="till") + batch(40, stockpot_project="default"), {}, 400),
    ):
        answer = await admin.post("/v1/traces", content=body, headers={**PROTOBUF, **headers})
        assert answer.status_code == status, answer.text
    log = log_of(plane)
    assert len(log.traces(TraceFilter(project="till", environment="dev")).items) == 10
    log.close()


async def test_what_a_key_may_not_keep_is_not_kept(plane: Plane, ingest: Ingest) -> None:
    shop = await with_key(plane, payloads="none")
    answer = await shop.post("/v1/traces", content=batch(1), headers=PROTOBUF)
    assert answer.status_code == 200
    log = log_of(plane)
    assert log.traces(TraceFilter(q="soup")).items == ()
    (row, *_) = log.traces(TraceFilter()).items
    assert (row.root.payload, row.root.input_preview, row.root.tokens.input) == ("none", "", 7)
    log.close()


async def test_spans_wait_in_the_spool_while_ingest_is_away(plane: Plane) -> None:
    shop = await with_key(plane)
    for number in (1, 6):
        answer = await shop.post("/v1/traces", content=batch(number), headers=PROTOBUF)
        assert (answer.status_code, answer.content) == (200, b"")
    (stream,) = plane.instance.spool.iterdir()
    assert [what.endpoint for _, what, _ in spool.read_entries(spool.ledger_path(stream, 1))] == [
        "otlp", "otlp",
    ]  # fmt: skip
    assert log_of(plane).verify().spooled == 2
    process = Ingest(plane.instance.home)
    await plane.app.state.control.door.close()
    ship_all(plane)
    process.end()
    log = log_of(plane)
    assert len(log.traces(TraceFilter(q="soup")).items) == 10
    found = log.verify()
    assert (found.spooled, found.lost, found.problems) == (0, 0, ())
    log.close()


def ship_all(plane: Plane) -> None:
    """Bring everything that lies in the spool to ingest."""
    url = str((plane.instance.announced("ingest") or {})["url"])
    shipper = Shipper(plane.instance.spool, ToIngest(lambda: url, plane.instance.internal_token),
                      look_s=0)  # fmt: skip
    deadline = time.monotonic() + 60
    while shipper.step() or any(plane.instance.spool.iterdir()):
        assert time.monotonic() < deadline
    shipper.close()


@pytest.mark.parametrize("rounds", [3, pytest.param(20, marks=pytest.mark.nightly)])
async def test_no_acknowledged_span_is_lost_when_ingest_is_killed_under_load(
    plane: Plane, rounds: int
) -> None:
    shop = await with_key(plane)
    rng = random.Random(7)
    acknowledged: list[int] = []
    number = 1
    for _ in range(rounds):
        process = Ingest(plane.instance.home)
        kill = threading.Timer(rng.uniform(0.1, 0.5), process.child.send_signal, [signal.SIGKILL])
        kill.start()
        while process.child.poll() is None or number % 4:  # some come while it is dead
            answer = await shop.post("/v1/traces", content=batch(number * 5), headers=PROTOBUF)
            if answer.status_code == 200:
                acknowledged += range(number * 5, number * 5 + 5)
            number += 1
        process.end(signal.SIGKILL)
    process = Ingest(plane.instance.home)
    await plane.app.state.control.door.close()
    ship_all(plane)
    process.end()
    log = log_of(plane)
    there = {int(span.span_id, 16) for span in log.export(TraceFilter())}
    assert acknowledged
    assert not set(acknowledged) - there
    assert log.verify().problems == ()
    log.close()


async def test_a_price_that_was_stated_here_reaches_what_takes_spans_in(plane: Plane) -> None:
    admin = await plane.admin()
    lab = {"vendor": "openai-compatible", "base_url": "http://127.0.0.1:9/v1", "models": ["m"]}
    done = await admin.put("/api/v1/providers/lab", json={**lab, "secret": "sk-0000"})
    assert done.is_success, done.text
    price = {"provider": "lab", "model": "m", "dollars": {"input": 3.0}, "source": "a contract"}
    stated = await admin.post("/api/v1/prices", json=price)
    assert stated.is_success, stated.text
    prices = ToldPrices(plane.instance, no_prices)
    deadline = time.monotonic() + 60
    while not (rows := prices("lab", "m")):
        assert time.monotonic() < deadline
        await asyncio.sleep(0.05)
    assert rows[-1].input == 3_000_000
    assert prices("lab", "another") == ()
