"""Budgets out of leases: the bound, for any interleaving; and what a purse does step by step."""

from __future__ import annotations

import asyncio
import math
from datetime import UTC, datetime
from typing import NamedTuple

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from stockpot.catalog.leases import Lease, answer
from stockpot.gateway.leases import KEEPALIVE_S, REPORT_S, LeaseClient, Purse
from stockpot.gateway.models import (
    Budget,
    LeaseAsk,
    LeaseGrant,
    LeaseReply,
    LeaseRequest,
)

DOLLAR = 1_000_000_000


def grant(held: int, *, end_ms: int = 0, exhausted: bool = False) -> LeaseGrant:
    return LeaseGrant(held, end_ms, exhausted)


def purse_with(held: int, budget: Budget | None = None) -> Purse:
    purse = Purse(budget or Budget("b1", DOLLAR))
    purse.report(1.0)
    purse.granted(grant(held))
    return purse


def test_a_purse_admits_what_it_holds_and_counts_what_is_in_flight():
    purse = purse_with(100)
    assert purse.reserve(60) is None
    assert purse.reserve(41) is not None
    assert purse.reserve(40) is None
    purse.settle(60, 10)
    assert purse.reserve(50) is None
    assert purse.reserve(1) is not None


def test_a_call_that_costs_more_than_estimated_is_paid_by_the_next_ones():
    purse = purse_with(100)
    assert purse.reserve(10) is None
    purse.settle(10, 150)
    assert purse.held == -50
    refusal = purse.reserve(1)
    assert refusal is not None
    assert refusal.remaining == 0
    assert purse.reserve(0) is not None


def test_a_refusal_for_want_of_a_lease_is_short_and_asks_for_more():
    purse = purse_with(10, Budget("b1", DOLLAR))
    purse.scope = "key 'app'"
    assert not purse.due(1.0)
    refusal = purse.reserve(500_000_000)
    assert refusal is not None
    assert (refusal.kind, refusal.retry_after_s) == ("budget", REPORT_S)
    assert refusal.sentence == (
        "the budget of key 'app', $1, has too little left for this call; try again in 1 s"
    )
    assert purse.due(1.0)
    assert purse.report(1.0).want >= 500_000_000


def test_an_exhausted_budget_says_when_its_period_ends_or_that_it_never_does():
    purse = Purse(Budget("b1", DOLLAR, "day"))
    purse.report(1.0)
    purse.granted(grant(0, end_ms=4_000_000_000_000, exhausted=True))
    refusal = purse.reserve(5)
    assert refusal is not None
    assert not refusal.never
    assert refusal.retry_after_s > 86400
    purse.report(1.0)
    purse.granted(grant(0, exhausted=True))
    refusal = purse.reserve(5)
    assert refusal is not None
    assert refusal.never
    assert refusal.sentence.endswith("; raise the budget")


def test_a_call_that_costs_more_than_what_is_left_waits_for_the_next_period_and_is_told():
    purse = Purse(Budget("b1", DOLLAR, "day"))
    purse.report(1.0)
    purse.granted(LeaseGrant(50, 4_000_000_000_000, False, left=50))
    assert purse.reserve(40) is None
    purse.settle(40, 0)
    for estimate in (70, 60):
        refusal = purse.reserve(estimate)
        assert refusal is not None
        assert refusal.retry_after_s > 86400
        assert refusal.sentence.endswith(" days")
    assert not purse.due(1.0 + KEEPALIVE_S / 2), "no more is asked for"
    assert purse.report(20.0).refused == 60
    purse.granted(LeaseGrant(50, 4_000_000_000_000, False, left=50))
    assert purse.report(40.0).refused == 0


def test_a_call_that_costs_more_than_the_whole_budget_never_fits():
    refusal = purse_with(DOLLAR).reserve(DOLLAR + 1)
    assert refusal is not None
    assert math.isinf(refusal.retry_after_s)


def test_an_unanswered_report_is_repeated_unchanged_and_later_spending_waits():
    purse = purse_with(1000)
    purse.reserve(10)
    purse.settle(10, 10)
    first = purse.report(2.0)
    assert first.spent == 10
    purse.reserve(5)
    purse.settle(5, 5)
    assert purse.report(3.0) == first
    purse.granted(grant(900))
    assert purse.held == 895  # what was spent since the report is not in the grant
    following = purse.report(4.0)
    assert (following.spent, following.sequence) == (5, first.sequence + 1)


def test_what_is_not_wanted_any_more_is_given_up_before_the_report_leaves():
    purse = purse_with(DOLLAR)
    ask = purse.report(2.0)
    assert ask.want < DOLLAR
    assert purse.held == ask.want


def test_an_idle_purse_reports_rarely_and_a_spending_one_each_second():
    purse = purse_with(DOLLAR)
    assert not purse.due(1.0 + KEEPALIVE_S - 0.1)
    assert purse.due(1.0 + KEEPALIVE_S)
    purse.reserve(1)
    purse.settle(1, 1)
    assert not purse.due(1.0 + REPORT_S / 2)
    assert purse.due(1.0 + REPORT_S)


def test_a_purse_running_low_reports_at_once():
    purse = purse_with(100)
    purse.reserve(51)
    assert purse.due(1.0)


@pytest.mark.parametrize(
    ("period", "end", "following"),
    [
        ("day", (2026, 11, 23), (2026, 11, 24)),
        ("week", (2026, 11, 23), (2026, 11, 30)),
        ("month", (2026, 12, 1), (2027, 1, 1)),
    ],
)
def test_a_new_period_is_reported_at_once_and_its_end_is_known_without_the_lender(
    period, end, following
):
    ends = datetime(*end, tzinfo=UTC).timestamp()
    purse = Purse(Budget("b1", DOLLAR, period))
    purse.report(ends - 1)
    purse.granted(grant(0, end_ms=int(ends * 1000), exhausted=True))
    assert not purse.due(ends - 0.5)
    assert purse.due(ends)
    assert not purse.exhausted
    assert purse.period_end_ms == int(datetime(*following, tzinfo=UTC).timestamp() * 1000)


def test_while_the_lender_is_away_a_closed_budget_ends_with_its_lease():
    purse = purse_with(100)
    purse.lost_contact()
    assert purse.reserve(100) is None
    assert purse.reserve(1) is not None


def spend_all(purse: Purse, step: int = 10) -> int:
    total = 0
    while purse.reserve(step) is None:
        purse.settle(step, step)
        total += step
    return total


def test_while_the_lender_is_away_an_open_budget_goes_on_up_to_its_multiple():
    budget = Budget("b1", 1000, "day", "continue", 0.5)
    purse = purse_with(100, budget)
    assert spend_all(purse) == 100
    purse.lost_contact()
    assert spend_all(purse) == 500
    purse.report(2.0)
    purse.granted(grant(0))
    purse.report(3.0)
    purse.granted(grant(0))  # told all of it
    purse.lost_contact()
    assert spend_all(purse) == 0  # one multiple a period, not one an outage


def test_a_worker_alone_in_an_outage_spends_its_share_of_the_multiple():
    budget = Budget("b1", 1000, "day", "continue", 1.0)
    purses = [Purse(budget, 0.25) for _ in range(4)]
    for purse in purses:
        purse.lost_contact()
    assert sum(map(spend_all, purses)) == 1000


class Book(NamedTuple):
    """What the lender knows: total spending and each worker's lease."""

    spent: int
    leases: dict[int, Lease]


class TheBound(RuleBasedStateMachine):
    """Workers, a lender, and a wire between them that loses, delays and repeats.

    The lender is the control plane's own arithmetic.
    """

    LIMIT = 10_000
    WORKERS = 3

    def __init__(self) -> None:
        super().__init__()
        self.budget = Budget("b1", self.LIMIT, "total")
        self.purses = [Purse(self.budget) for _ in range(self.WORKERS)]
        self.book = Book(0, {n: Lease() for n in range(self.WORKERS)})
        self.open: dict[int, list[int]] = {n: [] for n in range(self.WORKERS)}
        self.under_way: dict[int, LeaseAsk] = {}
        self.answers: dict[int, LeaseGrant] = {}
        self.spent = 0
        self.excess = dict.fromkeys(range(self.WORKERS), 0)

    worker = st.integers(0, WORKERS - 1)

    @rule(n=worker, estimate=st.integers(0, 3000))
    def admit(self, n: int, estimate: int) -> None:
        if self.purses[n].reserve(estimate) is None:
            self.open[n].append(estimate)
            self.excess[n] = 0  # what it had spent too much is made good, or this were refused

    @rule(n=worker, actual=st.integers(0, 4000), late=st.booleans())
    def end(self, n: int, actual: int, late: bool) -> None:
        if self.open[n]:
            estimate = self.open[n].pop(0 if late else -1)
            self.purses[n].settle(estimate, actual)
            self.spent += actual
            self.excess[n] += max(0, actual - estimate)

    @rule(n=worker)
    def send_a_report(self, n: int) -> None:
        self.under_way[n] = self.purses[n].report(1.0)

    @precondition(lambda self: self.under_way)
    @rule(data=st.data(), delivered_again=st.booleans())
    def the_lender_gets_it(self, data, delivered_again: bool) -> None:
        n = data.draw(st.sampled_from(sorted(self.under_way)))
        ask = self.under_way[n] if delivered_again else self.under_way.pop(n)
        spent, leases = self.book
        others = sum(lease.held for m, lease in leases.items() if m != n)
        found = answer(
            self.LIMIT, spent, others, leases[n], Lease(ask.want, ask.sequence, ask.spent)
        )
        self.book = Book(found.spent, {**leases, n: found.lease})
        if self.purses[n].waiting and self.purses[n].report(1.0).sequence == ask.sequence:
            self.answers[n] = grant(found.lease.held, exhausted=found.spent >= self.LIMIT)

    @precondition(lambda self: self.answers)
    @rule(data=st.data(), lost=st.booleans())
    def the_worker_gets_the_answer(self, data, lost: bool) -> None:
        n = data.draw(st.sampled_from(sorted(self.answers)))
        reply = self.answers.pop(n)
        if lost:
            self.purses[n].lost_contact()
        else:
            self.purses[n].granted(reply)

    @invariant()
    def spending_is_bounded(self) -> None:
        reserved = sum(map(sum, self.open.values()))
        assert self.spent + reserved <= self.LIMIT + sum(self.excess.values())

    @invariant()
    def no_nano_dollar_is_counted_twice(self) -> None:
        assert self.book.spent <= self.spent

    def teardown(self) -> None:
        """Once all is told, the lender knows exactly what was spent, and nothing is held."""
        for n in range(self.WORKERS):
            while self.open[n]:
                self.end(n, 0, False)
            for leaving in (False, True):
                ask = self.purses[n].report(1.0, leaving=leaving)
                spent, leases = self.book
                found = answer(
                    self.LIMIT, spent, 0, leases[n], Lease(ask.want, ask.sequence, ask.spent)
                )
                self.book = Book(found.spent, {**leases, n: found.lease})
                self.purses[n].granted(grant(found.lease.held))
        assert self.book.spent == self.spent
        assert all(lease.held == 0 for lease in self.book.leases.values())


TestTheBound = TheBound.TestCase
TestTheBound.settings = settings(stateful_step_count=80)


@given(calls=st.lists(st.tuples(st.integers(1, 900), st.integers(0, 900)), max_size=40))
def test_calls_that_cost_at_most_their_estimate_never_exceed_the_limit(calls):
    purse = purse_with(5000, Budget("b1", 5000))
    spent = 0
    for estimate, actual in calls:
        if purse.reserve(estimate) is None:
            purse.settle(estimate, min(actual, estimate))
            spent += min(actual, estimate)
    assert spent <= 5000


# --- the client beside the requests -----------------------------------------------------------


class Lender:
    """Answers reports with the control plane's arithmetic; `fails` makes it unreachable."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.spent = 0
        self.leases: dict[str, Lease] = {}
        self.fails = self.loses_answer = False
        self.requests: list[LeaseRequest] = []

    async def __call__(self, body: bytes) -> bytes:
        await asyncio.sleep(0)
        if self.fails:
            raise ConnectionRefusedError("nobody listens")
        request = msgspec.msgpack.decode(body, type=LeaseRequest)
        self.requests.append(request)
        grants = {}
        for ident, ask in request.budgets.items():
            others = sum(held.held for who, held in self.leases.items() if who != request.worker)
            mine = self.leases.get(request.worker, Lease())
            asked = Lease(ask.want, ask.sequence, ask.spent)
            found = answer(self.limit, self.spent, others, mine, asked)
            self.spent, self.leases[request.worker] = found.spent, found.lease
            grants[ident] = grant(found.lease.held, exhausted=self.spent >= self.limit)
        if self.loses_answer:
            raise TimeoutError
        return msgspec.msgpack.encode(LeaseReply(grants))


async def test_a_new_budget_is_primed_before_its_first_call():
    lender, purses = Lender(1000), {"b1": Purse(Budget("b1", 1000))}
    client = LeaseClient("w1", lender, purses)
    assert purses["b1"].reserve(1) is not None
    assert await client.prime()
    assert purses["b1"].reserve(200) is None
    assert await client.prime()
    assert len(lender.requests) == 1


async def test_an_answer_that_is_lost_is_asked_for_again_and_nothing_counts_twice():
    now = 1000.0
    lender, purse = Lender(1000), Purse(Budget("b1", 1000))
    client = LeaseClient("w1", lender, {"b1": purse}, clock=lambda: now)
    await client.exchange()
    assert purse.reserve(100) is None
    purse.settle(100, 100)
    now += REPORT_S
    lender.loses_answer = True
    assert not await client.exchange()
    assert not await client.exchange()
    assert purse.away
    lender.loses_answer = False
    assert await client.exchange()
    assert not purse.away
    assert lender.spent == 100


async def test_one_worker_alone_can_spend_the_whole_budget_and_not_a_cent_more():
    lender, purse = Lender(100 * DOLLAR), Purse(Budget("b1", 100 * DOLLAR, "total"))
    client = LeaseClient("w1", lender, {"b1": purse})
    spent = refused = 0
    while refused < 3:
        if purse.reserve(DOLLAR) is None:
            purse.settle(DOLLAR, DOLLAR)
            spent += DOLLAR
            refused = 0
        else:
            refused += 1
            await client.exchange()
    assert spent == 100 * DOLLAR
    await client.exchange()
    assert lender.spent == spent


async def test_closing_reports_the_last_spending_and_gives_the_lease_back():
    lender, purse = Lender(1000), Purse(Budget("b1", 1000))
    client = LeaseClient("w1", lender, {"b1": purse})
    await client.prime()
    assert purse.reserve(50) is None
    purse.settle(50, 30)
    assert await client.close()
    assert lender.spent == 30
    assert lender.leases["w1"].held == 0


async def test_the_client_runs_beside_and_outlives_an_outage():
    lender, purse = Lender(10_000), Purse(Budget("b1", 10_000))
    lender.fails = True
    client = LeaseClient("w1", lender, {"b1": purse})
    running = asyncio.create_task(client.run())
    async with asyncio.timeout(60):
        while not client.away:
            await asyncio.sleep(0.01)
        lender.fails = False
        while purse.reserve(10) is not None:
            await asyncio.sleep(0.01)
    running.cancel()
    assert purse.known
    assert not client.away


async def test_a_budget_that_the_lender_does_not_know_holds_nothing():
    async def knows_none(body: bytes) -> bytes:
        return msgspec.msgpack.encode(LeaseReply({}))

    purse = Purse(Budget("gone", 1000))
    assert await LeaseClient("w1", knows_none, {"gone": purse}).exchange()
    assert purse.reserve(1) is not None
