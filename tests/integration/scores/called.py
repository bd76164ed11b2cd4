"""Calls that are in the span log of a control plane, for tests of what is said about them."""

from __future__ import annotations

import dataclasses
import time
from typing import Any

from stockpot import traces
from stockpot.gateway import Shipped
from tests.integration.control.plane import Plane
from tests.unit.traces.made import make_shipment, make_shipped


@dataclasses.dataclass
class Called:
    """Calls that are in the span log."""

    plane: Plane
    count: int = 0

    def call(self, said: str = "leek soup", **changes: Any) -> Shipped:
        self.count += 1
        shipped = self.made(self.count, said, **changes)
        self.arrive(shipped)
        return shipped

    def made(self, number: int, said: str, **changes: Any) -> Shipped:
        given = {"project": "default", "start_ns": time.time_ns(), **changes}
        return make_shipped(number, said=("what soup", said), **given)

    def arrive(self, *shipped: Shipped) -> None:
        log = traces.SpanLog(traces.open_store(self.plane.instance))
        log.ingest(make_shipment(*shipped, stream=f"host-{shipped[0].record.span_id.hex()}-1"))
        log.close()
