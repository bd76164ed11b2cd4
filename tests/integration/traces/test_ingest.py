"""The ingest process over HTTP: who may ship, what is answered, and when."""

from __future__ import annotations

import http.client
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec
import pytest

from stockpot.gateway import Shipment, ShipmentAck
from stockpot.traces import TraceFilter, open_span_log
from tests.integration.traces.processes import SERVE, Ingest
from tests.unit.traces.made import make_shipment, make_shipped

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def ingest(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ingest]:
    """One process for all tests of this file; each ships streams of its own."""
    running = Ingest(tmp_path_factory.mktemp("home"))
    yield running
    assert running.end() == 0


def ack(body: bytes) -> ShipmentAck:
    return msgspec.msgpack.decode(body, type=ShipmentAck)


def test_what_is_acknowledged_can_be_read_by_another_process(ingest: Ingest) -> None:
    item = make_shipped(1, said=("what soup", "leek"))
    answer = ingest.post(make_shipment(item, stream="read-0-1"))
    assert (answer.status_code, ack(answer.content)) == (200, ShipmentAck("read-0-1", 1, 100))
    log = open_span_log(ingest.instance)
    trace = log.trace(item.record.trace_id.hex())
    assert trace.spans[0].output_preview == "leek"
    assert log.traces(TraceFilter(q="leek")).items
    log.close()


def test_a_repeated_shipment_is_answered_with_the_offset(ingest: Ingest) -> None:
    shipment = make_shipment(make_shipped(20), stream="again-0-1")
    ingest.post(shipment)
    answer = ingest.post(shipment)
    assert (answer.status_code, ack(answer.content).offset) == (409, 100)


@pytest.mark.parametrize("token", ["", "Bearer wrong", "Bearer \xe9", "Basic x"])
def test_who_has_not_the_token_is_refused(ingest: Ingest, token: str) -> None:
    shipment = make_shipment(make_shipped(30), stream="stranger-0-1")
    answer = ingest.http.post(
        "/internal/shipments",
        content=msgspec.msgpack.encode(shipment),
        headers={"authorization": token.encode("latin-1")},  # type: ignore[dict-item]
    )
    assert answer.status_code == 401
    assert answer.json()["error"]["code"] == "not_signed_in"


@pytest.mark.parametrize(
    "body", [b"", b"\xc1", b"not a shipment", msgspec.msgpack.encode({"a": 1})]
)
def test_what_is_no_shipment_is_refused(ingest: Ingest, body: bytes) -> None:
    answer = ingest.post(body)
    assert answer.status_code == 400
    assert "not a shipment" in answer.json()["error"]["message"]


def test_a_shipment_that_says_it_is_huge_is_refused_unread(ingest: Ingest) -> None:
    connection = http.client.HTTPConnection(ingest.url.removeprefix("http://"), timeout=60)
    connection.putrequest("POST", "/internal/shipments")
    connection.putheader("authorization", f"Bearer {ingest.instance.internal_token}")
    connection.putheader("content-length", str(10**12))
    connection.endheaders()
    assert connection.getresponse().status == 413
    connection.close()


def test_a_record_that_no_column_holds_is_told_apart_from_a_full_disk(ingest: Ingest) -> None:
    bad = make_shipped(40, duration_ns=2**63)
    good = make_shipment(make_shipped(41), stream="beside-0-1")
    with ThreadPoolExecutor(2) as pool:
        answers = pool.map(ingest.post, [make_shipment(bad, stream="poison-0-1"), good])
    assert [answer.status_code for answer in answers] == [422, 200]
    assert ingest.http.get("/readyz").status_code == 200


def test_shipments_that_arrive_together_are_all_committed(ingest: Ingest) -> None:
    def ship(stream: int) -> list[int]:
        return [
            ingest.post(
                make_shipment(
                    make_shipped(10_000 + 100 * stream + n, said=("soup", "yes")),
                    begin=100 * n,
                    stream=f"together-{stream}-1",
                )
            ).status_code
            for n in range(20)
        ]

    with ThreadPoolExecutor(8) as pool:
        codes = [code for codes in pool.map(ship, range(8)) for code in codes]
    assert codes == [200] * 160


def test_metrics_count_what_was_taken(ingest: Ingest) -> None:
    def spans() -> float:
        lines = ingest.http.get("/metrics").text.splitlines()
        found = dict(line.split(" ") for line in lines if not line.startswith("#"))
        return float(found["stockpot_ingest_spans_total"])

    before = spans()
    ingest.post(make_shipment(make_shipped(50), make_shipped(51), stream="counted-0-1"))
    assert spans() == before + 2


def test_health_needs_no_token(ingest: Ingest) -> None:
    for path in ("/healthz", "/readyz"):
        assert ingest.http.get(path, headers={"authorization": ""}).status_code == 200


def test_a_second_ingest_says_that_there_is_one(ingest: Ingest) -> None:
    argv = [sys.executable, "-c", SERVE, str(ingest.instance.home), "NORMAL"]
    ran = subprocess.run(argv, capture_output=True, text=True, timeout=60)
    assert ran.returncode != 0
    assert f"process {ingest.child.pid} already writes" in ran.stderr + ran.stdout


def test_an_orderly_end_commits_what_waits(tmp_path: Path) -> None:
    running = Ingest(tmp_path, "FULL")
    shipments: list[Shipment] = [
        make_shipment(*(make_shipped(1000 * s + n, said=("a", "b")) for n in range(50)),
                      stream=f"host-{s}-1") for s in range(6)
    ]  # fmt: skip
    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(running.post, shipments))
    assert running.end() == 0
    log = open_span_log(running.instance)
    found = log.verify()
    assert found.spans == 50 * sum(answer.status_code == 200 for answer in answers)
    assert found.problems == ()
    log.close()
