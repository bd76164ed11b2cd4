"""Upstreams that fail in every way while traffic goes on: nobody who has seen no byte sees a fault.

Each test has one target that is well and one that is not for a while, and looks at what clients
saw, at the hops that the records tell, and at whether the ill target was spared and came back.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from stockpot.gateway import Record, Timeouts, WeightedTarget
from tests.integration.gateway.conftest import SECRET, Rig
from tests.integration.gateway.faulty import Fault, Faulty, Outcome, load

pytestmark = pytest.mark.integration
CALLS = 120


@pytest.fixture
def ill() -> Iterator[Faulty]:
    with Faulty("ill") as running:
        yield running


@pytest.fixture
def well() -> Iterator[Faulty]:
    with Faulty("well") as running:
        yield running


@pytest.fixture
def two(rig: Rig, ill: Faulty, well: Faulty) -> Rig:
    """A route of both in equal shares."""
    timeouts = Timeouts(5.0, 2.0, 5.0, 30.0)  # a busy machine answers late, too
    rig.targets = tuple(
        rig.target(upstream.name, base_url=upstream.url, timeouts=timeouts)
        for upstream in (ill, well)
    )
    rig.route("small", *rig.targets)
    both = tuple(WeightedTarget(upstream.name) for upstream in (ill, well))
    rig.routes = (type(rig.routes[0])("small", ("chat",), both, backoff_ms=5),)
    return rig.start()


def put(rig: Rig, calls: int = CALLS) -> list[Outcome]:
    return asyncio.run(load(rig.url, SECRET, calls))


def hops(records: list[Record]) -> dict[bytes, list[Record]]:
    """Records of each trace that took more than one try, first try first."""
    traces: dict[bytes, list[Record]] = {}
    for record in sorted(records, key=lambda record: record.attempt):
        traces.setdefault(record.trace_id, []).append(record)
    return {trace: tries for trace, tries in traces.items() if len(tries) > 1}


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ("killed", ("connect", "reset")),
        ("slow", ("timeout_first_byte",)),
        ("mute", ("timeout_first_byte",)),
        ("reset", ("reset",)),
        ("storm", ("upstream_rate_limit",)),
        ("server_error", ("upstream_error",)),
        ("nonsense", ("bad_answer", "upstream_refused")),
    ],
)
def test_while_one_of_two_targets_fails_no_call_does(
    two: Rig, ill: Faulty, well: Faulty, fault: Fault, error: tuple[str, ...]
) -> None:
    assert all(outcome.whole for outcome in put(two))
    ill.turn(fault)
    during = put(two)
    assert [outcome for outcome in during if not outcome.whole] == []
    tried = hops(two.records(2 * CALLS))
    assert tried, "somebody met the fault"
    for failed, root in (tries[:2] for tries in tried.values()):
        assert (failed.target, failed.is_root, failed.error) == ("ill", False, failed.error)
        assert failed.error in error
        assert (root.target, root.is_root, root.route_reason) == ("well", True, "fallback")
        assert failed.parent_id == root.span_id
    assert len(tried) < CALLS / 3, "the breaker spares the ill target, and callers the detour"


def test_a_target_that_comes_back_gets_its_share_again(two: Rig, ill: Faulty) -> None:
    put(two)
    ill.turn("killed")
    put(two)
    ill.turn("none")
    before = ill.seen["none"]
    for _ in range(30):
        outcomes = put(two, 40)
        assert all(outcome.whole for outcome in outcomes)
        if ill.seen["none"] - before > 20:
            return
    raise AssertionError("nothing was sent to the target that is well again")


@pytest.mark.parametrize("fault", ["length_above", "length_below"])
def test_a_whole_answer_of_the_wrong_length_is_asked_for_again(
    two: Rig, ill: Faulty, fault: Fault
) -> None:
    ill.turn(fault)
    whole = [outcome for outcome in put(two) if not outcome.stream]
    assert [outcome for outcome in whole if not outcome.whole] == []
    assert ill.seen[fault] > 0


def test_an_error_at_the_start_of_a_stream_is_no_start(two: Rig, ill: Faulty) -> None:
    ill.turn("error_first")
    assert [outcome for outcome in put(two) if not outcome.whole] == []
    assert {tries[0].error for tries in hops(two.records(CALLS)).values()} == {"upstream_error"}


def test_a_stream_that_breaks_ends_in_an_error_and_all_others_are_whole(
    two: Rig, ill: Faulty
) -> None:
    ill.turn("reset_in_stream")
    outcomes = put(two)
    broken = [outcome for outcome in outcomes if not outcome.whole]
    assert broken, "somebody was in the middle of a stream"
    for outcome in broken:
        assert outcome.begun
        assert '"error"' in outcome.text
        assert "[DONE]" not in outcome.text


def test_when_all_fail_the_load_on_them_is_bounded(two: Rig, ill: Faulty, well: Faulty) -> None:
    ill.turn("server_error")
    well.turn("server_error")
    outcomes = put(two)
    assert {outcome.status for outcome in outcomes} == {503}
    sent = ill.seen["server_error"] + well.seen["server_error"]
    # Each call's first try, 20 % of the calls, the burst of 20 and the floor of 2 a second, and
    # what went to the other target before the breakers opened.
    assert CALLS <= sent < CALLS * 1.2 + 20 + 40
