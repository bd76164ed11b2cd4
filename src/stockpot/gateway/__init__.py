"""The data plane: serves applications from an immutable snapshot and never waits for a store.

Knows dialects' outer shape, keys, limits, routes and the spool; knows no database, no console and
no user. Everything slow happens elsewhere: configuration arrives as a `Snapshot`, records leave
through the spool. This front door exports data only, so that importing it costs nothing; `spool`
is a submodule, loaded by those who read one.
"""

from stockpot.gateway.models import (
    SNAPSHOT_PART,
    SNAPSHOT_PART_VERSION,
    STAGES,
    Budget,
    GatewayPart,
    Heartbeat,
    Key,
    LeaseAsk,
    LeaseGrant,
    LeaseReply,
    LeaseRequest,
    Limits,
    Part,
    Project,
    Record,
    Route,
    Shipment,
    ShipmentAck,
    Shipped,
    Snapshot,
    Start,
    Target,
    TargetState,
    Timeouts,
    WeightedTarget,
)

__all__ = [
    "SNAPSHOT_PART",
    "SNAPSHOT_PART_VERSION",
    "STAGES",
    "Budget",
    "GatewayPart",
    "Heartbeat",
    "Key",
    "LeaseAsk",
    "LeaseGrant",
    "LeaseReply",
    "LeaseRequest",
    "Limits",
    "Part",
    "Project",
    "Record",
    "Route",
    "Shipment",
    "ShipmentAck",
    "Shipped",
    "Snapshot",
    "Start",
    "Target",
    "TargetState",
    "Timeouts",
    "WeightedTarget",
    "spool",
]
