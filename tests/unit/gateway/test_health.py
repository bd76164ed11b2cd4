"""Breakers, vendors' limits, paces and allowances, by a clock of the tests' own."""

from __future__ import annotations

import random
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stockpot.gateway import GatewayPart, Route, Target, WeightedTarget, allowance, health
from stockpot.gateway.allowance import Allowance
from stockpot.gateway.health import ORDINARY, Health
from stockpot.gateway.models import Breaker
from stockpot.gateway.pace import ENOUGH, WINDOW, Pace
from stockpot.gateway.snapshot import Carried, View
from stockpot.gateway.vendor_limits import UNTOLD_S, seconds, wait_ahead
from stockpot.providers import Ask

FAILURES_TO_OPEN = ORDINARY.failures
PAUSE_FIRST_S, PAUSE_MOST_S = ORDINARY.pause_s, ORDINARY.pause_most_s
ASK = Ask("openai", "chat", b"", "m", False, False, 100, 50, 1, "")
"""Of 150 tokens."""


class Clock:
    """Stands in for the module `time` where a test must not wait."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now

    def time(self) -> float:
        return self.now

    def time_ns(self) -> int:
        return int(self.now * 1e9)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(health, "time", made)
    monkeypatch.setattr(allowance, "time", made)
    return made


def opened(clock: Clock) -> Health:
    target = Health()
    for _ in range(FAILURES_TO_OPEN):
        target.failed("down", clock.time_ns())
    return target


def test_a_route_says_when_its_targets_rest_and_the_strictest_holds(clock: Clock) -> None:
    carried = Carried()
    lenient, strict = Breaker(failures=5, pause_s=2.0), Breaker(failures=2, pause_s=4.0)
    for breakers, failures, pause in (
        ((lenient, None), 5, 2.0), ((lenient, strict), 2, 4.0), ((None, None), 3, 1.0),
    ):  # fmt: skip
        routes = tuple(
            Route(f"r{n}", ("chat",), (WeightedTarget("t"),), breaker=breaker)
            for n, breaker in enumerate(breakers)
        )
        target = Target("t", "p", "openai", "http://t.test/v1", "m")
        state = View(1, GatewayPart((), (), routes, (target,)), carried).targets["t"].health
        for _ in range(failures):
            assert state.breaker == "closed"
            state.failed("down", clock.time_ns())
        assert state.breaker == "open"
        clock.now += pause - 0.1
        assert not state.ready()
        clock.now += 0.2
        assert state.ready()
        state.succeeded(clock.time_ns())


@pytest.mark.parametrize("good", [0, 1])  # of each two calls
def test_a_breaker_that_looks_at_many_calls_opens_when_they_fail(clock: Clock, good: int) -> None:
    target, wanted = Health(), 400
    target.follow(Breaker(failures=1000, window_calls=wanted, window_s=60.0))
    for call in range(wanted):
        assert target.breaker == "closed"
        if call % 2 < good:
            target.succeeded(clock.time_ns())
        else:
            target.failed("down", clock.time_ns())
    for _ in range(1 + good):  # the window begins with a failure
        target.failed("down", clock.time_ns())
    assert target.breaker == "open"


def test_a_breaker_opens_after_failures_in_a_row_and_not_before(clock: Clock) -> None:
    target = Health()
    for _ in range(FAILURES_TO_OPEN - 1):
        target.failed("down", clock.time_ns())
    target.succeeded(clock.time_ns())
    target.failed("down", clock.time_ns())
    assert (target.breaker, target.ready(), target.unwell) == ("closed", True, False)
    target = opened(clock)
    assert (target.breaker, target.ready(), target.opened) == ("open", False, 1)
    assert target.report().cooling_until_ms == int((clock.now + PAUSE_FIRST_S) * 1000)


def test_a_breaker_opens_when_half_of_the_recent_calls_fail(clock: Clock) -> None:
    target = Health()
    for _ in range(5):
        target.succeeded(clock.time_ns())
        clock.now += 0.1
        target.failed("down", clock.time_ns())
    assert target.breaker == "closed", "that is too few to tell"
    target.succeeded(clock.time_ns())
    target.failed("down", clock.time_ns())
    assert target.breaker == "open"


def test_a_few_failures_among_many_successes_do_not_open_it(clock: Clock) -> None:
    target = Health()
    for _ in range(50):
        target.failed("down", clock.time_ns())
        for _ in range(3):
            target.succeeded(clock.time_ns())
        clock.now += 0.1
    assert target.breaker == "closed"


def test_old_failures_are_forgotten(clock: Clock) -> None:
    target = Health()
    for _ in range(40):
        target.failed("down", clock.time_ns())
        target.succeeded(clock.time_ns())
        clock.now += 3.0
    assert target.breaker == "closed"


def test_one_probe_is_let_through_and_closes_it(clock: Clock) -> None:
    target = opened(clock)
    clock.now += PAUSE_FIRST_S
    assert (target.breaker, target.ready()) == ("half_open", True)
    probe = clock.time_ns()
    target.departs(probe)
    assert not target.ready(), "the probe is on its way"
    clock.now += 0.2
    target.succeeded(probe)
    assert (target.breaker, target.ready(), target.unwell) == ("closed", True, False)


def test_a_probe_that_fails_doubles_the_pause_up_to_a_bound(clock: Clock) -> None:
    target = opened(clock)
    pauses = []
    for _ in range(8):
        begun = clock.now
        while not target.ready():
            clock.now += 0.25
        pauses.append(clock.now - begun)
        target.departs(clock.time_ns())
        target.failed("still down", clock.time_ns())
    assert pauses[:4] == [1.0, 2.0, 4.0, 8.0]
    assert max(pauses) == PAUSE_MOST_S


def test_a_probe_that_never_comes_back_is_followed_by_another(clock: Clock) -> None:
    target = opened(clock)
    clock.now += PAUSE_FIRST_S
    target.departs(clock.time_ns())
    clock.now += PAUSE_FIRST_S
    assert target.ready()


def test_calls_that_began_before_it_opened_have_no_say(clock: Clock) -> None:
    long_ago = clock.time_ns()
    clock.now += 5
    target = opened(clock)
    target.succeeded(long_ago)
    assert target.breaker == "open"
    clock.now += PAUSE_FIRST_S
    target.departs(clock.time_ns())
    target.failed("late", long_ago)
    clock.now += PAUSE_FIRST_S
    assert target.ready(), "only the probe's own failure doubles the pause"


def test_a_target_that_asks_for_a_pause_gets_it_and_no_more(clock: Clock) -> None:
    target = Health()
    target.failed("429", clock.time_ns(), retry_after_s=20)
    assert (target.ready(), target.breaker) == (False, "closed")
    clock.now += 20
    assert (target.ready(), target.unwell) == (True, False)


# --- what vendors say ahead -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("headers", "wait"),
    [
        ({"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "12ms"}, 0.012),
        ({"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "6m0s"}, 360.0),
        ({"x-ratelimit-remaining-tokens": "149", "x-ratelimit-reset-tokens": "1.5s"}, 1.5),
        ({"x-ratelimit-remaining-tokens": "150", "x-ratelimit-reset-tokens": "1.5s"}, 0.0),
        ({"x-ratelimit-remaining-requests": "1", "x-ratelimit-reset-requests": "9s"}, 0.0),
        ({"x-ratelimit-remaining-requests": "0"}, UNTOLD_S),
        ({"ratelimit-remaining": "0", "ratelimit-reset": "30"}, 30.0),
        ({"x-ratelimit-limit-requests": "0", "x-ratelimit-reset-requests": "30s"}, 0.0),
        ({"x-ratelimit-remaining-requests": "none"}, 0.0),
        ({"content-type": "application/json"}, 0.0),
    ],
)
def test_openai_says_ahead_when_nothing_is_left(headers: dict[str, str], wait: float) -> None:
    lines = [(name.encode(), text.encode()) for name, text in headers.items()]
    assert wait_ahead(lines, ASK) == pytest.approx(wait)


def test_anthropic_says_it_as_a_point_in_time() -> None:
    at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 40)).encode()
    lines = [
        (b"anthropic-ratelimit-requests-remaining", b"12"),
        (b"anthropic-ratelimit-requests-reset", b"2999-01-01T00:00:00Z"),
        (b"anthropic-ratelimit-input-tokens-remaining", b"10"),
        (b"anthropic-ratelimit-input-tokens-reset", at),
    ]
    assert 38 < wait_ahead(lines, ASK) <= 40


@given(st.binary(max_size=30))
def test_whatever_a_reset_says_a_wait_is_a_sane_number(text: bytes) -> None:
    assert 0.0 <= seconds(text) < 1e12


# --- how fast, and how much more ------------------------------------------------------------------


def test_an_average_jumps_to_a_peak_and_fades_in_silence() -> None:
    pace = Pace()
    for number in range(1, 20):
        pace.seen(10_000_000, number * 1_000_000)
    pace.seen(500_000_000, 20_000_000)
    assert pace.average == 500_000_000
    assert pace.load(1, 20_000_000) == pytest.approx(2 * 500_000_000)
    assert pace.load(0, 20_000_000 + 30_000_000_000) < 30_000_000


@given(st.integers(0, 2**32))
def test_the_percentile_is_that_of_the_recent_samples(seed: int) -> None:
    draw = random.Random(seed)
    pace = Pace()
    samples = [draw.randrange(1, 10**9) for _ in range(WINDOW * 2)]
    for number, sample in enumerate(samples, 1):
        pace.seen(sample, number)
        assert bool(pace.p95) == (number >= ENOUGH)
    recent = sorted(samples[-WINDOW:])
    assert pace.p95 in recent
    assert 0.94 <= sum(sample <= pace.p95 for sample in recent) / WINDOW <= 0.96


def test_what_is_extra_is_a_share_of_traffic_and_a_floor(clock: Clock) -> None:
    bucket = Allowance(0.2, 2.0, 20.0, 20.0)
    calls = taken = 0
    for _ in range(1000):
        calls += 1
        taken += bucket.take(calls)
    assert 20 + 1000 * 0.2 - 1 <= taken <= 20 + 1000 * 0.2
    assert bucket.denied == 1000 - taken
    clock.now += 3
    assert [bucket.take(calls) for _ in range(7)] == [True] * 6 + [False]


def test_the_pieces_of_a_report_are_told(clock: Clock) -> None:
    target = opened(clock)
    target.paces = (Pace(), Pace())
    for _ in range(ENOUGH):
        target.paces[1].seen(30_000_000, 1)
    target.limited(10)
    told = target.report()
    assert (told.breaker, told.opened, told.first_byte_p95_ms) == ("open", 1, 30.0)
    assert told.limited_until_ms == int((clock.now + 10) * 1000)
