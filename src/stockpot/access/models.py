"""Users, sessions, API tokens and the audit log. Frozen, typed, without I/O."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

Role = Literal["admin", "editor", "viewer", "own"]
"""Highest first; `own` sees only what its owner made. A route declares the lowest it accepts."""


class Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class User(Frozen):
    id: str
    email: str
    name: str
    role: Role
    created_ms: float


class Principal(Frozen):
    """Who makes a request: a signed-in user, an API token, or the instance's own command line."""

    user_id: str
    label: str
    role: Role
    via: Literal["session", "token", "cli"]


class SessionInfo(Frozen):
    """What the console learns about itself. `csrf` goes back in `x-stockpot-csrf` on writes."""

    user: User
    csrf: str


class ApiToken(Frozen):
    id: str
    name: str
    prefix: str
    role: Role
    created_ms: float
    expires_ms: float | None
    last_used_ms: float | None


class NewApiToken(Frozen):
    """The only time that a token's secret is shown."""

    token: ApiToken
    secret: str


class AuditEntry(Frozen):
    id: str
    at_ms: float
    actor: str
    action: str
    subject: str
    detail: dict[str, object]
