"""What the control plane believes of its workers."""

from __future__ import annotations

import time

from stockpot.catalog.fleet import DEAD_AFTER_S, Fleet
from stockpot.gateway import Heartbeat, TargetState


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def beat(worker: str, counted: float = 0, **targets: TargetState) -> Heartbeat:
    return Heartbeat(worker, 1, 7, "ok", {"stockpot_calls_total": counted}, targets)


def test_a_silent_worker_is_dead_and_what_it_counted_stays() -> None:
    clock = Clock()
    fleet = Fleet(clock)
    fleet.heard(beat("a", 5))
    clock.now += DEAD_AFTER_S - 1
    fleet.heard(beat("b", 2))
    assert fleet.counters() == {"stockpot_calls_total": 7}
    clock.now += 2
    assert fleet.is_dead("a")
    assert not fleet.is_dead("b")
    assert fleet.bury() == ("a",)
    assert fleet.counters() == {"stockpot_calls_total": 7}
    assert [b.worker for b in fleet.living()] == ["b"]


def test_a_worker_that_was_only_held_up_is_not_counted_twice() -> None:
    clock = Clock()
    fleet = Fleet(clock)
    fleet.heard(beat("a", 5))
    clock.now += DEAD_AFTER_S + 1
    fleet.bury()
    fleet.heard(beat("a", 6))
    assert fleet.counters() == {"stockpot_calls_total": 6}


def test_the_sums_never_go_back_however_many_workers_have_died() -> None:
    clock = Clock()
    fleet = Fleet(clock)
    for number in range(100):
        fleet.heard(beat(f"w{number}", 1))
        clock.now += DEAD_AFTER_S + 1
        fleet.bury()
        assert fleet.counters() == {"stockpot_calls_total": number + 1}


def test_after_a_start_a_worker_has_time_to_speak_first() -> None:
    clock = Clock()
    fleet = Fleet(clock)
    assert not fleet.is_dead("never heard")
    clock.now += DEAD_AFTER_S + 1
    assert fleet.is_dead("never heard")


def test_a_target_is_what_the_last_word_of_all_workers_says() -> None:
    fleet = Fleet()
    assert fleet.target("t").state == "unknown"
    fleet.heard(beat("a", t=TargetState(ok=1, last_ok_ms=100, in_flight=2)))
    fleet.heard(beat("b", t=TargetState(errors=1, last_error="server", last_error_ms=50)))
    view = fleet.target("t")
    assert (view.state, view.last_error, view.last_ok_ms, view.in_flight) == ("healthy", "", 100, 2)
    fleet.heard(beat("b", t=TargetState(errors=2, last_error="timeout", last_error_ms=150)))
    assert (fleet.target("t").state, fleet.target("t").last_error) == ("failing", "timeout")
    soon = int(time.time() * 1000) + 60_000
    fleet.heard(beat("b", t=TargetState(last_error_ms=150, cooling_until_ms=soon)))
    assert fleet.target("t").state == "cooling"
