"""What a dead worker had spent, as the span log knows it, through the whole control plane."""

from __future__ import annotations

import time

import msgspec
import pytest

from stockpot import traces
from stockpot.catalog.fleet import DEAD_AFTER_S
from stockpot.gateway import GatewayPart, LeaseAsk, LeaseRequest, Shipment, Shipped, Snapshot
from tests.integration.control.plane import Plane
from tests.unit.traces.made import make_record

pytestmark = pytest.mark.integration

DOLLAR = 1_000_000_000


def record(plane: Plane, key_id: str, cost_nano: int) -> None:
    """A call that a worker shipped before it died."""
    now = time.time_ns()
    made = make_record(1, key_id=key_id, project="default", cost_nano=cost_nano, start_ns=now)
    shipment = Shipment(f"dead-{key_id}", 1, 0, 100, (Shipped(made),))
    store = traces.open_store(plane.instance)
    traces.SpanLog(store).ingest(shipment)
    store.close()


@pytest.mark.parametrize("period", ["day", "month", "total"])
async def test_a_reclaimed_lease_leaves_what_the_span_log_knows_to_be_spent(
    plane: Plane, period: str
) -> None:
    budget = {"limit_nano": DOLLAR, "period": period}
    admin, worker = await plane.admin(), await plane.worker()
    made = await admin.post("/api/v1/keys", json={"name": "app", "budget": budget})
    key_id = made.json()["record"]["id"]
    answer = await worker.get("/internal/snapshot")
    snapshot = msgspec.msgpack.decode(answer.content, type=Snapshot)
    part = msgspec.msgpack.decode(snapshot.parts[0].data, type=GatewayPart)
    (spec,) = next(key.budgets for key in part.keys if key.id == key_id)
    asked = LeaseRequest("dead", {spec.id: LeaseAsk(0, DOLLAR // 2, 1)})
    await worker.post("/internal/leases", content=msgspec.msgpack.encode(asked))
    record(plane, key_id, 4_321)

    catalog = plane.app.state.control.catalog
    clock = catalog.fleet._clock
    catalog.fleet._clock = lambda: clock() + DEAD_AFTER_S + 1
    waiting = plane.instance.spool / "dead"
    waiting.mkdir()
    await catalog.budgets.reclaim()
    (key,) = [k for k in (await admin.get("/api/v1/keys")).json() if k["id"] == key_id]
    assert key["budget"]["leased_nano"] == DOLLAR // 2  # its records are still on their way
    waiting.rmdir()
    await catalog.budgets.reclaim()
    (key,) = [k for k in (await admin.get("/api/v1/keys")).json() if k["id"] == key_id]
    assert (key["budget"]["leased_nano"], key["budget"]["spent_nano"]) == (0, 4_321)
