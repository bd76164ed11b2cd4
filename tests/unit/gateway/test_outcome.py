"""What a whole body under a good status is: an answer, or something that only looks like one."""

from __future__ import annotations

from types import SimpleNamespace
from typing import cast

import pytest

from stockpot.gateway.attempt import Attempt
from stockpot.gateway.outcome import amiss, from_answer
from stockpot.providers import OpenAIDialect, wire_named

GOOD = b'{"id":"c","choices":[{"index":0,"message":{"content":"soup"}}]}'
EVENTS = b'data: {"id":"c","choices":[]}\n\ndata: [DONE]\n\n'


def tried(body: bytes, stream: bool = False, status: int = 200, kind: bytes = b"") -> Attempt:
    asked = b'{"model":"m","messages":[],"stream":%b}' % (b"true" if stream else b"false")
    ask = OpenAIDialect().read("chat", asked, b"/v1/chat/completions", {})
    wire = wire_named("openai")
    spec = SimpleNamespace(model="m", provider="lab", base_url="", stream_usage="never", native=(),
                           options={})  # fmt: skip
    answer = wire.answer(ask, spec)
    answer.complete(body)
    made = SimpleNamespace(
        call=SimpleNamespace(ask=ask), target=SimpleNamespace(wire=wire, spec=spec), answer=answer,
        headers=[(b"content-type", kind or b"application/json")], status=status,
    )  # fmt: skip
    return cast("Attempt", made)


@pytest.mark.parametrize(
    ("body", "stream"),
    [
        (b"", False), (b"", True), (b"<html>upkeep</html>", False), (b"<html></html>", True),
        (b"[]", False), (b"[]", True), (b'"soup"', False), (EVENTS, False), (GOOD, True),
        (b'{"error":{"message":"overloaded"}}', False), (b'{"error":"no","id":"c"}', True),
        (GOOD[:-9], False),
    ],
)  # fmt: skip
def test_what_only_looks_like_an_answer_is_none(body: bytes, stream: bool) -> None:
    for kind in (b"application/json", b"text/html; charset=utf-8"):
        assert amiss(tried(body, stream, kind=kind), body)
    if b"overloaded" in body:
        assert amiss(tried(body, stream), body) == "overloaded"


@pytest.mark.parametrize(
    ("body", "stream"),
    [
        (GOOD, False), (EVENTS, True), (b": wait\n\n" + EVENTS, True), (b'{"odd": 1}', False),
        (b'{"error":null,"output":[]}', False), (b'{"choices":[],"error":{"code":1}}', False),
        (b'{"id":7,"choices":[{"finish_reason":0}],"say":"\\"error\\""}', False),
    ],
)  # fmt: skip
def test_an_answer_in_its_own_manner_is_one(body: bytes, stream: bool) -> None:
    kind = b"text/plain" if stream else b"application/json"
    assert amiss(tried(body, stream, kind=kind), body) == ""


def test_a_model_that_a_target_has_not_and_an_unpaid_account_are_not_the_requests_fault() -> None:
    for status, kind in ((404, "unsent"), (410, "unsent"), (402, "auth"), (425, "server")):
        failure = from_answer(tried(GOOD, status=status), b'{"error":{"message":"soup is out"}}')
        assert (failure.error_class, failure.movable) == (kind, True)
        assert "soup is out" in failure.message
    failure = from_answer(tried(GOOD, status=422), b"{}")
    assert (failure.error_class, failure.movable) == ("client", False)
