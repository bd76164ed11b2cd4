"""Experiments, their decisions and what was seen of them. Functions work inside their caller's
transaction."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import sqlalchemy as sa

from stockpot.experiments.models import Decision, Experiment, Look, NewExperiment
from stockpot.experiments.store.tables import decisions, experiments, looks

_STANDING = ("id", "project", "state", "stage", "stage_ms", "started_ms", "ended_ms", "winner",
             "held", "alarmed", "created_ms", "created_by", "changed_ms")  # fmt: skip


class Kept(NamedTuple):
    """An experiment with the salt of its hash."""

    shown: Experiment
    salt: str


def _kept(row: sa.RowMapping) -> Kept:
    told = {name: row[name] for name in _STANDING}
    told |= {"share": row["share"], "first_share": row["defined"]["share"]}
    return Kept(Experiment(**{**row["defined"], **told}), row["salt"])


def _select(c: sa.Connection, *terms: sa.ColumnElement[bool]) -> tuple[Kept, ...]:
    query = sa.select(experiments).order_by(experiments.c.project, experiments.c.name)
    return tuple(_kept(row) for row in c.execute(query.where(*terms)).mappings())


def list_experiments(c: sa.Connection, seen: frozenset[str] | None) -> tuple[Kept, ...]:
    """Experiments of the projects that are seen (None: all), by project and name."""
    return _select(c, *([] if seen is None else [experiments.c.project.in_(seen)]))


def running(c: sa.Connection) -> tuple[Kept, ...]:
    """Those that run."""
    return _select(c, experiments.c.state == "running")


def concluded(c: sa.Connection) -> tuple[Kept, ...]:
    """Those that somebody won."""
    return _select(c, experiments.c.state == "concluded")


def experiment_named(c: sa.Connection, project: str, name: str) -> Kept | None:
    """One experiment."""
    found = _select(c, experiments.c.project == project, experiments.c.name == name)
    return found[0] if found else None


def running_on(c: sa.Connection, project: str, kind: str, subject: str) -> str | None:
    """The name of the experiment that runs on a subject."""
    same = (
        (experiments.c.project == project)
        & (experiments.c.kind == kind)
        & (experiments.c.subject == subject)
        & (experiments.c.state == "running")
    )
    return c.scalar(sa.select(experiments.c.name).where(same))


def last_change(c: sa.Connection) -> int:
    """When any experiment changed last, in milliseconds; 0 for never."""
    return int(c.scalar(sa.select(sa.func.max(experiments.c.changed_ms))) or 0)


def put_experiment(c: sa.Connection, kept: Kept) -> None:
    """Write a new experiment, or how one stands now."""
    shown = kept.shown
    standing = {name: getattr(shown, name) for name in _STANDING}
    defined = shown.model_dump(mode="json", include=set(NewExperiment.model_fields))
    defined["share"] = shown.first_share
    columns = ("name", "kind", "subject", "share")
    values = standing | {name: getattr(shown, name) for name in columns}
    values |= {"defined": defined, "salt": kept.salt}
    same = experiments.c.id == shown.id
    if not c.execute(sa.update(experiments).where(same).values(**values)).rowcount:
        c.execute(sa.insert(experiments).values(**values))


def remove_experiment(c: sa.Connection, experiment_id: str) -> None:
    """An experiment with all that was decided."""
    for table in (decisions, looks):
        c.execute(sa.delete(table).where(table.c.experiment_id == experiment_id))
    c.execute(sa.delete(experiments).where(experiments.c.id == experiment_id))


# --- decisions ------------------------------------------------------------------------------------


def add_decision(c: sa.Connection, experiment_id: str, decision: Decision) -> None:
    """Append."""
    values = decision.model_dump(mode="json")
    c.execute(sa.insert(decisions).values(experiment_id=experiment_id, **values))


def list_decisions(c: sa.Connection, experiment_id: str, limit: int = 200) -> tuple[Decision, ...]:
    """Newest first."""
    query = (
        sa.select(decisions)
        .where(decisions.c.experiment_id == experiment_id)
        .order_by(decisions.c.id.desc())
        .limit(limit)
    )
    names = list(Decision.model_fields)
    rows = c.execute(query).mappings()
    return tuple(Decision(**{name: row[name] for name in names}) for row in rows)


# --- looks ----------------------------------------------------------------------------------------


def add_look(
    c: sa.Connection, ident: str, experiment_id: str, at_ms: int, units: int, seen: Sequence[Look]
) -> None:
    """Write down what was seen at an instant."""
    told = [[s.metric, s.arm, s.units, s.difference, s.low, s.high, s.role] for s in seen]
    values: dict[str, Any] = {"at_ms": at_ms, "units": units, "seen": told}
    c.execute(sa.insert(looks).values(id=ident, experiment_id=experiment_id, **values))


def last_look(c: sa.Connection, experiment_id: str) -> tuple[int, int] | None:
    """When the last one was, and how many units there were."""
    query = (
        sa.select(looks.c.at_ms, looks.c.units)
        .where(looks.c.experiment_id == experiment_id)
        .order_by(looks.c.id.desc())
        .limit(1)
    )
    row = c.execute(query).first()
    return (row[0], row[1]) if row else None


def list_looks(c: sa.Connection, experiment_id: str, limit: int = 2000) -> tuple[Look, ...]:
    """Oldest first; of more than `limit` the newest."""
    query = (
        sa.select(looks.c.at_ms, looks.c.seen)
        .where(looks.c.experiment_id == experiment_id)
        .order_by(looks.c.id.desc())
        .limit(limit)
    )
    found = [
        Look(
            at_ms=at,
            metric=m,
            arm=a,
            units=n,
            difference=d,
            low=low,
            high=high,
            role=role[0] if role else "",
        )
        for at, seen in c.execute(query)
        for m, a, n, d, low, high, *role in reversed(seen)
    ]
    return tuple(reversed(found))
