"""Signing in by a provider: the way there and back, and which user its claims mean.

Knows users and teams, and of the protocol only `OidcClient`. What a sign-in on its way needs to
know travels with the browser, sealed, in a cookie that lives ten minutes: whoever brings back a
code without it began nothing here.
"""

from __future__ import annotations

import json
import ssl
from collections.abc import Mapping
from typing import Any, NamedTuple

import httpx
import sqlalchemy as sa
from cryptography.fernet import InvalidToken

from stockpot.access.audit_log import audit
from stockpot.access.credentials import same
from stockpot.access.models import (
    Principal,
    Role,
    SignInProvider,
    SignInWays,
    User,
    higher,
)
from stockpot.access.oidc import (
    TIMEOUT_S,
    Errand,
    OidcClient,
    Provider,
    new_errand,
    providers_of,
)
from stockpot.access.service.gate import Clock, GateService
from stockpot.access.service.sign_in import SignedIn, SignInService
from stockpot.access.store import people
from stockpot.core.clock import now_ms
from stockpot.core.config import Settings
from stockpot.core.db import Database
from stockpot.core.errors import Forbidden, NotFound, did_you_mean
from stockpot.core.instance import Instance
from stockpot.core.urls import public_url

ERRAND_MS = 600_000
CALLBACK = "/api/v1/sign-in/{name}/callback"


class Leaving(NamedTuple):
    """Where the browser goes, and the cookie that it takes along."""

    address: str
    cookie: str


class Back(NamedTuple):
    """What the provider sent the browser back with."""

    code: str = ""
    state: str = ""
    error: str = ""
    issuer: str = ""


class Arrived(NamedTuple):
    """Somebody is signed in, and where they wanted to go."""

    signed_in: SignedIn
    next: str


class SsoService:
    """Sign-in by the providers of the setting `oidc`."""

    def __init__(
        self,
        db: Database,
        instance: Instance,
        settings: Settings,
        gate: GateService,
        sessions: SignInService,
        clock: Clock = now_ms,
    ) -> None:
        self._db = db
        self._instance = instance
        self._gate = gate
        self._sessions = sessions
        self._now = clock
        self._providers = providers_of(settings)
        self._settings = settings
        self._http: httpx.AsyncClient | None = None
        self._clients: dict[str, OidcClient] = {}

    def ways(self) -> SignInWays:
        """How one can sign in here."""
        shown = (SignInProvider(name=p.name, title=p.title or p.name) for p in self._all())
        return SignInWays(password=self._sessions.passwords, providers=tuple(shown))

    def _all(self) -> tuple[Provider, ...]:
        return tuple(self._providers.values())

    async def leave(self, name: str, wanted: str) -> Leaving:
        """Begin: the provider's address, and the sealed errand."""
        errand = new_errand()
        address = await self._client(name).address(errand)
        told = {**errand._asdict(), "name": name, "next": safe_path(wanted), "at": self._now()}
        return Leaving(address, self._instance.seal(json.dumps(told).encode()).decode())

    async def arrive(self, name: str, back: Back, cookie: str, address: str) -> Arrived:
        """The browser is back: a session for the user whom the provider vouches for."""
        client = self._client(name)
        told = self._errand(name, cookie)
        if not back.state or not same(back.state, told["state"]):
            raise Forbidden("this sign-in did not begin in this browser", hint="start again")
        if back.issuer and back.issuer != client.provider.issuer:
            raise Forbidden("another provider answered than was asked", hint="start again")
        if back.error or not back.code:
            raise Forbidden(f"{name!r} refused the sign-in: {back.error[:200] or 'no code'!r}")
        errand = Errand(told["state"], told["nonce"], told["verifier"])
        claims = await client.claims(back.code, errand)
        signed_in = await self._db.write(
            lambda c: self._let_in(c, client.provider, claims, address)
        )
        self._gate.forget()
        return Arrived(signed_in, told["next"])

    async def close(self) -> None:
        """Close connections."""
        if self._http is not None:
            await self._http.aclose()

    def _client(self, name: str) -> OidcClient:
        provider = self._providers.get(name)
        if provider is None:
            near = did_you_mean(name, self._providers)
            raise NotFound(f"no sign-in provider {name!r}.{near}", hint="GET /api/v1/sign-in")
        if name not in self._clients:
            if self._http is None:
                self._http = _http(self._settings)
            redirect = public_url(self._settings) + CALLBACK.format(name=name)
            self._clients[name] = OidcClient(
                provider, redirect, self._http, lambda: self._now() / 1000
            )
        return self._clients[name]

    def _errand(self, name: str, cookie: str) -> dict[str, Any]:
        try:
            told: dict[str, Any] = json.loads(self._instance.unseal(cookie.encode()))
        except (InvalidToken, ValueError):
            told = {}
        if told.get("name") != name or not 0 <= self._now() - told["at"] < ERRAND_MS:
            raise Forbidden("this sign-in did not begin here, or too long ago", hint="start again")
        return told

    def _let_in(
        self, c: sa.Connection, provider: Provider, claims: Mapping[str, Any], address: str
    ) -> SignedIn:
        actor = Principal(
            user_id=f"oidc:{provider.name}"[:40], label=provider.name, role="own", via="session",
            address=address,
        )  # fmt: skip
        user = self._user_of(c, actor, provider, claims)
        if not user.active:
            raise Forbidden(f"{user.email!r} has no access to this instance any more")
        user = _mapped(c, actor, provider, user, _groups(provider, claims), self._now())
        return self._sessions.begin(c, user, provider.name, address)

    def _user_of(
        self, c: sa.Connection, actor: Principal, provider: Provider, claims: Mapping[str, Any]
    ) -> User:
        """By the provider's own name for them, else by an address that it may vouch for."""
        subject = str(claims["sub"])
        known = people.user_id_of(c, provider.issuer, subject)
        if known is not None:
            user = people.user_by_id(c, known)
            assert user is not None  # an identity goes with its user
            return user
        email = _vouched(provider, claims)
        found = people.user_by_email(c, email)
        if found is None:
            name = str(claims.get("name") or email)[:200]
            found = people.add_user(c, email, name, provider.role, self._now())
            audit(c, actor, "user.create", found.id, after=found, email=email, role=found.role)
        people.add_identity(c, provider.issuer, subject, found.id)
        audit(c, actor, "user.identity", found.id, provider=provider.name)
        return found


def _vouched(provider: Provider, claims: Mapping[str, Any]) -> str:
    """An address of one of the provider's domains, which it says is verified."""
    email = str(claims.get("email", "")).strip().lower()
    domain = email.rpartition("@")[2]
    if not email.count("@") == 1 or len(email) > 320 or claims.get("email_verified") is not True:
        raise Forbidden(f"{provider.name!r} vouches for no e-mail address of yours")
    if domain not in {allowed.lower() for allowed in provider.domains}:
        raise Forbidden(
            f"addresses of {domain!r} may not sign in by {provider.name!r}",
            hint="an admin adds the domain to the provider's `domains`",
        )
    return email


def _groups(provider: Provider, claims: Mapping[str, Any]) -> frozenset[str]:
    told = claims.get(provider.groups_claim, ())
    groups = told if isinstance(told, list | tuple) else [told]
    return frozenset(str(group) for group in groups)


def _mapped(
    c: sa.Connection,
    actor: Principal,
    provider: Provider,
    user: User,
    groups: frozenset[str],
    now: int,
) -> User:
    """Role and teams as the groups say, where the provider's row maps any."""
    for name in dict.fromkeys(provider.teams.values()):
        belongs = any(n == name and group in groups for group, n in provider.teams.items())
        _settle(c, actor, user, name, belongs, now)
    if not provider.roles:
        return user
    role: Role = provider.role
    for group, given in provider.roles.items():
        if group in groups:
            role = higher(role, given) or given
    if role == user.role:
        return user
    people.change_user(c, user.id, role=role)
    changed = user.model_copy(update={"role": role})
    audit(c, actor, "user.change", user.id, before=user, after=changed, role=role)
    return changed


def _settle(
    c: sa.Connection, actor: Principal, user: User, name: str, belongs: bool, now: int
) -> None:
    """The user is in the team of this name, or is not."""
    team = people.team_named(c, name)
    inside = team is not None and any(member.user_id == user.id for member in team.members)
    if belongs and not inside:
        team_id = team.id if team else people.add_team(c, name, now)
        people.put_member(c, team_id, user.id, "admin")
        audit(c, actor, "team.add", team_id, user=user.id, role="admin")
    elif team is not None and inside and not belongs:
        people.remove_member(c, team.id, user.id)
        audit(c, actor, "team.drop", team.id, user=user.id)


def safe_path(wanted: str) -> str:
    """Only a path of this console may follow a sign-in."""
    plain = wanted.isascii() and wanted.isprintable() and "\\" not in wanted
    if plain and wanted.startswith("/") and not wanted.startswith(("//", "/sign-in", "/api/")):
        return wanted
    return "/overview"


def _http(settings: Settings) -> httpx.AsyncClient:
    context = ssl.create_default_context()
    if settings.upstream_ca:
        context.load_verify_locations(cafile=settings.upstream_ca)
    return httpx.AsyncClient(
        verify=context, timeout=TIMEOUT_S, proxy=settings.upstream_proxy or None,
        follow_redirects=False,
    )  # fmt: skip
