"""Writing what changed. Knows principals and the audit table; knows no capability."""

from __future__ import annotations

import time
from typing import Any

import sqlalchemy as sa

from stockpot.access import chain
from stockpot.access.models import Principal
from stockpot.access.store import audit as store
from stockpot.core.ids import record_id

SYSTEM = Principal(user_id="system", label="stockpot", role="admin", via="cli")
"""The actor of what the instance does by itself."""


def latest_change(c: sa.Connection) -> str | None:
    """Differs after every change that anybody made, in this process or in another."""
    return store.head(c).hash or None


def last_at(c: sa.Connection, action: str, project: str) -> float | None:
    """When something was last done in a project or in all of them, in milliseconds."""
    return store.last_at(c, action, ("", project))


def audit(
    c: sa.Connection,
    actor: Principal,
    action: str,
    subject: str,
    *,
    before: chain.Record = None,
    after: chain.Record = None,
    **detail: Any,
) -> None:
    """Append to the audit log, in the transaction of the change itself. No secret in `detail`, nor
    in the records, of which only digests are kept. A `project` in `detail` is also the entry's."""
    store.append(
        c,
        {
            "id": record_id("aud"),
            "at_ms": time.time_ns() // 1_000_000,
            "actor_id": actor.user_id,
            "actor": f"{actor.label} ({actor.via})",
            "address": actor.address,
            "action": action,
            "subject": subject,
            "project": str(detail.get("project", "")),
            "before": chain.digest_of(before),
            "after": chain.digest_of(after),
            "detail": detail,
        },
    )
