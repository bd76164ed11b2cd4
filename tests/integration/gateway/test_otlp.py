"""Spans that applications send to the gateway: into the spool, without a control plane."""

from __future__ import annotations

import gzip

import httpx
import pytest

from stockpot.gateway import otlp, spool
from tests.integration.gateway.conftest import SECRET, Rig, key

pytestmark = pytest.mark.integration

AUTH = {"authorization": f"Bearer {SECRET}"}
BODY = b"\x0a\x02\x12\x00"


def send(rig: Rig, body: bytes = BODY, **headers: str) -> httpx.Response:
    told = {"content-type": "application/x-protobuf", **AUTH, **headers}
    return httpx.post(f"{rig.url}/traces", content=body, headers=told, timeout=60)


def test_spans_lie_in_the_spool_as_they_came(rig: Rig) -> None:
    rig.keys = (key(environment="staging"),)
    rig.start()
    answer = send(rig, b"packed", **{"content-encoding": "gzip"})
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["content-type"] == "application/x-protobuf"
    in_json = send(rig, b"{}", **{"content-type": "application/json; charset=utf-8"})
    assert (in_json.status_code, in_json.content) == (200, b"{}")
    first, second = rig.records(2)
    assert (first.endpoint, first.tags, first.payload) == ("otlp", ("protobuf", "gzip"), 1)
    assert (first.project, first.environment, first.key_id) == ("default", "staging", "key_t")
    assert second.tags == ("json", "")
    rig.stop()
    (stream,) = (rig.home / "spool").iterdir()
    (_, _, place), *_ = spool.read_entries(spool.ledger_path(stream, 1))
    with (stream / "000001.payload").open("rb") as file:
        assert place is not None
        assert spool.read_bodies(file.fileno(), place) == (b"packed", None)


def test_what_cannot_be_taken_is_refused_and_leaves_nothing(rig: Rig) -> None:
    rig.start()
    assert httpx.post(f"{rig.url}/traces", content=BODY, timeout=60).status_code == 401
    assert httpx.get(f"{rig.url}/traces", headers=AUTH, timeout=60).status_code == 405
    assert send(rig, **{"content-type": "text/plain"}).status_code == 415
    refused = send(rig, **{"content-encoding": "br"})
    assert refused.status_code == 415
    assert b"gzip" in refused.content
    assert rig.records(0) == []


def test_personal_data_never_reach_the_spool_of_a_key_whose_payloads_are_masked(rig: Rig) -> None:
    rig.keys = (key(payloads="masked"),)
    rig.start()
    body = b"hello ana@example.org hello"
    for tag in (b"\x2a", b"\x12", b"\x12", b"\x0a"):  # a span's name, and what that is inside
        body = tag + bytes([len(body)]) + body
    assert send(rig, gzip.compress(body), **{"content-encoding": "gzip"}).status_code == 200
    assert send(rig, b"packed").status_code == 400
    (record,) = rig.records(1)
    assert (record.tags, record.payload) == (("protobuf", "", otlp.CLEAN), 2)
    rig.stop()
    kept = b"".join(file.read_bytes() for file in (rig.home / "spool").glob("*/*.payload"))
    assert b"hello" in kept
    assert b"ana@" not in kept


def test_spans_are_put_off_while_too_many_wait(rig: Rig) -> None:
    rig.environ = {"STOCKPOT_OTLP_BACKLOG_MB": "0"}
    rig.start()
    for told in ("application/x-protobuf", "application/json"):
        answer = send(rig, **{"content-type": told})
        assert (answer.status_code, answer.headers["retry-after"]) == (429, "5")
        assert b"google.rpc.RetryInfo" in answer.content
    assert rig.records(0) == []


def test_a_spool_without_room_for_bodies_takes_no_spans(rig: Rig) -> None:
    rig.environ = {"STOCKPOT_SPOOL_PAYLOAD_MB": "0"}
    rig.start()
    answer = send(rig)
    assert answer.status_code == 503
    assert int(answer.headers["retry-after"]) > 0
    assert rig.records(0) == []
