"""History read again: rows and every sum mean what is known now, and nothing else changes."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from stockpot.gateway import Shipment, Shipped, otlp
from stockpot.prices import PriceRow
from stockpot.traces import SpanLog, TraceFilter
from stockpot.traces.dialects import normalise
from stockpot.traces.models import SubjectFilter
from stockpot.traces.store.embedded import SqliteSpanStore
from stockpot.traces.store.orders import Priced, Reprice
from stockpot.traces.store.rewriting import Stretch
from tests.unit.traces.made import make_shipment, make_shipped
from tests.unit.traces.test_dialects import request

pytestmark = pytest.mark.integration

ROW = (PriceRow("row", 0, input=1_000_000, output=2_000_000),)
NOW = str(time.time_ns())
HOUSE = {"house.op": "talk", "house.model": "m", "house.used": 40, "house.made": 10,
         "house.said": "quince soup", "house.guest": "guest",
         "gen_ai.provider.name": "openai"}  # fmt: skip
"""A dialect that nobody knows yet."""


def taken(log: SpanLog, body: bytes, project: str = "menu") -> None:
    record = otlp.entry(project, "production", "key_a", "full", ("json", ""), len(body))
    log.ingest(Shipment("", 0, 0, 0, (Shipped(record, body),)))


def spans(*told: dict[str, Any]) -> bytes:
    at = {"startTimeUnixNano": NOW, "endTimeUnixNano": NOW}
    return request(*({**at, "attributes": one} for one in told))


@pytest.fixture
def log(tmp_path: Path) -> Iterator[SpanLog]:
    opened = SpanLog(SqliteSpanStore(tmp_path), prices=lambda *_: ROW)
    yield opened
    opened.close()


def learn(monkeypatch: pytest.MonkeyPatch) -> None:
    """An upgrade that knows the dialect."""
    places = dict(normalise.__globals__["_PLACES"])
    place = normalise.__globals__["Place"]
    rank = len(normalise.__globals__["ORDER"]) - 1
    for name, field in (("house.model", "request_model"), ("house.used", "input_tokens"),
                        ("house.made", "output_tokens"), ("house.guest", "user")):  # fmt: skip
        places[name] = place(rank, field, None)
    places["house.op"] = place(rank, "operation", {"talk": "llm"})
    monkeypatch.setitem(normalise.__globals__, "_PLACES", places)


def figures(log: SpanLog) -> tuple[Any, ...]:
    totals = log.overview(TraceFilter()).totals
    return (totals.calls, totals.input_tokens, totals.output_tokens, totals.cost_nano)


def test_history_is_read_again_when_a_dialect_is_known_better(
    log: SpanLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    log.ingest(make_shipment(make_shipped(1)))
    before = figures(log)
    taken(log, spans({**HOUSE, "session.id": "s"}, {"x": "y"}))
    taken(log, spans(HOUSE), "till")
    assert figures(log) == before
    learn(monkeypatch)
    done = log.renormalise(Stretch(project="menu", limit=1))
    assert (done.read, done.changed) == (1, 1)
    assert done.following is not None
    rest = log.renormalise(Stretch(project="menu", after=done.following))
    assert (rest.read, rest.changed, rest.following) == (1, 0, None)
    calls, into, out, cost = before
    assert figures(log) == (calls + 1, into + 40, out + 10, cost + 60_000)
    session = log.subjects("session", SubjectFilter(name="s")).items[0]
    assert (session.calls, session.input_tokens, session.cost_nano) == (1, 40, 60_000)
    (user,) = log.subjects("user", SubjectFilter(name="guest")).items
    assert (user.spans, user.calls, user.output_tokens) == (2, 1, 10)
    overview = log.overview(TraceFilter())
    assert {group.key: group.totals.calls for group in overview.by_model}["m"] == 1
    (span,) = (s for s in log.export(TraceFilter(project="menu", model="m")))
    assert (span.kind, span.requested_model, span.cost_nano) == ("llm", "m", 60_000)
    assert log.renormalise(Stretch()).changed == 1  # that of the other project
    assert log.renormalise(Stretch()).changed == 0
    audit = log._store.audit()
    assert (audit.problems, audit.missing_payloads) == ((), 0)


def test_only_the_times_that_were_asked_for_are_read(
    log: SpanLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken(log, spans(HOUSE))
    learn(monkeypatch)
    assert log.renormalise(Stretch(to_ns=int(NOW))).read == 0
    assert log.renormalise(Stretch(from_ns=int(NOW))).read == 1


def test_a_call_that_another_tells_still_counts_nothing(log: SpanLog) -> None:
    call = {"gen_ai.operation.name": "chat", "gen_ai.request.model": "m",
            "gen_ai.usage.input_tokens": 5, "gen_ai.usage.output_tokens": 1}  # fmt: skip
    inner = {"spanId": "a" * 16, "parentSpanId": "b" * 16, "startTimeUnixNano": NOW,
             "endTimeUnixNano": NOW, "attributes": call}  # fmt: skip
    taken(log, request(inner, {**inner, "spanId": "b" * 16, "parentSpanId": ""}))
    once = figures(log)
    assert once[:2] == (1, 5)
    assert log.renormalise(Stretch()).changed == 0
    assert figures(log) == once


def test_a_price_that_changes_is_in_the_sums_of_what_others_tell_too(log: SpanLog) -> None:
    call = {"gen_ai.operation.name": "chat", "gen_ai.request.model": "m",
            "gen_ai.usage.input_tokens": 5, "gen_ai.usage.output_tokens": 1}  # fmt: skip
    taken(log, spans(call))
    assert figures(log) == (1, 5, 1, 7_000)
    log._store.perform(Reprice((Priced(1, 9_000, "", "", "row-2", "a contract", 0),)))
    assert figures(log) == (1, 5, 1, 9_000)
    (model,) = log.overview(TraceFilter()).by_model
    assert (model.key, model.totals.calls, model.totals.cost_nano) == ("m", 1, 9_000)
    assert log.renormalise(Stretch()).changed == 0
    assert figures(log) == (1, 5, 1, 9_000)
