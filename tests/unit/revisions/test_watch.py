"""When a release counts as harmful on its first worker."""

from __future__ import annotations

import pytest

from stockpot.gateway.meters import Meters
from stockpot.revisions.tally import Tally, tally_of, together
from stockpot.revisions.watch import Groups, verdict

EDGES = (0.01, 0.02, 0.04, 0.08, 0.16, 0.32, float("inf"))


def tally(calls: int, errors: int = 0, seconds: float = 0.015) -> Tally:
    return Tally(calls, errors, tuple((e, calls if e >= seconds else 0) for e in EDGES))


def judged(
    canary: Tally, others: Tally = Tally(), before: Tally = Tally(), at: float = 30
) -> object:
    found = verdict(Groups(canary, others, before), at, 30, 50)
    return found and found.spread


def test_a_good_release_goes_on_when_window_and_calls_are_there() -> None:
    assert judged(tally(60), tally(60)) is True
    assert judged(tally(60), tally(60), at=29) is None
    assert judged(tally(49), tally(60)) is None


def test_one_that_fails_is_taken_back_before_the_window_ends() -> None:
    assert judged(tally(25, errors=10), tally(60), at=2) is False


def test_few_calls_prove_nothing() -> None:
    assert judged(tally(19, errors=19), tally(60), at=2) is None


def test_the_upstreams_bad_hour_is_not_held_against_a_release() -> None:
    assert judged(tally(60, errors=30), tally(60, errors=31), before=tally(500)) is True


def test_without_other_workers_it_is_compared_with_the_time_before() -> None:
    assert judged(tally(60, errors=30), before=tally(500)) is False
    assert judged(tally(60, errors=30), before=tally(500, errors=250)) is True


def test_a_single_failure_among_many_is_chance() -> None:
    assert judged(tally(60, errors=1), tally(100)) is True


def test_one_that_is_slower_is_taken_back() -> None:
    assert judged(tally(60, seconds=0.3), tally(60, seconds=0.015)) is False
    assert judged(tally(60, seconds=0.03), tally(60, seconds=0.015)) is True


def test_one_that_nobody_calls_goes_on_after_four_windows() -> None:
    assert judged(tally(3), tally(60), at=119) is None
    found = verdict(Groups(tally(3), tally(60)), 120, 30, 50)
    assert found is not None
    assert found.spread
    assert "only 3 of 50" in found.reason


def test_the_counters_of_a_heartbeat_are_counted() -> None:
    from tests.unit.gateway_spool.made import make_record

    meters = Meters()
    for status in (200, 200, 429, 502):
        made = make_record()
        made.status, made.duration_ns, made.route = status, 15_000_000, 'a"b'
        meters.observe(made)
    found = tally_of(meters.samples())
    assert (found.calls, found.errors) == (4, 2)
    assert found.p95_s() == pytest.approx(0.02, rel=0.3)
    assert together([found, found]).calls == 8
    assert found.minus(found).p95_s() is None
