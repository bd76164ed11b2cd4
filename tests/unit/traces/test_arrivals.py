from __future__ import annotations

import json

import msgspec
import pytest

from stockpot.gateway import Record
from stockpot.traces.arrivals import arrival, batch_of
from stockpot.traces.store import NewSpan
from tests.unit.traces.made import make_record, make_shipment, make_shipped
from tests.unit.traces.test_dialects import request, take


def span_of(**changes: object) -> NewSpan:
    return arrival(make_shipped(1, **changes))[0]


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({}, "ok"),
        ({"error": "upstream_error", "status": 502}, "error"),
        ({"error": "interrupted", "status": 0}, "interrupted"),
        ({"error": "client_disconnect", "status": 499}, "interrupted"),
        ({"error": "hedge_lost", "status": 0}, "interrupted"),
        ({"error": "rate_limit_exceeded", "status": 429, "target": "", "model": ""}, "refused"),
    ],
)
def test_how_a_call_ended(changes: dict[str, object], status: str) -> None:
    assert span_of(**changes).status == status


@pytest.mark.parametrize(
    ("reason", "shown"),
    [("", ""), ("weighted", ""), ("fallback", ""), ("shadow", " (shadow)"),
     ("rule:eu", " (rule:eu)"), ("sticky", " (sticky)"), ("hedge", " (hedge)")],
)  # fmt: skip
def test_an_unusual_choice_of_target_is_in_the_name(reason: str, shown: str) -> None:
    span = span_of(route_reason=reason)
    assert span.name == f"{span.endpoint} {span.model}{shown}"


def test_unknown_cost_stays_unknown() -> None:
    assert span_of(cost_nano=None).cost_nano is None
    assert span_of(cost_nano=0).cost_nano == 0


def test_times_that_were_not_measured_are_absent() -> None:
    span = span_of(ttft_ns=0, tpot_ns=0)
    assert (span.ttft_ns, span.tpot_ns) == (None, None)


def test_a_refused_call_shows_the_name_that_was_asked_for() -> None:
    assert span_of(target="", model="", served_model="").model == "fast"


def test_an_embedding_is_of_its_own_kind() -> None:
    assert span_of(endpoint="embeddings").kind == "embedding"


def test_a_vendors_absurd_numbers_fit_a_column() -> None:
    record = msgspec.structs.replace(make_record(1), input_tokens=2**63, output_tokens=-5)
    span, _ = arrival(make_shipped(1))
    assert span.input_tokens == 11
    bent = arrival(type(make_shipped(1))(record))[0]
    assert 0 < bent.input_tokens < 2**50
    assert bent.output_tokens == 0


def test_without_payload_nothing_is_kept_and_nothing_shown() -> None:
    span, payload = arrival(make_shipped(1))
    assert payload is None
    assert (span.input_preview, span.provenance) == ("", b"")


def test_a_payload_is_kept_with_its_text() -> None:
    span, payload = arrival(make_shipped(1, said=("what soup", "leek soup")))
    assert payload is not None
    assert payload.text == "what soup\nleek soup"
    assert span.output_preview == "leek soup"


def test_provenance_tells_models_apart() -> None:
    one, _ = arrival(make_shipped(1, said=("a", "b")))
    same, _ = arrival(make_shipped(2, said=("c", "d")))
    other, _ = arrival(make_shipped(1, said=("a", "b"), served_model="newer"))
    assert one.provenance == same.provenance != other.provenance


def test_lists_are_json() -> None:
    span = span_of(tags=("a", "b"))
    assert json.loads(span.tags) == ["a", "b"]
    assert span_of().tags == ""


def test_names_are_as_long_as_those_of_spans_that_applications_send() -> None:
    long = "é" * 500
    span, _ = arrival(make_shipped(user=long, session=long, tags=(long,) * 70))
    assert (span.user, span.session) == (long[:300], long[:300])
    assert json.loads(span.tags) == [long[:300]] * 64
    facts = {"user.id": long, "session.id": long, "stockpot.tags": [long] * 70}
    ((sent, _),) = take(request({"attributes": facts})).rows
    assert (sent.user, sent.session, sent.tags) == (span.user, span.session, span.tags)


def test_every_field_of_a_record_is_looked_at() -> None:
    """A field added to Record must be carried into the span log, or named here with a reason."""
    carried = set(NewSpan.__struct_fields__)
    renamed = {"status": "status_code"}
    elsewhere = {"guardrails"}  # spans of their own (`traces.verdicts`)
    fields = set(Record.__struct_fields__) - elsewhere
    absent = {name for name in fields if renamed.get(name, name) not in carried}
    assert not absent


def test_a_batch_keeps_its_place_in_the_spool() -> None:
    batch = batch_of(make_shipment(make_shipped(1), make_shipped(2), begin=300))
    assert (batch.stream, batch.segment, batch.begin, batch.end) == ("host-0-1", 1, 300, 500)
    assert len(batch.spans) == 2
