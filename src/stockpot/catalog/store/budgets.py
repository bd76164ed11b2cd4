"""Budgets, what was spent of them in their present period, and the leases of workers."""

from __future__ import annotations

from typing import Literal, NamedTuple

import sqlalchemy as sa

from stockpot.catalog.leases import Lease
from stockpot.catalog.models import BudgetSpec, BudgetState
from stockpot.catalog.periods import period_at
from stockpot.catalog.store.tables import budgets, leases
from stockpot.core.ids import record_id

Scope = Literal["project", "key"]


class BudgetRow(NamedTuple):
    """A budget with its account. `spent_nano` is that of the period beginning `period_start_ms`."""

    id: str
    scope: Scope
    scope_id: str
    spec: BudgetSpec
    period_start_ms: int
    spent_nano: int
    announced_percent: int

    def at(self, now_ms: int) -> BudgetRow:
        """The same budget now: a new period begins with nothing spent."""
        start = period_at(self.spec.period, now_ms).start_ms
        if start == self.period_start_ms:
            return self
        return self._replace(period_start_ms=start, spent_nano=0, announced_percent=0)


def _row(row: sa.RowMapping) -> BudgetRow:
    spec = BudgetSpec(**{name: row[name] for name in BudgetSpec.model_fields})
    names = ("id", "scope", "scope_id", "period_start_ms", "spent_nano", "announced_percent")
    return BudgetRow(spec=spec, **{name: row[name] for name in names})


def set_budget(
    c: sa.Connection, scope: Scope, scope_id: str, spec: BudgetSpec, now_ms: int
) -> None:
    """Set or change a budget. What was spent stays spent while the period stays the same."""
    values = spec.model_dump()
    same = (budgets.c.scope == scope) & (budgets.c.scope_id == scope_id)
    old = c.execute(sa.select(budgets).where(same)).mappings().first()
    if old is not None:
        if old["period"] != spec.period:
            values |= {"period_start_ms": -1}  # no period begins there, so the account starts anew
        c.execute(sa.update(budgets).where(same).values(**values, announced_percent=0))
        return
    start = period_at(spec.period, now_ms).start_ms
    account = {"period_start_ms": start, "spent_nano": 0, "announced_percent": 0}
    identity = {"id": record_id("bud"), "scope": scope, "scope_id": scope_id}
    c.execute(sa.insert(budgets).values(**identity, **values, **account))


def remove_budget(c: sa.Connection, scope: Scope, scope_id: str) -> None:
    """Take the cap away, with its leases."""
    same = (budgets.c.scope == scope) & (budgets.c.scope_id == scope_id)
    ids = sa.select(budgets.c.id).where(same)
    c.execute(sa.delete(leases).where(leases.c.budget_id.in_(ids)))
    c.execute(sa.delete(budgets).where(same))


def all_budgets(c: sa.Connection, now_ms: int) -> dict[tuple[str, str], BudgetRow]:
    """Every budget by scope and scope id, as it stands now."""
    rows = (_row(row) for row in c.execute(sa.select(budgets)).mappings())
    return {(row.scope, row.scope_id): row.at(now_ms) for row in rows}


def budgets_by_id(c: sa.Connection, ids: tuple[str, ...], now_ms: int) -> dict[str, BudgetRow]:
    """Some budgets, as they stand now."""
    found = c.execute(sa.select(budgets).where(budgets.c.id.in_(ids))).mappings()
    return {row["id"]: _row(row).at(now_ms) for row in found}


def keep_account(c: sa.Connection, row: BudgetRow) -> None:
    """Write back what was spent and announced."""
    c.execute(
        sa.update(budgets)
        .where(budgets.c.id == row.id)
        .values(
            period_start_ms=row.period_start_ms,
            spent_nano=row.spent_nano,
            announced_percent=row.announced_percent,
        )
    )


def leased(c: sa.Connection) -> dict[str, int]:
    """What all workers hold, by budget."""
    total = sa.func.sum(leases.c.held_nano)
    query = sa.select(leases.c.budget_id, total).group_by(leases.c.budget_id)
    return {budget_id: int(held) for budget_id, held in c.execute(query)}


def leases_of(c: sa.Connection, budget_id: str) -> dict[str, Lease]:
    """Every worker's lease of one budget."""
    rows = c.execute(sa.select(leases).where(leases.c.budget_id == budget_id)).mappings()
    return {r["worker"]: Lease(r["held_nano"], r["sequence"], r["reported_nano"]) for r in rows}


def keep_lease(c: sa.Connection, budget_id: str, worker: str, lease: Lease, now_ms: int) -> None:
    """Write a worker's lease."""
    drop_lease(c, budget_id, worker)
    identity = {"budget_id": budget_id, "worker": worker, "updated_ms": now_ms}
    state = {
        "held_nano": lease.held,
        "sequence": lease.sequence,
        "reported_nano": lease.reported,
    }
    c.execute(sa.insert(leases).values(**identity, **state))


def drop_lease(c: sa.Connection, budget_id: str, worker: str) -> None:
    """Forget a worker's lease."""
    same = (leases.c.budget_id == budget_id) & (leases.c.worker == worker)
    c.execute(sa.delete(leases).where(same))


def idle_leases(c: sa.Connection, before_ms: int) -> tuple[tuple[str, str, int], ...]:
    """Budget, worker and time of leases whose worker has not reported since."""
    query = sa.select(leases.c.budget_id, leases.c.worker, leases.c.updated_ms)
    rows = c.execute(query.where(leases.c.updated_ms < before_ms))
    return tuple((budget_id, worker, updated) for budget_id, worker, updated in rows)


def state_of(row: BudgetRow | None, held: dict[str, int], now_ms: int) -> BudgetState | None:
    """A budget as the API shows it."""
    if row is None:
        return None
    period = period_at(row.spec.period, now_ms)
    return BudgetState(
        spec=row.spec,
        spent_nano=row.spent_nano,
        leased_nano=held.get(row.id, 0),
        period_start_ms=period.start_ms,
        period_end_ms=period.end_ms or None,
    )
