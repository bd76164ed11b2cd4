"""Writing what changed. Knows principals and the audit table; knows no capability."""

from __future__ import annotations

import time
from typing import Any

import sqlalchemy as sa

from stockpot.access import store
from stockpot.access.models import AuditEntry, Principal
from stockpot.core.ids import record_id

SYSTEM = Principal(user_id="system", label="stockpot", role="admin", via="cli")
"""The actor of what the instance does by itself."""


def latest_change(c: sa.Connection) -> str | None:
    """Differs after every change that anybody made, in this process or in another."""
    return store.latest_audit_id(c)


def audit(c: sa.Connection, actor: Principal, action: str, subject: str, **detail: Any) -> None:
    """Append to the audit log, in the transaction of the change itself. No secret in `detail`."""
    entry = AuditEntry(
        id=record_id("aud"),
        at_ms=time.time_ns() // 1_000_000,
        actor=f"{actor.label} ({actor.via})",
        action=action,
        subject=subject,
        detail=detail,
    )
    store.add_audit(c, entry)
