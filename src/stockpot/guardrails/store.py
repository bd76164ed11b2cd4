"""All SQL on guardrails. Functions work inside their caller's transaction."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from stockpot.guardrails.models import Binding, Calibration, Policy
from stockpot.guardrails.tables import bindings, calibrations, harvest, policies


def list_policies(c: sa.Connection, projects: frozenset[str] | None = None) -> tuple[Policy, ...]:
    """Policies of some projects, or of all, by project and name, with where they hold."""
    return _select(c, sa.true() if projects is None else policies.c.project.in_(sorted(projects)))


def policy_named(c: sa.Connection, project: str, name: str) -> Policy | None:
    """One policy by its name, or by its id."""
    mine = policies.c.project == project
    found = _select(c, mine & ((policies.c.name == name) | (policies.c.id == name)))
    return found[0] if found else None


def _select(c: sa.Connection, which: sa.ColumnElement[bool]) -> tuple[Policy, ...]:
    query = sa.select(policies).where(which).order_by(policies.c.project, policies.c.name)
    rows = c.execute(query).mappings().all()
    held: dict[str, list[Binding]] = {row["id"]: [] for row in rows}
    order = (bindings.c.kind, bindings.c.subject)
    for row in c.execute(sa.select(bindings).order_by(*order)).mappings():
        if row["policy_id"] in held:
            held[row["policy_id"]].append(Binding(kind=row["kind"], subject=row["subject"]))
    return tuple(Policy(**row, bindings=tuple(held[row["id"]])) for row in rows)


def put_policy(c: sa.Connection, policy: Policy) -> None:
    """Write a new policy, or what changed of one."""
    values = policy.model_dump(mode="json", exclude={"bindings", "only_flags"})
    changed = c.execute(sa.update(policies).where(policies.c.id == policy.id).values(**values))
    if not changed.rowcount:
        c.execute(sa.insert(policies).values(**values))


def remove_policy(c: sa.Connection, policy_id: str) -> None:
    """A policy and where it held."""
    c.execute(sa.delete(bindings).where(bindings.c.policy_id == policy_id))
    c.execute(sa.delete(harvest).where(harvest.c.policy_id == policy_id))
    c.execute(sa.delete(policies).where(policies.c.id == policy_id))


def holder_of(c: sa.Connection, project: str, binding: Binding) -> str | None:
    """The id of the policy that holds somewhere."""
    return c.scalar(sa.select(bindings.c.policy_id).where(_same(project, binding)))


def bind(
    c: sa.Connection, project: str, binding: Binding, policy_id: str, at_ms: int, by: str
) -> None:
    """Let a policy hold somewhere, instead of the one that did."""
    unbind(c, project, binding)
    values = {"project": project, "kind": binding.kind, "subject": binding.subject}
    c.execute(
        sa.insert(bindings).values(**values, policy_id=policy_id, created_ms=at_ms, created_by=by)
    )


def unbind(c: sa.Connection, project: str, binding: Binding) -> bool:
    """Whether a policy held there."""
    return c.execute(sa.delete(bindings).where(_same(project, binding))).rowcount > 0


def _same(project: str, binding: Binding) -> sa.ColumnElement[bool]:
    return (
        (bindings.c.project == project)
        & (bindings.c.kind == binding.kind)
        & (bindings.c.subject == binding.subject)
    )


def list_calibrations(
    c: sa.Connection, projects: frozenset[str] | None = None
) -> tuple[Calibration, ...]:
    """Calibrations of some projects, or of all."""
    which = sa.true() if projects is None else calibrations.c.project.in_(sorted(projects))
    query = sa.select(calibrations).where(which)
    query = query.order_by(calibrations.c.project, calibrations.c.rail)
    return tuple(Calibration(**row) for row in c.execute(query).mappings())


def calibration_of(c: sa.Connection, project: str, rail: str) -> Calibration | None:
    """What a project measured of a rail."""
    which = (calibrations.c.project == project) & (calibrations.c.rail == rail)
    row = c.execute(sa.select(calibrations).where(which)).mappings().first()
    return Calibration(**row) if row else None


def put_calibration(c: sa.Connection, made: Calibration) -> None:
    """Write a calibration instead of the one before."""
    remove_calibration(c, made.project, made.rail)
    c.execute(sa.insert(calibrations).values(**made.model_dump()))


def remove_calibration(c: sa.Connection, project: str, rail: str) -> bool:
    """Whether there was one."""
    which = (calibrations.c.project == project) & (calibrations.c.rail == rail)
    return c.execute(sa.delete(calibrations).where(which)).rowcount > 0


def harvested_until(c: sa.Connection) -> dict[str, int]:
    """Up to when what each policy flagged was taken, by policy."""
    return {str(row[0]): int(row[1]) for row in c.execute(sa.select(harvest))}


def note_harvest(c: sa.Connection, policy_id: str, until_ms: int) -> None:
    """What a policy flagged before this time was taken."""
    values: dict[str, Any] = {"until_ms": until_ms}
    which = harvest.c.policy_id == policy_id
    if not c.execute(sa.update(harvest).where(which).values(**values)).rowcount:
        c.execute(sa.insert(harvest).values(policy_id=policy_id, **values))
