"""The table of jobs and all SQL on it. Functions work inside their caller's transaction."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from stockpot.core.jobs.models import Job

metadata = sa.MetaData()

jobs = sa.Table(
    "jobs",
    metadata,
    sa.Column("id", sa.String(40), primary_key=True),
    sa.Column("kind", sa.String(60), nullable=False),
    sa.Column("subject", sa.String(200), nullable=False),
    sa.Column("payload", sa.JSON, nullable=False),
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("holder", sa.String(300), nullable=False),
    sa.Column("lease_ms", sa.BigInteger, nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("cancel", sa.Boolean, nullable=False),
    sa.Column("error", sa.Text, nullable=False),
    sa.Column("created_ms", sa.BigInteger, nullable=False),
    sa.Column("updated_ms", sa.BigInteger, nullable=False),
    sa.Index("jobs_by_state", "state", "created_ms"),
    sa.Index("jobs_by_subject", "subject"),
)


def add(c: sa.Connection, job: Job) -> None:
    """A new job."""
    c.execute(sa.insert(jobs).values(**job.model_dump()))


def by_id(c: sa.Connection, job_id: str) -> Job | None:
    """One job."""
    row = c.execute(sa.select(jobs).where(jobs.c.id == job_id)).mappings().first()
    return _job(row) if row else None


def of_subject(c: sa.Connection, subject: str) -> Job | None:
    """The newest job about something."""
    query = sa.select(jobs).where(jobs.c.subject == subject).order_by(jobs.c.id.desc()).limit(1)
    row = c.execute(query).mappings().first()
    return _job(row) if row else None


def free(c: sa.Connection, kinds: Sequence[str], now: int) -> Job | None:
    """The oldest job that waits, or whose holder's lease has run out. One job about a subject is
    done at a time: what was asked for anew waits until what was cancelled has ended."""
    other = jobs.alias("other")
    held = sa.exists().where(
        other.c.subject == jobs.c.subject, other.c.state == "running", other.c.lease_ms >= now
    )
    waits = (jobs.c.state == "queued") & ~held
    is_free = waits | ((jobs.c.state == "running") & (jobs.c.lease_ms < now))
    query = sa.select(jobs).where(is_free, jobs.c.kind.in_(kinds)).order_by(jobs.c.created_ms)
    row = c.execute(query.limit(1)).mappings().first()
    return _job(row) if row else None


def held(c: sa.Connection, kinds: Sequence[str]) -> tuple[Job, ...]:
    """Jobs that somebody holds."""
    query = sa.select(jobs).where(jobs.c.state == "running", jobs.c.kind.in_(kinds))
    return tuple(_job(row) for row in c.execute(query).mappings())


def hand(c: sa.Connection, job: Job, holder: str, now: int, lease: int) -> Job:
    """Give a job to a holder."""
    taken: dict[str, Any] = {
        "state": "running", "holder": holder, "lease_ms": lease, "updated_ms": now,
        "attempts": job.attempts + 1,
    }  # fmt: skip
    c.execute(sa.update(jobs).where(jobs.c.id == job.id).values(**taken))
    return job.model_copy(update=taken)


def renew(c: sa.Connection, job_id: str, holder: str, lease: int) -> Job | None:
    """A longer lease for its holder; None when somebody else has the job, or it is over."""
    own = (jobs.c.id == job_id) & (jobs.c.holder == holder) & (jobs.c.state == "running")
    if c.execute(sa.update(jobs).where(own).values(lease_ms=lease)).rowcount == 0:
        return None
    return by_id(c, job_id)


def settle(c: sa.Connection, job_id: str, holder: str, state: str, error: str, now: int) -> bool:
    """How a job ended, told by its holder."""
    own = (jobs.c.id == job_id) & (jobs.c.holder == holder) & (jobs.c.state == "running")
    ended = {"state": state, "error": error, "updated_ms": now, "lease_ms": 0}
    return c.execute(sa.update(jobs).where(own).values(**ended)).rowcount == 1


def ask_to_stop(c: sa.Connection, job_id: str, now: int) -> None:
    """Cancel a job: at once while it waits, else when its holder looks."""
    waiting = (jobs.c.id == job_id) & (jobs.c.state == "queued")
    c.execute(sa.update(jobs).where(waiting).values(state="cancelled", updated_ms=now))
    running = (jobs.c.id == job_id) & (jobs.c.state == "running")
    c.execute(sa.update(jobs).where(running).values(cancel=True, updated_ms=now))


def unfinished(c: sa.Connection) -> int:
    """How many jobs wait or run."""
    query = sa.select(sa.func.count()).where(jobs.c.state.in_(("queued", "running")))
    return c.scalar(query) or 0


def forget(c: sa.Connection, before_ms: int) -> None:
    """Remove jobs that ended long ago."""
    over = jobs.c.state.in_(("done", "failed", "cancelled")) & (jobs.c.updated_ms < before_ms)
    c.execute(sa.delete(jobs).where(over))


def _job(row: Any) -> Job:
    return Job(**{name: row[name] for name in Job.model_fields})
