"""Rates and concurrency: what is admitted, refused, given back and carried over."""

from __future__ import annotations

import math
from collections import deque

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from stockpot.gateway.limits import Gate, Refusal, reset_text
from stockpot.gateway.models import Limits

SECOND = 1_000_000_000
MINUTE = 60 * SECOND


def admitted(gate: Gate, now: int, calls: int, tokens: int = 0) -> int:
    return sum(gate.reserve(now, tokens) is None for _ in range(calls))


def test_a_quiet_minute_allows_a_burst_of_the_whole_limit_and_no_more():
    gate = Gate(Limits(rpm=60), 1.0)
    assert admitted(gate, 0, 100) == 60
    assert admitted(gate, SECOND, 100) == 1
    assert admitted(gate, 3 * SECOND, 100) == 2
    assert admitted(gate, 10 * MINUTE, 100) == 60


def test_a_refusal_says_who_what_and_when_and_comes_true():
    gate = Gate(Limits(rpm=6), 1.0, scope="key 'soup'")
    admitted(gate, 0, 6)
    refusal = gate.reserve(0, 0)
    assert refusal == Refusal("key 'soup'", "requests", 6, 0, 10.0)
    assert refusal.sentence == (
        "key 'soup' allows 6 requests per minute, 0 left; try again in 10 s"
    )
    assert gate.reserve(10 * SECOND - 1, 0) is not None
    assert gate.reserve(10 * SECOND, 0) is None


def test_a_call_larger_than_the_whole_token_limit_is_told_that_waiting_is_vain():
    gate = Gate(Limits(tpm=1000), 1.0, scope="key 'soup'")
    refusal = gate.reserve(0, 1001)
    assert refusal is not None
    assert refusal.never
    assert math.isinf(refusal.retry_after_s)
    assert "this call alone needs more" in refusal.sentence
    assert gate.reserve(0, 1000) is None


def test_one_refusing_limit_leaves_the_others_untouched():
    gate = Gate(Limits(rpm=10, tpm=100, concurrency=5), 1.0)
    assert gate.reserve(0, 90) is None
    for _ in range(50):
        assert gate.reserve(0, 20).kind == "tokens"  # type: ignore[union-attr]
    figures = gate.figures(0)
    assert (figures.remaining_requests, figures.remaining_tokens) == (9, 10)
    assert gate.in_flight == 1


def test_calls_at_once_are_counted_until_they_are_settled():
    gate = Gate(Limits(concurrency=2), 1.0)
    assert admitted(gate, 0, 5) == 2
    assert gate.reserve(0, 0).kind == "concurrency"  # type: ignore[union-attr]
    gate.settle(0, 0, 0)
    assert admitted(gate, 0, 5) == 1


def test_tokens_that_were_not_used_come_back_and_those_used_beyond_delay_others():
    gate = Gate(Limits(tpm=600), 1.0)
    assert gate.reserve(0, 600) is None
    gate.settle(0, 600, 100)
    assert gate.figures(0).remaining_tokens == 500
    assert gate.reserve(0, 500) is None
    gate.settle(0, 500, 800)
    assert gate.reserve(0, 1).retry_after_s == pytest.approx(30.1)  # type: ignore[union-attr]


def test_cancelling_undoes_a_reserve_entirely():
    gate = Gate(Limits(rpm=3, tpm=300, concurrency=3), 1.0)
    for _ in range(100):
        assert gate.reserve(7, 200) is None
        gate.cancel(7, 200)
    assert gate.figures(7)[1] == 3
    assert gate.figures(7)[4] == 300
    assert gate.in_flight == 0


def test_a_worker_admits_its_share_and_shows_the_limit_of_the_whole():
    gates = [Gate(Limits(rpm=100, concurrency=9), 0.25) for _ in range(4)]
    assert sum(admitted(gate, 0, 100) for gate in gates) == 8  # concurrency 9, rounded down
    gates = [Gate(Limits(rpm=100), 0.25) for _ in range(4)]
    assert gates[0].figures(0)[:2] == (100, 100)
    assert sum(admitted(gate, 0, 100) for gate in gates) == 100


def test_a_share_below_one_call_a_minute_still_lets_one_through():
    gate = Gate(Limits(rpm=1), 0.25)
    assert admitted(gate, 0, 5) == 1
    assert admitted(gate, MINUTE, 5) == 0
    assert admitted(gate, 4 * MINUTE, 5) == 1


def test_without_limits_all_is_admitted():
    gate = Gate(Limits(), 1.0)
    assert admitted(gate, 0, 10_000, 1_000_000) == 10_000


def test_a_changed_limit_keeps_what_was_used():
    gate = Gate(Limits(rpm=60, tpm=6000), 1.0)
    admitted(gate, 0, 30, 100)
    gate.update(Limits(rpm=120, tpm=12_000), 1.0, 0)
    assert gate.figures(0)[1] == 90
    assert gate.figures(0)[4] == 9000
    gate.update(Limits(rpm=20, tpm=12_000), 1.0, 0)
    assert gate.figures(0)[1] == 0
    assert gate.reserve(0, 0).kind == "requests"  # type: ignore[union-attr]


def test_a_limit_set_for_the_first_time_counts_the_calls_in_flight():
    gate = Gate(Limits(), 1.0)
    admitted(gate, 0, 4, 100)
    gate.update(Limits(rpm=10, tpm=1000, concurrency=5), 1.0, 0)
    assert gate.figures(0)[1] == 6
    assert gate.figures(0)[4] == 600
    assert admitted(gate, 0, 5) == 1
    for _ in range(4):
        gate.settle(0, 100, 0)
    assert gate.figures(0)[4] == 1000


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0ms"), (0.0123, "13ms"), (1, "1s"), (1.5, "1.5s"), (59.9999, "1m0s"), (360, "6m0s")],
)
def test_a_reset_is_written_as_the_openai_dialect_does(seconds, text):
    assert reset_text(seconds) == text


@given(
    rpm=st.integers(1, 100_000),
    share=st.sampled_from([1.0, 0.5, 1 / 3, 0.25, 1 / 7]),
    gaps=st.lists(st.integers(0, 20 * SECOND), max_size=200),
)
def test_no_minute_sees_more_than_a_burst_and_a_minutes_worth(rpm, share, gaps):
    gate = Gate(Limits(rpm=rpm), share)
    now, seen = 10**15, deque[int]()
    for gap in gaps:
        now += gap
        if gate.reserve(now, 0) is None:
            seen.append(now)
        while seen and seen[0] <= now - MINUTE:
            seen.popleft()
        assert len(seen) <= max(2, 2 * rpm * share + 1)


class TokensAreConserved(RuleBasedStateMachine):
    """The gate against a plain model: what is owed drains at the rate and never turns negative."""

    LIMIT = 6000

    def __init__(self) -> None:
        super().__init__()
        self.gate = Gate(Limits(tpm=self.LIMIT, concurrency=50), 1.0)
        self.now = 10**15
        self.owed = 0.0
        self.open: list[int] = []

    @rule(gap=st.integers(0, 40 * SECOND))
    def time_passes(self, gap: int) -> None:
        self.now += gap
        self.owed = max(0.0, self.owed - self.LIMIT * gap / MINUTE)

    @rule(tokens=st.integers(0, 7000))
    def reserve(self, tokens: int) -> None:
        fits = self.owed + tokens <= self.LIMIT and len(self.open) < 50
        near = abs(self.owed + tokens - self.LIMIT) < 0.01
        refusal = self.gate.reserve(self.now, tokens)
        assert near or (refusal is None) == fits
        if refusal is None:
            self.owed += tokens
            self.open.append(tokens)

    @precondition(lambda self: self.open)
    @rule(data=st.data(), actual=st.integers(0, 9000))
    def settle(self, data, actual: int) -> None:
        reserved = self.open.pop(data.draw(st.integers(0, len(self.open) - 1)))
        self.gate.settle(self.now, reserved, actual)
        self.owed = max(0.0, self.owed + actual - reserved)

    @invariant()
    def the_same_is_left(self) -> None:
        left = self.gate.figures(self.now).remaining_tokens
        assert abs(left - max(0, math.floor(self.LIMIT - self.owed))) <= 1
        assert self.gate.in_flight == len(self.open)


TestTokensAreConserved = TokensAreConserved.TestCase
