"""Users, sessions, API tokens and the audit log. Frozen, typed, without I/O."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

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
    has_password: bool = False
    """False until the first sign-in by link sets one."""


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


class SignIn(Frozen):
    """Either an e-mail address and a password, or the token of a one-time link."""

    email: str = Field("", max_length=320)
    password: str = Field("", max_length=1000, repr=False)
    token: str = Field("", max_length=200, repr=False)


class NewPassword(Frozen):
    """`current` is not needed right after signing in by a one-time link."""

    password: str = Field(min_length=8, max_length=1000, repr=False)
    current: str = Field("", max_length=1000, repr=False)
    email: str | None = Field(None, pattern=r"^[^@\s]+@[^@\s]+$", max_length=320)
    name: str | None = Field(None, min_length=1, max_length=200)


class SignInLink(Frozen):
    """A link that signs in once. The token stands in the fragment, which browsers do not send."""

    url: str
    expires_ms: float


class ApiTokenRequest(Frozen):
    name: str = Field(min_length=1, max_length=100)
    role: Role = "viewer"
    expires_ms: float | None = Field(None, gt=0, lt=1e14)


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
