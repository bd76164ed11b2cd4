"""Recorded calls, decided again by a planned state."""

from __future__ import annotations

import hashlib
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from stockpot.gateway import Budget, GatewayPart, Key, Project, Route, Target, WeightedTarget
from stockpot.prices import PriceRow
from stockpot.revisions.rehearsal import Judge, rehearse
from stockpot.traces import Span, Tokens

NOW_MS = 1_800_000_000_000.0
DEAR = PriceRow("dear", 0, input=2_000_000, output=8_000_000)
CHEAP = PriceRow("cheap", 0, input=1_000_000, output=4_000_000)


def target(ident: str, *prices: PriceRow) -> Target:
    return Target(ident, "p", "openai", "http://x/v1", ident, prices=prices)


def route(name: str, **weights: int) -> Route:
    shares = tuple(WeightedTarget(ident, weight) for ident, weight in weights.items())
    return Route(name, ("chat",), shares)


KEY = Key("key_1", b"1", "app", "default", "dev")
PART = GatewayPart(
    keys=(KEY,),
    projects=(Project("prj", "default"),),
    routes=(route("main", dear=1),),
    targets=(target("dear", DEAR), target("cheap", CHEAP), target("new")),
)


def span(number: int, **changes: Any) -> Span:
    fields: dict[str, Any] = {
        "trace_id": hashlib.sha256(b"%d" % number).hexdigest()[:32], "span_id": "0" * 16,
        "parent_id": None, "is_root": True, "project": "default", "environment": "dev", "name": "",
        "kind": "llm", "status": "ok", "status_code": 200, "error": "", "error_message": "",
        "start_ms": NOW_MS - 1000 + number, "duration_ms": 5, "received_ms": NOW_MS,
        "key_id": "key_1", "endpoint": "chat", "provider": "p", "target": "dear",
        "requested_model": "main", "model": "dear", "served_model": "dear", "stream": False,
        "attempt": 1, "ttft_ms": None, "tpot_ms": None, "tokens": Tokens(input=100, output=10),
        "cost_nano": 280_000, "cost_detail": {}, "price_id": "dear", "finish_reason": "stop",
        "user": "", "session": "", "tags": (), "stages_ms": {}, "payload": "none", "params": {},
        "input_preview": "", "output_preview": "", "source": "gateway", "revision": 1,
        "provenance": "",
    }  # fmt: skip
    return Span.model_construct(**{**fields, **changes})


def rehearsed(planned: GatewayPart, *spans: Span, spent: dict[str, int] | None = None) -> Any:
    calls = spans or tuple(span(n) for n in range(100))
    judges = (Judge(p, NOW_MS, spent or {}) for p in (PART, planned))
    return rehearse(calls, *judges)


def changed(**fields: Any) -> GatewayPart:
    return msgspec.structs.replace(PART, **fields)


def key(**fields: Any) -> tuple[Key, ...]:
    return (msgspec.structs.replace(KEY, **fields),)


def test_the_same_state_changes_nothing() -> None:
    found = rehearsed(PART)
    assert (found.calls, found.moved, found.refused, found.admitted) == (100, 0, {}, {})
    assert found.cost_before_nano == found.cost_after_nano == 100 * 280_000
    assert found.sentence == "of the last 100 calls: nothing would change"


def test_a_cheaper_target_is_counted_with_what_it_saves() -> None:
    found = rehearsed(changed(routes=(route("main", cheap=1),)))
    assert found.moved == 100
    assert [(s.before, s.after, s.calls) for s in found.shifts] == [("dear", "cheap", 100)]
    assert found.cost_after_nano == 100 * 140_000
    assert found.sentence == ("of the last 100 calls: 100 would go to another model, cost -50 %")


def test_calls_that_would_be_refused_are_counted_by_code() -> None:
    embeds = msgspec.structs.replace(route("main", dear=1), endpoints=("embeddings",))
    for planned, code in (
        (changed(keys=key(models=("other",))), "model_not_allowed"),
        (changed(keys=key(state="disabled")), "key_disabled"),
        (changed(keys=key(expires_ms=5)), "key_expired"),
        (changed(keys=()), "invalid_api_key"),
        (changed(routes=()), "model_not_found"),
        (changed(routes=(embeds,)), "wrong_endpoint"),
    ):
        found = rehearsed(planned)
        assert found.refused == {code: 100}
        assert found.cost_after_nano == 0
        assert f"100 would now be refused ({code}: 100)" in found.sentence


def test_a_budget_that_is_used_up_already_refuses() -> None:
    capped = changed(keys=key(budgets=(Budget("bud", 1000),)))
    assert rehearsed(capped, spent={"bud": 1000}).refused == {"budget_exceeded": 100}
    assert rehearsed(capped, spent={"bud": 999}).refused == {}


def test_calls_that_are_refused_now_and_would_not_be_are_counted() -> None:
    strange = tuple(span(n, requested_model="wanted", target="") for n in range(7))
    found = rehearsed(changed(routes=(*PART.routes, route("wanted", cheap=1))), *strange)
    assert found.admitted == {"model_not_found": 7}
    assert found.cost_before_nano == found.cost_after_nano == 0


def test_a_price_that_nobody_knows_is_told_and_not_counted() -> None:
    found = rehearsed(changed(routes=(route("main", new=1),)))
    assert found.unpriced == 100
    assert found.cost_before_nano == 0
    assert "100 calls have no known price" in found.sentence


def test_no_call_is_no_figure() -> None:
    judge = Judge(PART, NOW_MS, {})
    assert rehearse((), judge, judge).sentence == "no recorded call to rehearse with"


@settings(deadline=None)
@given(st.integers(0, 9), st.integers(1, 9))
def test_as_few_calls_move_as_have_to(stay: int, go: int) -> None:
    planned = changed(routes=(route("main", dear=stay, cheap=go),))
    calls = tuple(span(n) for n in range(400))
    found = rehearsed(planned, *calls)
    share = go / (stay + go)
    assert abs(found.moved / 400 - share) < 0.13
    assert found == rehearsed(planned, *calls)
    back = rehearse(calls, Judge(planned, NOW_MS, {}), Judge(planned, NOW_MS, {}))
    assert back.moved == 0
