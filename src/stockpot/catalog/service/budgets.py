"""Lending budgets to workers, and taking back what the dead held."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import sqlalchemy as sa

from stockpot.access import Principal
from stockpot.catalog import leases
from stockpot.catalog.fleet import Fleet
from stockpot.catalog.leases import Lease
from stockpot.catalog.models import Event
from stockpot.catalog.periods import period_at
from stockpot.catalog.store import budgets, journal, keys
from stockpot.catalog.store.budgets import BudgetRow
from stockpot.core.clock import now_ms
from stockpot.core.db import Database
from stockpot.core.dollars import dollars
from stockpot.gateway import LeaseAsk, LeaseGrant, LeaseReply, LeaseRequest

SpendOf = Callable[[str, str, str, int], Awaitable[int | None]]
"""Of a dead worker's name, a scope (`key` or `project`), its id or name, and a time in ms: what the
scope has spent since then as the span log knows it, or None while records of that worker are still
on their way."""

UNKNOWN_FOR_MS = 15 * 60 * 1000
"""So long the span log is asked about a dead worker's lease; then all of it counts as spent."""


REFUSED_PERCENT = 99
"""Announced when a call was refused for want of money, before all of it is spent."""


class BudgetService:
    """The lender. It never lets what is spent and what is lent exceed a budget's limit."""

    def __init__(
        self, db: Database, fleet: Fleet, spend_of: SpendOf, clock: Callable[[], int] = now_ms
    ) -> None:
        self._db = db
        self._fleet = fleet
        self._spend_of = spend_of
        self._now = clock

    async def lease(self, request: LeaseRequest) -> LeaseReply:
        """Settle a worker's reports and lend. Budgets that are gone are not in the answer."""
        self._fleet.heard_of(request.worker)
        return LeaseReply(await self._db.write(lambda c: self._settle(c, request)))

    def _settle(self, c: sa.Connection, request: LeaseRequest) -> dict[str, LeaseGrant]:
        now = self._now()
        rows = budgets.budgets_by_id(c, tuple(request.budgets), now)
        return {
            budget_id: self._settle_one(c, rows[budget_id], request.worker, ask, now)
            for budget_id, ask in request.budgets.items()
            if budget_id in rows
        }

    def _settle_one(
        self, c: sa.Connection, row: BudgetRow, worker: str, ask: LeaseAsk, now: int
    ) -> LeaseGrant:
        held = budgets.leases_of(c, row.id)
        mine = held.pop(worker, Lease())
        others = sum(lease.held for lease in held.values())
        wanted = Lease(ask.want, ask.sequence, max(0, ask.spent))
        answer = leases.answer(row.spec.limit_nano, row.spent_nano, others, mine, wanted)
        _keep(c, row._replace(spent_nano=answer.spent), now, ask.refused)
        budgets.keep_lease(c, row.id, worker, answer.lease, now)
        end = period_at(row.spec.period, now).end_ms
        left = max(0, row.spec.limit_nano - answer.spent)
        return LeaseGrant(answer.lease.held, end, not left, left)

    async def reclaim(self) -> None:
        """Take back what dead workers hold, after asking the span log what they had spent."""
        self._fleet.bury()
        idle = await self._db.read(lambda c: budgets.idle_leases(c, self._now() - 1))
        for budget_id, worker, updated_ms in idle:
            if self._fleet.is_dead(worker):
                await self._reclaim_one(budget_id, worker, updated_ms)

    async def _reclaim_one(self, budget_id: str, worker: str, updated_ms: int) -> None:
        now = self._now()
        rows = await self._db.read(lambda c: budgets.budgets_by_id(c, (budget_id,), now))
        if (row := rows.get(budget_id)) is None:
            return
        known = await self._spend_of(worker, row.scope, row.scope_id, row.period_start_ms)
        if known is None and now - updated_ms < UNKNOWN_FOR_MS:
            return

        def write(c: sa.Connection) -> None:
            fresh = budgets.budgets_by_id(c, (budget_id,), now).get(budget_id)
            held = budgets.leases_of(c, budget_id).get(worker)
            if fresh is None or held is None:
                return
            if not held.held:  # it gave back what it had and told all that it spent
                budgets.drop_lease(c, budget_id, worker)
                return
            spent = leases.settled(fresh.spent_nano, held, known)
            budgets.drop_lease(c, budget_id, worker)
            _keep(c, fresh._replace(spent_nano=spent), now)

        await self._db.write(write)

    async def events(self, actor: Principal, limit: int, before: str | None) -> tuple[Event, ...]:
        """What happened, newest first; to a member of projects, what concerns those."""

        def read(c: sa.Connection) -> tuple[Event, ...]:
            about = None if actor.projects("viewer") is None else _seen_by(c, actor)
            return journal.list_events(c, limit, before, about)

        return await self._db.read(read)


def _seen_by(c: sa.Connection, actor: Principal) -> frozenset[str]:
    """Subjects of events: projects and keys that the caller sees."""
    mine = actor.projects("viewer") or frozenset()
    shown = (row.shown for row in keys.list_keys(c, now_ms(), revoked=True))
    own = (f"key:{key.id}" for key in shown if actor.sees(key.project, key.owner_id))
    return frozenset({*(f"project:{name}" for name in mine), *own})


def _keep(c: sa.Connection, row: BudgetRow, now: int, refused: int = 0) -> None:
    """Write the account, and tell of the percentages that it has reached, and once of a call that
    was `refused` because it costs more than what is left: to it the budget is used up."""
    limit, spent = row.spec.limit_nano, row.spent_nano
    for percent in leases.crossed(limit, spent, row.announced_percent):
        severity = "error" if percent >= 100 else "warning" if percent >= 80 else "info"
        _tell(c, row, now, severity, f"has used {percent} % of its budget", percent)
        row = row._replace(announced_percent=percent)
    if refused > limit - spent and row.announced_percent < REFUSED_PERCENT:
        rest = f"had a call refused: {dollars(limit - spent)} is left of its budget"
        _tell(c, row, now, "error", rest, spent * 100 // limit)
        row = row._replace(announced_percent=REFUSED_PERCENT)
    budgets.keep_account(c, row)


def _tell(
    c: sa.Connection, row: BudgetRow, now: int, severity: str, what: str, percent: int
) -> None:
    limit = row.spec.limit_nano
    found = keys.key_by_id(c, row.scope_id, now) if row.scope == "key" else None
    name = found.shown.name if found else row.scope_id
    when = "in all" if row.spec.period == "total" else f"per {row.spec.period}"
    journal.add_event(
        c,
        now,
        kind="budget",
        severity=severity,
        subject=f"{row.scope}:{row.scope_id}",
        message=f"the {row.scope} {name!r} {what} of {dollars(limit)} {when}",
        data={"percent": percent, "limit_nano": limit, "spent_nano": row.spent_nano},
    )
