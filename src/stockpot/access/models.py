"""Who calls and what they may, and the records of people, tokens, requests and the audit log.

Frozen, typed, without I/O.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Role = Literal["admin", "editor", "viewer", "own"]
"""Highest first; `own` sees only what its owner made. A route declares the lowest it accepts."""

Scope = Literal["read", "write", "admin"]
"""What a token may be used for: looking, changing, and what needs an admin."""

SCOPES: tuple[Scope, ...] = ("read", "write", "admin")
RANK: dict[Role, int] = {"own": 0, "viewer": 1, "editor": 2, "admin": 3}


def lower(one: Role, other: Role) -> Role:
    """The role that both allow."""
    return one if RANK[one] <= RANK[other] else other


def higher(one: Role | None, other: Role | None) -> Role | None:
    """The role that either gives."""
    if one is None or other is None:
        return one or other
    return one if RANK[one] >= RANK[other] else other


class Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Principal(Frozen):
    """Who makes a request: a signed-in user, an API token, the instance's own command line, or at
    the routes that take one an application's virtual key.

    `role` is the one on the instance; as viewer or more it holds in every project. `own` on the
    instance opens no project by itself: `grants` say which are open, and how far. A principal with
    a `project` is a token that is tied to it and has nothing outside.
    """

    user_id: str
    label: str
    role: Role
    via: Literal["session", "token", "cli", "key"]
    grants: dict[str, Role] = {}
    scopes: tuple[Scope, ...] = SCOPES
    project: str | None = None
    address: str = ""

    def role_on(self, project: str) -> Role | None:
        """The role in a project; None when it is not open at all."""
        everywhere = self.role if self.role != "own" else None
        return higher(everywhere, self.grants.get(project))

    def may(self, role: Role, project: str) -> bool:
        """Whether the role in a project is at least `role`."""
        held = self.role_on(project)
        return held is not None and RANK[held] >= RANK[role]

    def may_somewhere(self, role: Role) -> bool:
        """Whether there is a project in which the role is at least `role`."""
        if self.role != "own" and RANK[self.role] >= RANK[role]:
            return True
        return any(RANK[held] >= RANK[role] for held in self.grants.values())

    def projects(self, role: Role) -> frozenset[str] | None:
        """The projects in which the role is at least `role`; None is all there are."""
        if self.role != "own" and RANK[self.role] >= RANK[role]:
            return None
        return frozenset(name for name, held in self.grants.items() if RANK[held] >= RANK[role])

    def sees(self, project: str, owner_id: str) -> bool:
        """Whether a record of a project is to be shown."""
        return self.may("viewer", project) or (self.may("own", project) and self.owns(owner_id))

    def owns(self, owner_id: str) -> bool:
        """Whether a record is this person's."""
        return bool(owner_id) and owner_id == self.user_id


EMAIL = r"^[^@\s\x00]+@[^@\s\x00]+$"
Email = Annotated[str, Field(pattern=EMAIL, max_length=320)]
PersonName = Annotated[str, Field(min_length=1, max_length=200)]
ProjectName = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")]
TeamName = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,62}$")]
Id = Annotated[str, Field(min_length=1, max_length=40)]

# --- people ---------------------------------------------------------------------------------------


class User(Frozen):
    id: str
    email: str
    name: str
    role: Role
    created_ms: float
    has_password: bool = False
    """False until the first sign-in by link sets one."""
    active: bool = True


class Invitation(Frozen):
    """Somebody new. `teams` are ids of teams, `projects` names with a role in each."""

    email: Email
    name: PersonName | None = None
    role: Role = "own"
    teams: tuple[Id, ...] = Field((), max_length=100)
    projects: dict[ProjectName, Role] = Field({}, max_length=100)


class UserSettings(Frozen):
    """What to change of a user; null keeps. An inactive user has no session and no token."""

    name: PersonName | None = None
    role: Role | None = None
    active: bool | None = None


class SignInLink(Frozen):
    """A link that signs in once. The token stands in the fragment, which browsers do not send."""

    url: str
    expires_ms: float


class Invited(Frozen):
    """A new user, and the link to hand over: it signs in once."""

    user: User
    link: SignInLink


class Member(Frozen):
    """A user in a team. `role` bounds what the team's projects give to this member."""

    user_id: str
    email: str
    role: Role


class Team(Frozen):
    id: str
    name: str
    created_ms: float
    members: tuple[Member, ...] = ()


class NewTeam(Frozen):
    name: TeamName


class RoleGiven(Frozen):
    role: Role


class ProjectAccess(Frozen):
    """A user or a team with a role in a project."""

    project: str
    subject_id: str
    subject: str
    """The user's e-mail address or the team's name."""
    kind: Literal["user", "team"]
    role: Role
    created_ms: float


# --- sessions and tokens --------------------------------------------------------------------------


class SessionInfo(Frozen):
    """What the console learns about itself. `csrf` goes back in `x-stockpot-csrf` on writes."""

    user: User
    csrf: str
    projects: dict[str, Role] = {}
    """Roles in single projects, beside the user's role on the instance."""


class SignIn(Frozen):
    """Either an e-mail address and a password, or the token of a one-time link."""

    email: str = Field("", max_length=320)
    password: str = Field("", max_length=1000, repr=False)
    token: str = Field("", max_length=200, repr=False)


class SignInProvider(Frozen):
    name: str
    title: str


class SignInWays(Frozen):
    """How one can sign in here: with a password, and at which providers."""

    password: bool
    providers: tuple[SignInProvider, ...]


class NewPassword(Frozen):
    """`current` is not needed right after signing in by a one-time link."""

    password: str = Field(min_length=8, max_length=1000, repr=False)
    current: str = Field("", max_length=1000, repr=False)
    email: Email | None = None
    name: PersonName | None = None


class ApiTokenRequest(Frozen):
    """`role` is the most that the token may be, `scopes` what it may be used for; each implies the
    other, and both are bounded by what its owner may at the time of a call. With a `project`, the
    token works in that project only."""

    name: str = Field(min_length=1, max_length=100)
    role: Role | None = None
    scopes: tuple[Scope, ...] | None = Field(None, min_length=1, max_length=3)
    project: ProjectName | None = None
    expires_ms: float | None = Field(None, gt=0, lt=1e14)


class ApiToken(Frozen):
    id: str
    name: str
    prefix: str
    role: Role
    scopes: tuple[Scope, ...]
    project: str | None
    created_ms: float
    expires_ms: float | None
    last_used_ms: float | None


class NewApiToken(Frozen):
    """The only time that a token's secret is shown."""

    token: ApiToken
    secret: str


# --- requests -------------------------------------------------------------------------------------


class AccessRequest(Frozen):
    """What a member of a project asks for, and what became of it. `wanted` is `{"model": ...}` or a
    budget; without a `key_id` the budget is the project's."""

    id: str
    project: str
    kind: Literal["model", "budget"]
    key_id: str
    wanted: dict[str, object]
    reason: str
    asked_by: str
    asked_label: str
    created_ms: float
    state: Literal["open", "approved", "denied", "withdrawn"]
    decided_by: str
    decided_ms: float | None
    note: str


# --- the audit log --------------------------------------------------------------------------------


class AuditEntry(Frozen):
    """Who changed what, when, from where. `before` and `after` are SHA-256 digests of the record
    without its secrets; `hash` covers this entry and the hash of the one before it."""

    number: int
    id: str
    at_ms: float
    actor_id: str
    actor: str
    address: str
    action: str
    subject: str
    project: str
    before: str
    after: str
    detail: dict[str, object]
    hash: str


class AuditFilter(Frozen):
    """All given conditions must hold. `action` may end in `*`, such as `key.*`."""

    actor: str | None = Field(None, max_length=400)
    action: str | None = Field(None, max_length=100)
    subject: str | None = Field(None, max_length=400)
    project: str | None = Field(None, max_length=63)
    from_ms: float | None = Field(None, ge=0, le=9e12)
    to_ms: float | None = Field(None, ge=0, le=9e12)


class AuditVerification(Frozen):
    """Whether the chain holds. Note `number` and `hash` elsewhere: a log that was rewritten as a
    whole does not lead to them any more."""

    entries: int
    number: int
    hash: str
    intact: bool
    problems: tuple[str, ...]
