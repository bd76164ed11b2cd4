"""Releasing to one worker first, taking back what does harm, and how long it takes to be served."""

from __future__ import annotations

import statistics
import threading
import time

import pytest

from tests.integration.revisions.fleet import Fleet, Traffic, file
from tests.running import eventually
from tests.vendors.openai_stub import Behaviour

pytestmark = pytest.mark.integration

MUST_S = 1.0


def test_a_release_that_does_harm_is_taken_back_and_its_changes_held(fleet: Fleet) -> None:
    stub = fleet.stub
    stub.behaviours["bad"] = [Behaviour(status=500)]
    fleet.apply(file(stub, "good"), now=True)
    eventually(lambda: all(fleet.chat(worker).status_code == 200 for worker in (0, 1)))
    with Traffic(fleet) as traffic:
        time.sleep(4.5)
        begun = [len(statuses) for statuses in traffic.statuses]
        number = fleet.apply(file(stub, "bad"), watch_s=30, min_calls=20)["revision"]["number"]
        assert fleet.revision(number)["state"] == "watching"
        eventually(lambda: fleet.revision(number)["state"] != "watching")
        eventually(lambda: all(fleet.chat(worker).status_code == 200 for worker in (0, 1)))
        ended = [len(statuses) + 1 for statuses in traffic.statuses]  # one may be in flight
        time.sleep(0.5)
    row = fleet.revision(number)
    assert row["state"] == "reverted"
    watched = row["watched"]
    assert watched["verdict"] == "reverted"
    assert "failed on the first worker" in watched["reason"]
    assert watched["canary"]["errors"] > 0
    assert watched["others"]["errors"] == watched["before"]["errors"] == 0
    # One worker alone served it, and none does any more.
    failed = [sum(s >= 500 for s in statuses[n:]) for statuses, n in zip(traffic.statuses, begun, strict=True)]  # fmt: skip  # noqa: E501
    assert min(failed) == 0 < max(failed)
    assert all(s == 200 for statuses, n in zip(traffic.statuses, ended, strict=True) for s in statuses[n:])  # fmt: skip  # noqa: E501
    _is_told_and_held(fleet, number)


def _is_told_and_held(fleet: Fleet, number: int) -> None:
    """An event has the figures, and nobody makes the change again without naming the rollback."""
    stub = fleet.stub
    (event,) = [e for e in fleet.api.get("events").json() if e["kind"] == "revision"]
    assert event["severity"] == "error"
    assert event["data"]["canary"]["calls"] >= 20
    again = fleet.api.post("apply", json={"toml": file(stub, "bad"), "now": True})
    assert again.status_code == 409
    name = f"rollback-{number}"
    assert f"--lift {name}" in again.json()["error"]["hint"]
    targets = [{"provider": "stub", "model": "bad"}]
    by_hand = fleet.api.put("models/main", json={"targets": targets, "attempts": 1})
    assert by_hand.json()["error"]["code"] == "safety_rollback"
    fleet.apply(file(stub, "bad"), now=True, lift=[name])
    eventually(lambda: all(fleet.chat(worker).status_code == 500 for worker in (0, 1)))


def test_a_release_that_does_no_harm_spreads_and_keeps_what_others_changed(fleet: Fleet) -> None:
    stub = fleet.stub
    fleet.apply(file(stub, "good"), now=True)
    eventually(lambda: all(fleet.chat(worker).status_code == 200 for worker in (0, 1)))
    more = '[aliases.extra]\ntargets = [{provider = "stub", model = "good"}]'
    with Traffic(fleet):
        done = fleet.apply(file(stub, "good", more), watch_s=3, min_calls=20)
        number = done["revision"]["number"]
        eventually(lambda: 200 in {fleet.chat(worker, "extra").status_code for worker in (0, 1)})
        assert {fleet.chat(worker, "extra").status_code for worker in (0, 1)} == {200, 404}
        fleet.api.post("projects", json={"name": "meanwhile"})
        busy = fleet.api.post("apply", json={"toml": file(stub, "bad")})
        assert busy.status_code == 409
        eventually(lambda: fleet.revision(number)["state"] != "watching")
        eventually(lambda: all(fleet.chat(n, "extra").status_code == 200 for n in (0, 1)))
    row = fleet.revision(number)
    assert row["watched"]["verdict"] == "spread"
    assert row["watched"]["canary"]["calls"] >= 20
    assert "meanwhile" in fleet.api.get("export").json()["toml"]
    content = fleet.api.get(f"revisions/{number}").json()["content"]
    assert {"meanwhile", "default"} <= set(content["projects"])
    assert "extra" in content["aliases"]


def test_all_workers_serve_a_released_route_within_a_second(fleet: Fleet) -> None:
    stub = fleet.stub
    fleet.apply(file(stub, "good"), now=True)
    eventually(lambda: all(fleet.chat(worker).status_code == 200 for worker in (0, 1)))
    took = [round(_release(fleet, f"new-{n}") * 1000) for n in range(5)]
    print(f"released route in all workers after {took} ms, from the request to apply")
    assert statistics.median(took) < MUST_S * 1000


def _release(fleet: Fleet, name: str) -> float:
    """Seconds from asking for a release until both workers serve its new route."""
    served = [0.0, 0.0]

    def wait(worker: int) -> None:
        while fleet.chat(worker, name).status_code != 200:
            time.sleep(0.005)
        served[worker] = time.monotonic()

    waiting = [threading.Thread(target=wait, args=(worker,)) for worker in (0, 1)]
    for thread in waiting:
        thread.start()
    more = f'[aliases.{name}]\ntargets = [{{provider = "stub", model = "good"}}]'
    begun = time.monotonic()
    fleet.apply(file(fleet.stub, "good", more), now=True, partial=True)
    for thread in waiting:
        thread.join()
    return max(served) - begun
