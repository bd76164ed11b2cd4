"""Virtual keys, with their budgets. A revoked key stays: its spans still name it."""

from __future__ import annotations

import itertools
from typing import Any, NamedTuple

import sqlalchemy as sa

from stockpot.catalog.models import LimitSpec, PayloadPolicy, VirtualKey
from stockpot.catalog.store.budgets import BudgetRow, all_budgets, leased, state_of
from stockpot.catalog.store.tables import projects, virtual_keys

_LIMITS = tuple(LimitSpec.model_fields)


class KeyRow(NamedTuple):
    """A key as workers need it: what the API shows, its digest, and its budget's row.

    `handle` is the word by which a file names it; `own_payloads` is None where the project decides.
    """

    shown: VirtualKey
    digest: bytes
    budget: BudgetRow | None
    handle: str
    own_payloads: PayloadPolicy | None
    secret_ref: str


def list_keys(c: sa.Connection, now_ms: int, *, revoked: bool = False) -> tuple[KeyRow, ...]:
    """All keys, newest first; those that were revoked only when asked for."""
    live = sa.true() if revoked else virtual_keys.c.state != "revoked"
    return _select(c, now_ms, live)


def key_by_id(c: sa.Connection, key_id: str, now_ms: int) -> KeyRow | None:
    """One key, revoked or not."""
    return next(iter(_select(c, now_ms, virtual_keys.c.id == key_id)), None)


def _select(c: sa.Connection, now_ms: int, which: sa.ColumnElement[bool]) -> tuple[KeyRow, ...]:
    policy = projects.c.payloads.label("project_payloads")
    joined = sa.select(virtual_keys, policy).join_from(virtual_keys, projects)
    query = joined.where(which).order_by(virtual_keys.c.id.desc())
    budgets, held = all_budgets(c, now_ms), leased(c)
    return tuple(_row(row, budgets, held, now_ms) for row in c.execute(query).mappings())


def key_id_of(c: sa.Connection, digest: bytes) -> str | None:
    """The id of the key with this secret, revoked or not."""
    return c.scalar(sa.select(virtual_keys.c.id).where(virtual_keys.c.digest == digest))


def ids_owned_by(c: sa.Connection, user_id: str, projects_of: frozenset[str]) -> tuple[str, ...]:
    """The ids of a user's keys in some projects, revoked ones too."""
    mine = (virtual_keys.c.owner_id == user_id) & virtual_keys.c.project.in_(projects_of)
    return tuple(c.scalars(sa.select(virtual_keys.c.id).where(mine)))


def add_key(c: sa.Connection, **values: Any) -> None:
    """A new key; `limits` is a LimitSpec. Without a `handle` it takes its name, or its name and a
    number where a key that works has that."""
    limits = values.pop("limits").model_dump()
    values.setdefault("handle", _free_handle(c, values["name"]))
    c.execute(sa.insert(virtual_keys).values(**values, **limits))


def _free_handle(c: sa.Connection, name: str) -> str:
    live = sa.select(virtual_keys.c.handle).where(virtual_keys.c.state != "revoked")
    taken = set(c.scalars(live.where(virtual_keys.c.handle.startswith(name, autoescape=True))))
    numbered = (f"{name}-{number}" for number in itertools.count(2))
    return next(handle for handle in itertools.chain((name,), numbered) if handle not in taken)


def change_key(c: sa.Connection, key_id: str, **values: Any) -> None:
    """Set columns of a key; `limits` is a LimitSpec."""
    limits = values.pop("limits", None)
    flat = {**values, **(limits.model_dump() if limits else {})}
    if flat:
        c.execute(sa.update(virtual_keys).where(virtual_keys.c.id == key_id).values(**flat))


def _row(
    row: sa.RowMapping,
    budgets: dict[tuple[str, str], BudgetRow],
    held: dict[str, int],
    now_ms: int,
) -> KeyRow:
    expired = row["state"] == "active" and 0 < row["expires_ms"] <= now_ms
    budget = budgets.get(("key", row["id"]))
    own = ("id", "name", "prefix", "project", "environment", "created_ms", "created_by", "owner_id")
    policies = ("on_disconnect", "on_ledger_full")
    shown = VirtualKey(
        **{name: row[name] for name in (*own, *policies)},
        state="expired" if expired else row["state"],
        expires_ms=row["expires_ms"] or None,
        models=tuple(row["models"]),
        networks=tuple(row["networks"]),
        limits=LimitSpec(**{name: row[name] for name in _LIMITS}),
        budget=state_of(budget, held, now_ms),
        payloads=row["payloads"] or row["project_payloads"],
        cache=row["cache"],
        apart=row["apart"],
    )
    reference = row["secret_ref"]
    return KeyRow(shown, row["digest"], budget, row["handle"], row["payloads"], reference)
