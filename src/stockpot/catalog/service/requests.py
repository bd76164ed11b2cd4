"""Review before access: a member asks for a model or a budget, somebody else decides.

The records are those of access, which knows no key; what an approval changes is the catalog's. The
change and the decision are one transaction, so that no request is approved without its effect.
"""

from __future__ import annotations

from typing import Literal

import sqlalchemy as sa

from stockpot.access import (
    AccessRequest,
    Principal,
    add_request,
    audit,
    decide,
    demand,
    list_requests,
    request_by_id,
)
from stockpot.catalog.edits import Edits
from stockpot.catalog.models import BudgetSpec, BudgetState, NewRequest, VirtualKey
from stockpot.catalog.publish import Publisher
from stockpot.catalog.service.projects import existing_project
from stockpot.catalog.store import budgets, keys
from stockpot.core.clock import now_ms
from stockpot.core.db import Database
from stockpot.core.errors import Conflict, Forbidden, InvalidInput, NotFound, did_you_mean
from stockpot.core.ids import record_id

Decision = Literal["approved", "denied"]


class RequestService:
    """Asking, deciding, taking back."""

    def __init__(self, db: Database, edits: Edits, publisher: Publisher) -> None:
        self._db = db
        self._edits = edits
        self._publisher = publisher

    async def all(
        self, actor: Principal, state: str | None, project: str | None
    ) -> tuple[AccessRequest, ...]:
        """Newest first: of the caller's projects, or with the role `own` what they asked for."""
        return await self._db.read(
            lambda c: list_requests(
                c,
                seen=actor.projects("viewer"),
                open_to=actor.projects("own"),
                asked_by=actor.user_id,
                state=state,
                project=project,
            )
        )

    async def ask(self, actor: Principal, new: NewRequest) -> AccessRequest:
        """Ask for a model of a key, or for more budget of a key or a project."""
        if new.model is not None:
            await self._check_model(new.model)

        def write(c: sa.Connection) -> AccessRequest:
            project = _asked_in(c, actor, new)
            wanted = {"model": new.model} if new.model else {"limit_nano": new.limit_nano}
            request = AccessRequest(
                id=record_id("req"),
                project=project,
                kind="model" if new.model else "budget",
                key_id=new.key_id or "",
                wanted=wanted,
                reason=new.reason,
                asked_by=actor.user_id,
                asked_label=actor.label,
                created_ms=now_ms(),
                state="open",
                decided_by="",
                decided_ms=None,
                note="",
            )
            add_request(c, request)
            audit(c, actor, "request.ask", request.id, after=request, project=project)
            return request

        return await self._db.write(write)

    async def decide(
        self, actor: Principal, request_id: str, decision: Decision, note: str
    ) -> AccessRequest:
        """Approve, which makes the change, or deny. Nobody decides about their own request."""

        def write(c: sa.Connection) -> AccessRequest:
            request = _open(c, actor, request_id)
            if actor.user_id == request.asked_by:
                raise Forbidden("nobody decides about their own request")
            _check_decider(actor, request)
            if decision == "approved":
                _apply(c, actor, request)
            verb = "approve" if decision == "approved" else "deny"
            return _settled(c, actor, request, decision, note, f"request.{verb}")

        if decision == "denied":
            return await self._db.write(write)
        done = await self._edits.write(actor, f"request {request_id} approved", write)
        await self._publisher.refresh(f"request {request_id} approved")
        return done

    async def withdraw(self, actor: Principal, request_id: str) -> None:
        """Take back what one asked for oneself."""

        def write(c: sa.Connection) -> None:
            request = _open(c, actor, request_id)
            if actor.user_id != request.asked_by:
                raise Forbidden("only who asked takes a request back")
            _settled(c, actor, request, "withdrawn", "", "request.withdraw")

        await self._db.write(write)

    async def _check_model(self, name: str) -> None:
        published = await self._publisher.current()
        known = [entry.name for entry in published.compiled.models]
        if name not in known:
            near = did_you_mean(name, known)
            raise NotFound(f"no model {name!r}.{near}", hint="stockpot aliases list")


def _asked_in(c: sa.Connection, actor: Principal, new: NewRequest) -> str:
    """The project that a request is about, when the caller is in it and the request makes sense."""
    if (new.model is None) == (new.limit_nano is None):
        raise InvalidInput("ask for one thing: 'model' or 'limit_nano'")
    if new.key_id is None:
        if new.model is not None or new.project is None:
            raise InvalidInput("say which key, or for a budget which project")
        project = existing_project(c, new.project, actor)
        if not actor.may("viewer", project.name):
            raise Forbidden(f"with the role 'own' one asks for keys, not for {project.name!r}")
        state = project.budget
    else:
        key = _key(c, actor, new.key_id)
        if new.model is not None and (not key.models or new.model in key.models):
            raise Conflict(f"the key {key.name!r} may use {new.model!r} already")
        project, state = existing_project(c, key.project), key.budget
    if new.limit_nano is not None and (state is None or state.spec.limit_nano >= new.limit_nano):
        raise Conflict("that is no more than it may spend now")
    return project.name


def _key(c: sa.Connection, actor: Principal, key_id: str) -> VirtualKey:
    row = keys.key_by_id(c, key_id, now_ms())
    absent = NotFound(f"no key {key_id!r}", hint="stockpot keys list")
    if row is None or not actor.sees(row.shown.project, row.shown.owner_id):
        raise absent
    if row.shown.state == "revoked":
        raise Conflict(f"the key {key_id!r} was revoked", hint="stockpot keys create")
    return row.shown


def _open(c: sa.Connection, actor: Principal, request_id: str) -> AccessRequest:
    request = request_by_id(c, request_id)
    absent = NotFound(f"no request {request_id!r}", hint="stockpot requests list")
    if request is None:
        raise absent
    demand(actor, "viewer", request.project, absent, owner_id=request.asked_by)
    if request.state != "open":
        raise Conflict(f"the request {request_id!r} was {request.state} already")
    return request


def _check_decider(actor: Principal, request: AccessRequest) -> None:
    """An admin of the project decides about its keys; one of the instance about its own budget."""
    absent = NotFound(f"no request {request.id!r}", hint="stockpot requests list")
    demand(actor, "admin", request.project, absent)
    if not request.key_id and actor.role != "admin":
        raise Forbidden("a project's own budget is decided about by an admin of the instance")


def _apply(c: sa.Connection, actor: Principal, request: AccessRequest) -> None:
    if not request.key_id:
        _raise_project(c, actor, request)
        return
    before = _key(c, actor, request.key_id)
    if request.kind == "model":
        models = dict.fromkeys((*before.models, str(request.wanted["model"])))
        if before.models:  # no models allow all, and must not come to allow one alone
            keys.change_key(c, before.id, models=list(models))
    else:
        budgets.set_budget(c, "key", before.id, _raised(before.budget, request), now_ms())
    after = _key(c, actor, request.key_id)
    told = {"project": request.project, "request": request.id}
    audit(c, actor, "key.change", before.id, before=before, after=after, **told)


def _raise_project(c: sa.Connection, actor: Principal, request: AccessRequest) -> None:
    before = existing_project(c, request.project)
    spec = _raised(before.budget, request)
    budgets.set_budget(c, "project", before.name, spec, now_ms())
    after = existing_project(c, request.project)
    told = {"project": request.project, "request": request.id}
    audit(c, actor, "project.change", before.name, before=before, after=after, **told)


def _raised(state: BudgetState | None, request: AccessRequest) -> BudgetSpec:
    """The present budget with the new limit; its period and what happens when it ends stay."""
    limit = int(str(request.wanted["limit_nano"]))
    if state is None or state.spec.limit_nano >= limit:
        raise Conflict("the budget was raised or taken away since; there is nothing to approve")
    return state.spec.model_copy(update={"limit_nano": limit})


def _settled(
    c: sa.Connection,
    actor: Principal,
    request: AccessRequest,
    state: Literal["approved", "denied", "withdrawn"],
    note: str,
    action: str,
) -> AccessRequest:
    update = {
        "state": state,
        "decided_by": actor.label,
        "decided_ms": float(now_ms()),
        "note": note,
    }
    settled = request.model_copy(update=update)
    decide(c, settled)
    told = {"project": request.project, "asked_by": request.asked_label}
    audit(c, actor, action, request.id, before=request, after=settled, **told)
    return settled
