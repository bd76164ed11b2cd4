"""Second tries, copies to a candidate, and vendors' limits read ahead, with real workers."""

from __future__ import annotations

import time
from contextlib import closing
from pathlib import Path

import msgspec
import pytest

from stockpot.gateway import Hedge, Record, Rule, Shadow, Shipment, Shipped, WeightedTarget
from stockpot.traces.arrivals import batch_of
from stockpot.traces.models import TraceFilter
from stockpot.traces.store.embedded import SqliteSpanStore
from tests.integration.gateway.conftest import Rig
from tests.running import eventually
from tests.vendors.openai_stub import Behaviour

pytestmark = pytest.mark.integration
SLOW = Behaviour(delay_s=8.0)


def hedged(rig: Rig, **changes: object) -> None:
    base = Hedge(share=1.0, min_ms=50, max_ms=150)
    rig.route(
        "small",
        rig.target("first"),
        rig.target("second"),
        hedge=msgspec.structs.replace(base, **changes),
    )
    rig.start()


def by_target(records: list[Record]) -> dict[str, Record]:
    return {record.target: record for record in records}


@pytest.mark.parametrize("stream", [False, True])
def test_a_slow_target_is_outrun_and_its_call_is_stopped_and_billed_by_estimate(
    rig: Rig, stream: bool
) -> None:
    rig.stub.behaviours["first"] = [SLOW]
    hedged(rig)
    begun = time.monotonic()
    answer = rig.post(stream=stream)
    assert answer.status_code == 200
    assert "second-2026" in answer.text
    assert time.monotonic() - begun < 7
    lost, root = (by_target(rig.records(2))[name] for name in ("first", "second"))
    assert (root.is_root, root.route_reason, root.error, root.attempt) == (True, "hedge", "", 2)
    assert (lost.is_root, lost.error, lost.parent_id) == (False, "hedge_lost", root.span_id)
    assert (lost.usage_source, lost.attempt) == ("estimated", 1)
    assert lost.cost_nano == lost.input_tokens * 2_000_000 // 1000


def test_the_first_try_may_still_win(rig: Rig) -> None:
    rig.stub.behaviours["first"] = [Behaviour(delay_s=0.4)]
    rig.stub.behaviours["second"] = [Behaviour(delay_s=3.0)]
    hedged(rig)
    answer = rig.post()
    assert answer.json()["model"] == "first-2026"
    lost, root = (by_target(rig.records(2))[name] for name in ("second", "first"))
    assert (root.is_root, root.route_reason) == (True, "")
    assert (lost.error, lost.route_reason) == ("hedge_lost", "hedge")


def test_a_second_try_that_fails_leaves_the_call_to_the_first(rig: Rig) -> None:
    rig.stub.behaviours["first"] = [Behaviour(delay_s=0.5)]
    rig.stub.behaviours["second"] = [Behaviour(status=500)]
    hedged(rig)
    assert rig.post().json()["model"] == "first-2026"
    assert by_target(rig.records(2))["second"].error == "upstream_error"


def test_a_first_try_that_fails_leaves_the_call_to_the_second(rig: Rig) -> None:
    rig.stub.behaviours["first"] = [Behaviour(delay_s=0.4, status=500)]
    rig.stub.behaviours["second"] = [Behaviour(delay_s=0.6)]
    hedged(rig)
    assert rig.post().json()["model"] == "second-2026"
    assert [r.error for r in rig.records(2) if not r.is_root] == ["upstream_error"]


def test_a_fast_target_is_left_alone(rig: Rig) -> None:
    hedged(rig, min_ms=4_000, max_ms=8_000)
    for _ in range(5):
        rig.post()
    assert {record.target for record in rig.records(5)} == {"first"}


def test_second_tries_are_a_share_of_the_traffic(rig: Rig) -> None:
    rig.stub.behaviours["first"] = [Behaviour(delay_s=0.12)]
    hedged(rig, share=0.1, min_ms=1, max_ms=30)
    for _ in range(30):
        assert rig.post().status_code == 200
    hedges = [record for record in rig.records(30) if record.target == "second"]
    assert 2 <= len(hedges) <= 1 + 3, "one to begin with, and a tenth"


def test_the_wait_is_learnt_from_the_target(rig: Rig) -> None:
    rig.stub.behaviours["first"] = [*[Behaviour() for _ in range(25)], SLOW]
    hedged(rig, max_ms=10_000)
    for _ in range(25):
        rig.post()
    begun = time.monotonic()
    assert rig.post().json()["model"] == "second-2026"
    assert time.monotonic() - begun < 7, "25 fast answers set the wait, not the bound of 10 s"


# --- copies to a candidate ------------------------------------------------------------------------


def shadowed(rig: Rig, concurrency: int = 4) -> None:
    rig.targets = (rig.target("candidate"),)
    shadow = Shadow("candidate", share=1.0, concurrency=concurrency)
    rig.route("small", rig.target("upstream-1"), shadow=shadow)
    rig.start()


@pytest.mark.parametrize("stream", [False, True])
def test_a_copy_goes_to_the_candidate_and_is_recorded_beside_the_answer(
    rig: Rig, stream: bool, tmp_path: Path
) -> None:
    shadowed(rig)
    assert "upstream-1-2026" in rig.post(stream=stream).text
    copy, root = (by_target(rig.records(2))[name] for name in ("candidate", "upstream-1"))
    assert (root.is_root, root.route_reason) == (True, "")
    assert (copy.is_root, copy.route_reason, copy.error) == (False, "shadow", "")
    assert (copy.trace_id, copy.parent_id) == (root.trace_id, root.span_id)
    assert (copy.usage_source, copy.cost_nano) == ("provider", root.cost_nano)
    assert (copy.payload, copy.finish_reason) == (1, "stop")
    assert copy.start_ns >= root.start_ns + root.duration_ns - 5_000_000
    with closing(SqliteSpanStore(tmp_path / "spans")) as log:
        shipped = Shipment("w-0-1", 1, 0, 200, (Shipped(copy), Shipped(root)))
        log.append([batch_of(shipped)])
        (pair,) = log.shadow_pairs(TraceFilter(requested_model="small"), limit=9)
    assert (pair.base.target, pair.candidate.target) == ("upstream-1", "candidate")


@pytest.mark.parametrize(
    "fault", [Behaviour(status=500), Behaviour(close_early=True), Behaviour(delay_s=9.0)]
)
def test_whatever_the_candidate_does_clients_do_not_notice(rig: Rig, fault: Behaviour) -> None:
    rig.stub.behaviours["candidate"] = [fault]
    shadowed(rig)
    begun = time.monotonic()
    for _ in range(3):
        assert rig.post(stream=True).text.endswith("data: [DONE]\n\n")
    assert time.monotonic() - begun < 8
    copies = [record for record in rig.records(6) if record.target == "candidate"]
    assert len(copies) == 3, "each is tried once"
    assert all(record.error for record in copies)


def test_copies_on_their_way_are_bounded(rig: Rig) -> None:
    rig.stub.behaviours["candidate"] = [Behaviour(delay_s=4.0)]  # longer than eight calls take
    shadowed(rig, concurrency=2)
    for _ in range(8):
        assert rig.post().status_code == 200
    copies = [record for record in rig.records(10) if record.target == "candidate"]
    assert len(copies) == 2


def test_a_call_that_failed_is_not_copied(rig: Rig) -> None:
    rig.stub.behaviours["upstream-1"] = [Behaviour(status=400)]
    shadowed(rig)
    rig.post()
    time.sleep(0.3)
    assert [record.target for record in rig.records(1)] == ["upstream-1"]


# --- limits ahead, rules, sessions ----------------------------------------------------------------


@pytest.mark.parametrize(
    "headers",
    [
        (("x-ratelimit-remaining-requests", "0"), ("x-ratelimit-reset-requests", "30s")),
        (("anthropic-ratelimit-tokens-remaining", "3"),
         ("anthropic-ratelimit-tokens-reset", "2999-01-01T00:00:00Z")),
    ],
)  # fmt: skip
def test_a_target_that_has_nothing_left_is_passed_over_before_it_refuses(
    rig: Rig, headers: tuple[tuple[str, str], ...]
) -> None:
    rig.stub.behaviours["first"] = [Behaviour(headers=headers)]
    rig.route("small", rig.target("first"), rig.target("second"))
    rig.start()
    assert [rig.post().json()["model"] for _ in range(4)] == ["first-2026", *["second-2026"] * 3]
    assert rig.records(4)[-1].route_reason == "breaker"


def test_with_nobody_else_a_target_that_has_nothing_left_is_asked_all_the_same(rig: Rig) -> None:
    nothing = (("x-ratelimit-remaining-requests", "0"),)
    rig.stub.behaviours["first"] = [Behaviour(headers=nothing)]
    rig.route("small", rig.target("first"))
    rig.start()
    assert [rig.post().status_code for _ in range(3)] == [200] * 3


def test_a_rule_and_a_session_choose_and_the_record_says_so(rig: Rig) -> None:
    rule = Rule("beta", "header", ("yes",), "x-beta", ("candidate",))
    rig.route("small", *(rig.target(name) for name in "abc"), rules=(rule,), sticky="session")
    shares = (*(WeightedTarget(name) for name in "abc"), WeightedTarget("candidate", 0))
    rig.routes = (msgspec.structs.replace(rig.routes[0], targets=shares),)
    rig.targets += (rig.target("candidate"),)
    rig.start()
    assert rig.post(headers={"x-beta": "yes"}).json()["model"] == "candidate-2026"
    session = {"x-stockpot-session": "s-1"}
    assert len({rig.post(headers=session).json()["model"] for _ in range(6)}) == 1
    reasons = [record.route_reason for record in rig.records(7)]
    assert reasons == ["rule:beta", *["sticky"] * 6]


def test_a_rule_whose_targets_are_gone_says_so(rig: Rig) -> None:
    rule = Rule("eu", "header", ("eu",), "x-region", ("nowhere",), only=True)
    rig.route("small", rig.target("first"), rules=(rule,))
    rig.start()
    answer = rig.post(headers={"x-region": "eu"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "no_target")
    assert "rule:eu" in answer.json()["error"]["message"]


def test_a_worker_that_stops_records_the_copy_that_it_cuts_off(rig: Rig) -> None:
    rig.stub.behaviours["candidate"] = [Behaviour(delay_s=60)]
    rig.environ["STOCKPOT_DRAIN_S"] = "0.3"
    shadowed(rig)
    assert rig.post().status_code == 200
    eventually(lambda: "candidate" in rig.stub.asked_at)
    rig.stop()
    copy = by_target(rig.records(2))["candidate"]
    assert (copy.error, copy.route_reason) == ("shutdown", "shadow")
