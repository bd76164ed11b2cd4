"""Whose trace a call belongs to, by its headers alone."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stockpot.gateway.trace_context import ALONE, joined, labels, prompt_used

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
GOOD = f"00-{TRACE}-{SPAN}-01".encode()


def test_a_call_joins_its_callers_trace_and_hands_flags_and_state_on() -> None:
    found = joined([(b"traceparent", GOOD), (b"tracestate", b"a=1"), (b"tracestate", b"b=2")])
    assert (found.trace_id.hex(), found.parent_id.hex()) == (TRACE, SPAN)
    assert found.onward == b"-01\r\ntracestate: a=1,b=2\r\n"
    unsampled = joined([(b"traceparent", GOOD[:-1] + b"0")])
    assert unsampled.trace_id.hex() == TRACE
    assert unsampled.onward == b"-00\r\n"


def test_a_later_version_of_the_header_is_read_as_far_as_it_is_known() -> None:
    found = joined([(b"traceparent", b"cc" + GOOD[2:] + b"-what-comes")])
    assert (found.trace_id.hex(), found.onward) == (TRACE, ALONE)


@pytest.mark.parametrize(
    "headers",
    [
        [b""],
        [b"00"],
        [GOOD.upper()],
        [GOOD + b"-more"],
        [GOOD + b"0"],
        [b"ff" + GOOD[2:]],
        [GOOD.replace(TRACE.encode(), b"0" * 32)],
        [GOOD.replace(SPAN.encode(), b"0" * 16)],
        [GOOD.replace(b"-", b" ")],
        [GOOD, GOOD],
    ],
)
def test_a_malformed_or_doubled_header_begins_a_trace_of_its_own(headers: list[bytes]) -> None:
    found = joined([(b"traceparent", value) for value in headers])
    assert found.trace_id.hex() != TRACE
    assert (len(found.trace_id), found.parent_id, found.onward) == (16, b"", ALONE)


@given(st.binary(max_size=80), st.binary(max_size=600))
def test_whatever_arrives_upstream_gets_whole_header_lines(parent: bytes, state: bytes) -> None:
    for value in (parent, GOOD):
        onward = joined([(b"traceparent", value), (b"tracestate", state)]).onward
        assert onward.endswith(b"\r\n")
        assert onward.count(b"\n") == onward.count(b"\r") == 1 + (b"tracestate" in onward)


def test_baggage_says_user_and_session() -> None:
    found = labels(b"user.id=J%C3%B6rg;kind=guest , session.id = table-7,other=1,enduser.id=late")
    assert found == {b"x-stockpot-user": "Jörg".encode(), b"x-stockpot-session": b"table-7"}


@pytest.mark.parametrize(
    ("header", "used"),
    [
        (b"menu@3", ("menu", "3", "")),
        (b"men%C3%BC%2Fnight@12;label=production", ("menü/night", "12", "production")),
        (b"menu", None),
        (b"menu@production", None),
        (b"menu@3;other=x", None),
        (b"", None),
    ],
)
def test_a_call_says_which_prompt_it_was_rendered_from(
    header: bytes, used: tuple[str, str, str] | None
) -> None:
    assert prompt_used(header) == used


@given(st.binary(max_size=300))
def test_no_baggage_is_an_error(baggage: bytes) -> None:
    assert set(labels(baggage)) <= {b"x-stockpot-user", b"x-stockpot-session"}
