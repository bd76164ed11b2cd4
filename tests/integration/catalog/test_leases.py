"""Lending budgets over the internal API, and taking back what the dead held."""

from __future__ import annotations

import asyncio
from pathlib import Path

import httpx
import msgspec
import pytest

from stockpot.catalog.fleet import DEAD_AFTER_S
from stockpot.catalog.service.budgets import UNKNOWN_FOR_MS
from stockpot.gateway import (
    GatewayPart,
    Heartbeat,
    LeaseAsk,
    LeaseGrant,
    LeaseReply,
    LeaseRequest,
    Snapshot,
)
from tests.integration.control.plane import Plane, running

pytestmark = pytest.mark.integration

DOLLAR = 1_000_000_000


async def a_budget(plane: Plane, limit_nano: int = DOLLAR, **more: object) -> str:
    """A key with a budget; returns the budget's id as workers know it."""
    budget = {"limit_nano": limit_nano, **more}
    made = await (await plane.admin()).post("/api/v1/keys", json={"name": "app", "budget": budget})
    answer = await (await plane.worker()).get("/internal/snapshot")
    snapshot = msgspec.msgpack.decode(answer.content, type=Snapshot)
    part = msgspec.msgpack.decode(snapshot.parts[0].data, type=GatewayPart)
    (key,) = [k for k in part.keys if k.id == made.json()["record"]["id"]]
    return key.budgets[0].id


class Worker:
    """One worker's side of the protocol."""

    def __init__(self, client: httpx.AsyncClient, name: str, budget: str) -> None:
        self._client, self._name, self._budget = client, name, budget
        self.sequence = 0

    async def ask(
        self, spent: int, want: int, sequence: int | None = None, refused: int = 0
    ) -> LeaseGrant:
        self.sequence = self.sequence + 1 if sequence is None else sequence
        told = LeaseAsk(spent, want, self.sequence, refused)
        asked = LeaseRequest(self._name, {self._budget: told})
        answer = await self._client.post("/internal/leases", content=msgspec.msgpack.encode(asked))
        assert answer.status_code == 200, answer.text
        return msgspec.msgpack.decode(answer.content, type=LeaseReply).budgets[self._budget]


async def worker_of(plane: Plane, name: str, budget: str) -> Worker:
    return Worker(await plane.worker(), name, budget)


async def shown(plane: Plane) -> dict[str, object]:
    keys = (await (await plane.admin()).get("/api/v1/keys")).json()
    return dict(next(k["budget"] for k in keys if k["name"] == "app"))


async def test_workers_get_blocks_and_never_more_than_the_limit_together(plane: Plane) -> None:
    budget = await a_budget(plane)
    workers = [await worker_of(plane, f"w{n}", budget) for n in range(4)]
    grants = await asyncio.gather(*(w.ask(0, DOLLAR) for w in workers))
    assert sum(grant.held for grant in grants) == DOLLAR
    assert not any(grant.exhausted for grant in grants)
    assert (await shown(plane))["leased_nano"] == DOLLAR


async def test_a_small_wish_gets_a_hundredth_of_the_limit(plane: Plane) -> None:
    worker = await worker_of(plane, "w", await a_budget(plane))
    assert (await worker.ask(0, 1)).held == DOLLAR // 100


async def test_a_repeated_report_is_counted_once(plane: Plane) -> None:
    worker = await worker_of(plane, "w", await a_budget(plane))
    await worker.ask(0, DOLLAR // 10)
    first = await worker.ask(5_000, DOLLAR // 10)
    again = await worker.ask(5_000, DOLLAR // 10, sequence=worker.sequence)
    assert again == first
    assert (await shown(plane))["spent_nano"] == 5_000


async def test_spending_is_announced_at_50_80_and_100_percent_once_each(plane: Plane) -> None:
    worker = await worker_of(plane, "w", await a_budget(plane))
    for spent in (0, 400, 100, 100, 200, 100, 50, 50):
        grant = await worker.ask(spent * DOLLAR // 1000, DOLLAR)
    assert grant.exhausted
    assert grant.held == 0
    events = (await (await plane.admin()).get("/api/v1/events")).json()
    assert sorted(event["data"]["percent"] for event in events) == [50, 80, 100]
    assert {event["data"]["percent"]: event["severity"] for event in events} == {
        50: "info",
        80: "warning",
        100: "error",
    }
    assert "the key 'app' has used" in events[0]["message"]
    assert "$1.00 per month" in events[0]["message"]


async def test_a_call_that_what_is_left_cannot_pay_is_told_once(plane: Plane) -> None:
    worker = await worker_of(plane, "w", await a_budget(plane, period="day"))
    await worker.ask(0, DOLLAR)
    grant = await worker.ask(9 * DOLLAR // 10, DOLLAR, refused=DOLLAR // 20)
    assert (grant.left, grant.exhausted) == (DOLLAR // 10, False)
    for _ in range(2):
        await worker.ask(0, DOLLAR, refused=DOLLAR // 5)
    await worker.ask(DOLLAR // 10, DOLLAR, refused=1)
    events = (await (await plane.admin()).get("/api/v1/events")).json()
    told = [event["message"].partition(" has ")[2] or event["message"] for event in events]
    assert sorted(event["data"]["percent"] for event in events) == [50, 80, 90, 100]
    (refused,) = [message for message in told if "refused" in message]
    assert (
        refused == "the key 'app' had a call refused: $0.10 is left of its budget of $1.00 per day"
    )


async def test_a_budget_that_is_gone_is_not_in_the_answer(plane: Plane) -> None:
    await a_budget(plane)
    worker = await plane.worker()
    asked = LeaseRequest("w", {"bud_gone": LeaseAsk(0, 5, 1)})
    answer = await worker.post("/internal/leases", content=msgspec.msgpack.encode(asked))
    assert msgspec.msgpack.decode(answer.content, type=LeaseReply).budgets == {}


async def test_a_raised_limit_lends_more_and_keeps_what_was_spent(plane: Plane) -> None:
    worker = await worker_of(plane, "w", await a_budget(plane))
    await worker.ask(0, DOLLAR)
    assert (await worker.ask(DOLLAR, DOLLAR)).exhausted
    admin = await plane.admin()
    (key,) = [k for k in (await admin.get("/api/v1/keys")).json() if k["name"] == "app"]
    raised = {"budget": {"limit_nano": 3 * DOLLAR}}
    await admin.patch(f"/api/v1/keys/{key['id']}", json=raised)
    grant = await worker.ask(0, 3 * DOLLAR)
    assert (grant.held, grant.exhausted) == (2 * DOLLAR, False)


async def test_a_new_period_begins_with_nothing_spent_but_with_what_is_lent(plane: Plane) -> None:
    budget = await a_budget(plane, period="day")
    one, other = [await worker_of(plane, name, budget) for name in ("one", "other")]
    held = (await one.ask(0, DOLLAR // 2)).held
    assert held == DOLLAR // 2
    grant = await other.ask(0, DOLLAR)
    service = plane.app.state.control.catalog.budgets
    service._now = lambda: grant.period_end_ms + 5
    tomorrow = await other.ask(DOLLAR // 2, DOLLAR)
    assert tomorrow.period_end_ms == grant.period_end_ms + 24 * 3600 * 1000
    assert tomorrow.held == 0  # `one` still holds half, and the report counts in the new day
    assert (await one.ask(0, 0)).held == 0
    assert (await other.ask(0, DOLLAR)).held == DOLLAR // 2


class Dying:
    """A plane whose clock and span log the test moves."""

    def __init__(self, plane: Plane) -> None:
        self.catalog = plane.app.state.control.catalog
        self.asked: list[tuple[str, str]] = []
        self.known: int | None = None
        self.catalog.budgets._spend_of = self._spend_of
        self._fleet = self.catalog.fleet
        self._fleet_clock = self._fleet._clock
        self._now = self.catalog.budgets._now

    async def _spend_of(self, worker: str, scope: str, scope_id: str, from_ms: int) -> int | None:
        self.asked.append((worker, scope))
        return self.known

    async def after(self, seconds: float) -> None:
        """So much later, nobody having spoken meanwhile, the control plane looks around."""
        self._fleet._clock = lambda: self._fleet_clock() + seconds
        self.catalog.budgets._now = lambda: self._now() + int(seconds * 1000)
        await self.catalog.budgets.reclaim()


async def test_what_a_dead_worker_held_comes_back_less_what_the_span_log_knows(
    plane: Plane,
) -> None:
    budget = await a_budget(plane)
    await (await worker_of(plane, "dead", budget)).ask(0, DOLLAR // 2)
    dying = Dying(plane)
    dying.known = 123
    await dying.after(DEAD_AFTER_S - 5)
    assert (await shown(plane))["leased_nano"] == DOLLAR // 2
    await dying.after(DEAD_AFTER_S + 1)
    assert dying.asked == [("dead", "key")]
    state = await shown(plane)
    assert (state["leased_nano"], state["spent_nano"]) == (0, 123)


async def test_a_lease_waits_while_records_of_the_dead_are_on_their_way_then_counts_in_full(
    plane: Plane,
) -> None:
    budget = await a_budget(plane)
    await (await worker_of(plane, "dead", budget)).ask(0, DOLLAR // 2)
    dying = Dying(plane)
    await dying.after(DEAD_AFTER_S + 1)
    assert (await shown(plane))["leased_nano"] == DOLLAR // 2
    await dying.after(UNKNOWN_FOR_MS / 1000 + 1)
    state = await shown(plane)
    assert (state["leased_nano"], state["spent_nano"]) == (0, DOLLAR // 2)


async def test_a_worker_that_gave_back_leaves_nothing_to_ask_about(plane: Plane) -> None:
    worker = await worker_of(plane, "done", await a_budget(plane))
    await worker.ask(0, DOLLAR // 2)
    await worker.ask(777, 0)
    dying = Dying(plane)
    dying.known = 9_999
    await dying.after(DEAD_AFTER_S + 1)
    assert dying.asked == [("done", "key")]
    assert (await shown(plane))["spent_nano"] == 777


async def test_a_worker_that_speaks_keeps_its_lease(plane: Plane) -> None:
    budget = await a_budget(plane)
    worker = await plane.worker()
    await Worker(worker, "w", budget).ask(0, DOLLAR // 2)
    dying = Dying(plane)
    dying._fleet._clock = lambda: dying._fleet_clock() + DEAD_AFTER_S - 1
    beat = Heartbeat("w", 1, 1, "ok", {}, {})
    await worker.post("/internal/heartbeat", content=msgspec.msgpack.encode(beat))
    await dying.after(DEAD_AFTER_S + 1)
    assert (await shown(plane))["leased_nano"] == DOLLAR // 2


async def test_leases_and_accounts_survive_a_restart(tmp_path: Path) -> None:
    async with running(tmp_path) as plane:
        budget = await a_budget(plane)
        worker = await worker_of(plane, "w", budget)
        await worker.ask(0, DOLLAR // 2)
        await worker.ask(1_000, DOLLAR // 2)
    async with running(tmp_path) as plane:
        again = await worker_of(plane, "w", budget)
        repeated = await again.ask(1_000, DOLLAR // 2, sequence=2)
        assert repeated.held == DOLLAR // 2
        assert (await shown(plane))["spent_nano"] == 1_000
        other = await worker_of(plane, "other", budget)
        assert (await other.ask(0, DOLLAR)).held == DOLLAR // 2 - 1_000


async def test_a_worker_without_room_is_told_as_an_event_and_a_notice(plane: Plane) -> None:
    worker, admin = await plane.worker(), await plane.admin()
    for state in ("ok", "shedding", "shedding", "full"):
        beat = Heartbeat("short", 1, 1, state, {}, {})
        assert (
            await worker.post("/internal/heartbeat", content=msgspec.msgpack.encode(beat))
        ).is_success
    (notice,) = (await admin.get("/api/v1/instance")).json()["notices"]
    assert "no disk left" in notice
    back = Heartbeat("short", 1, 1, "ok", {}, {})
    await worker.post("/internal/heartbeat", content=msgspec.msgpack.encode(back))
    assert (await admin.get("/api/v1/instance")).json()["notices"] == []
    events = (await admin.get("/api/v1/events")).json()
    told = [(e["kind"], e["severity"]) for e in reversed(events)]
    assert told == [("disk", "warning"), ("disk", "error"), ("disk", "info")]
