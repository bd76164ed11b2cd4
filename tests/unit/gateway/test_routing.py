"""Which targets serve a call, and in which order, without any I/O."""

from __future__ import annotations

import math
import random
import time
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stockpot.gateway import Rule, WeightedTarget
from stockpot.gateway.health import ORDINARY
from stockpot.gateway.route import candidates
from stockpot.gateway.snapshot import Carried, RouteEntry
from tests.unit.gateway.routes import Asking, asking, route, target

STRATEGIES = ("weighted", "priority", "least_latency", "least_cost", "least_busy")
shares = st.lists(st.tuples(st.integers(1, 50), st.integers(0, 3)), min_size=1, max_size=8).map(
    lambda rows: tuple(WeightedTarget(f"t{i}", w, tier) for i, (w, tier) in enumerate(rows))
)


def order(entry: RouteEntry, call: Asking | None = None) -> list[str]:
    return [t.id for t in candidates(entry, call or asking())]


def down(carried: Carried, name: str) -> None:
    for _ in range(ORDINARY.failures):
        carried.health[name].failed("down", 0)


@given(shares, st.sampled_from(STRATEGIES), st.booleans(), st.sets(st.integers(0, 7)))
def test_every_target_is_there_once_and_tiers_keep_their_order(
    given: tuple[WeightedTarget, ...], strategy: str, sticky: bool, ill: set[int]
) -> None:
    carried = Carried()
    entry = route(*given, carried=carried, strategy=strategy, sticky="user" if sticky else "never")
    got = order(entry, asking(user="ana"))
    assert sorted(got) == sorted(share.target for share in given)
    tiers = {share.target: share.tier for share in given}
    assert [tiers[name] for name in got] == sorted(tiers.values())
    for number in ill:
        if number < len(given):
            down(carried, f"t{number}")
    rested = order(entry, asking(user="ana"))
    assert sorted(rested) == sorted(got)
    well = [name for name in rested if carried.health[name].breaker == "closed"]
    assert rested[: len(well)] == well


@given(st.integers(1, 20), st.integers(1, 20), st.integers(0, 2**32))
def test_first_choices_follow_the_weights(a: int, b: int, seed: int) -> None:
    random.seed(seed)
    entry = route(WeightedTarget("a", a), WeightedTarget("b", b))
    calls, share = 2000, a / (a + b)
    firsts = Counter(order(entry)[0] for _ in range(calls))
    deviation = math.sqrt(calls * share * (1 - share))
    assert abs(firsts["a"] - calls * share) < 6 * deviation + 1


def test_the_same_seed_gives_the_same_order() -> None:
    entry = route(*"abcdef", strategy="least_latency")
    random.seed(7)
    first = [order(entry) for _ in range(20)]
    random.seed(7)
    assert [order(entry) for _ in range(20)] == first


def test_a_higher_tier_is_tried_only_after_the_lower_ones() -> None:
    entry = route(WeightedTarget("spare", 1, 1), WeightedTarget("a", 1, 0), WeightedTarget("b"))
    for _ in range(50):
        assert order(entry)[-1] == "spare"


def test_a_target_without_weight_gets_nothing() -> None:
    entry = route(WeightedTarget("a", 0), WeightedTarget("b", 1))
    assert order(entry) == ["b"]


def test_a_target_that_rests_is_tried_last_but_not_never() -> None:
    carried = Carried()
    entry = route(WeightedTarget("a", 1, 0), WeightedTarget("b", 1, 1), carried=carried)
    down(carried, "a")
    call = asking()
    assert order(entry, call) == ["b", "a"]
    assert call.route_reason == "breaker"
    carried.health["a"].succeeded(2**63)
    call = asking()
    assert order(entry, call) == ["a", "b"]
    assert call.route_reason == ""


def test_by_priority_targets_are_tried_as_they_are_listed() -> None:
    entry = route("c", "a", "b", strategy="priority")
    assert {tuple(order(entry)) for _ in range(20)} == {("c", "a", "b")}


# --- strategies that look at something ------------------------------------------------------------


def test_the_cheapest_for_the_size_of_the_call_comes_first_and_the_unpriced_last() -> None:
    priced = (target("dear", 9000), target("cheap", 1000), target("own", free=True))
    entry = route("dear", "unknown", "cheap", "own", targets=priced, strategy="least_cost")
    assert {tuple(order(entry)) for _ in range(20)} == {("own", "cheap", "dear", "unknown")}


def test_the_least_busy_for_its_weight_comes_first() -> None:
    carried = Carried()
    entry = route(
        WeightedTarget("big", 4), WeightedTarget("small", 1), strategy="least_busy", carried=carried
    )
    carried.health["big"].in_flight = 2
    assert order(entry)[0] == "big"
    carried.health["big"].in_flight = 4
    assert order(entry)[0] == "small"


def test_the_faster_of_two_comes_first_and_its_queue_counts() -> None:
    carried = Carried()
    entry = route("slow", "fast", strategy="least_latency", carried=carried)
    now = time.perf_counter_ns()
    for name, ms in (("slow", 300), ("fast", 100)):
        paces = carried.health[name].paces
        assert paces is not None
        paces[0].seen(ms * 1_000_000, now)
    assert {tuple(order(entry)) for _ in range(20)} == {("fast", "slow")}
    carried.health["fast"].in_flight = 5
    assert {tuple(order(entry)) for _ in range(20)} == {("slow", "fast")}


def test_of_two_choices_the_slowest_of_many_is_never_the_first() -> None:
    carried = Carried()
    entry = route(*"abcde", strategy="least_latency", carried=carried)
    for number, name in enumerate("abcde"):
        paces = carried.health[name].paces
        assert paces is not None
        paces[0].seen((number + 1) * 10_000_000, time.perf_counter_ns())
    firsts = Counter(order(entry)[0] for _ in range(1000))
    assert "e" not in firsts
    assert firsts["a"] > firsts["b"] > firsts["c"] > firsts["d"] > 0


def test_a_target_that_nobody_measured_is_tried_but_not_by_all_at_once() -> None:
    carried = Carried()
    entry = route("known", "new", strategy="least_latency", carried=carried)
    paces = carried.health["known"].paces
    assert paces is not None
    paces[0].seen(50_000_000, time.perf_counter_ns())
    assert order(entry)[0] == "new"
    carried.health["new"].in_flight = 1
    assert order(entry)[0] == "known"


# --- rules ----------------------------------------------------------------------------------------


EU = Rule("eu", "header", ("eu", "ch"), "x-region", ("paris",))


@pytest.mark.parametrize(
    ("rule", "call"),
    [
        (EU, asking(x_region="ch")),
        (Rule("eu", "tag", ("gold",), targets=("paris",)), asking(x_stockpot_tags="a, gold")),
        (Rule("eu", "project", ("legal",), targets=("paris",)), asking(project="legal")),
        (
            Rule("eu", "metadata", ("3",), "tier", ("paris",)),
            asking(body=b'{"messages":[1,{"x":2}],"metadata":{"tier":3}}'),
        ),
        (Rule("eu", "header", ("1",), "x-spare", tier=1), asking(x_spare="1")),
    ],
    ids=["header", "tag", "project", "metadata", "tier"],
)
def test_a_rule_that_holds_puts_its_targets_first(rule: Rule, call: Asking) -> None:
    given = (WeightedTarget("a"), WeightedTarget("b"), WeightedTarget("paris", 1, 1))
    entry = route(*given, rules=(rule,))
    got = order(entry, call)
    assert (got[0], sorted(got)) == ("paris", ["a", "b", "paris"])
    assert call.route_reason == "rule:eu"


@pytest.mark.parametrize(
    "call",
    [asking(), asking(x_region="us"), asking(body=b"not json"), asking(body=b'{"metadata":[]}')],
)
def test_a_call_that_meets_no_rule_goes_the_ordinary_way(call: Asking) -> None:
    rules = (EU, Rule("m", "metadata", ("x",), "y", ("paris",)))
    entry = route("a", WeightedTarget("paris", 0), rules=rules)
    assert order(entry, call) == ["a"]
    assert call.route_reason == "weighted"


def test_the_first_rule_that_holds_decides() -> None:
    rules = (EU, Rule("all", "header", ("eu",), "x-region", ("b",)))
    entry = route("a", "b", WeightedTarget("paris", 0), rules=rules)
    assert order(entry, asking(x_region="eu"))[0] == "paris"


def test_a_strict_rule_lets_a_call_go_nowhere_else() -> None:
    strict = Rule("eu", "header", ("eu",), "x-region", ("paris",), only=True)
    entry = route("a", "b", WeightedTarget("paris", 0), rules=(strict,))
    assert order(entry, asking(x_region="eu")) == ["paris"]
    gone = Rule("eu", "header", ("eu",), "x-region", ("rome",), only=True)
    assert order(route("a", rules=(gone,)), asking(x_region="eu")) == []


# --- stickiness -----------------------------------------------------------------------------------


names = st.lists(
    st.text("abcdefgh/-", min_size=1, max_size=80), min_size=2, max_size=6, unique=True
)


@given(names, st.binary(min_size=1, max_size=40))
def test_when_a_target_goes_only_its_own_sessions_move(ids: list[str], token: bytes) -> None:
    session = token.hex()
    all_of_them = order(route(*ids, sticky="session"), asking(x_stockpot_session=session))
    for gone in ids:
        rest = [name for name in ids if name != gone]
        left = order(route(*rest, sticky="session"), asking(x_stockpot_session=session))
        assert left == [name for name in all_of_them if name != gone]


def test_sessions_are_shared_out_by_weight() -> None:
    entry = route(WeightedTarget("a", 3), WeightedTarget("b", 1), sticky="session")
    calls = 4000
    firsts = Counter(order(entry, asking(x_stockpot_session=f"s{i}"))[0] for i in range(calls))
    assert abs(firsts["a"] - calls * 0.75) < 6 * math.sqrt(calls * 0.75 * 0.25)


def test_a_session_stays_and_without_one_the_user_does() -> None:
    entry = route(*"abcd", sticky="session")
    call = asking(x_stockpot_session="s1", user="ana")
    assert len({order(entry, call)[0] for _ in range(30)}) == 1
    assert call.route_reason == "sticky"
    by_user = {order(entry, asking(user="ana"))[0] for _ in range(30)}
    by_header = {order(entry, asking(x_stockpot_user="ana"))[0] for _ in range(30)}
    assert by_user == by_header
    assert len(by_user) == 1


def test_a_call_of_nobody_goes_by_the_strategy() -> None:
    entry = route(*"ab", sticky="session")
    call = asking()
    assert {order(entry, call)[0] for _ in range(60)} == {"a", "b"}
    assert call.route_reason == "weighted"


def test_by_user_sessions_do_not_matter() -> None:
    entry = route(*"abcd", sticky="user")
    firsts = {order(entry, asking(user="ana", x_stockpot_session=f"s{i}"))[0] for i in range(30)}
    assert len(firsts) == 1


def test_a_session_leaves_a_target_that_rests_and_comes_back() -> None:
    carried = Carried()
    entry = route(*"abc", sticky="session", carried=carried)
    home = order(entry, asking(x_stockpot_session="s"))[0]
    down(carried, home)
    assert order(entry, asking(x_stockpot_session="s"))[0] != home
    carried.health[home].succeeded(2**63)
    assert order(entry, asking(x_stockpot_session="s"))[0] == home
