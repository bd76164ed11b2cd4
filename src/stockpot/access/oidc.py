"""Talking to one OpenID Connect provider: discovery, its keys, the code for a token, the token.

Authorisation code with PKCE (S256), state and nonce. Knows the protocol and no user. Signatures are
checked by joserfc with keys that are asked for again when a token names one that is not known, so
that a provider may rotate them at any time.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import os
import secrets
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote, urlencode, urlsplit

import httpx
from joserfc import jwk, jwt
from joserfc.errors import BadSignatureError, JoseError
from pydantic import Field, ValidationError, field_validator

from stockpot.access.credentials import same
from stockpot.access.models import Frozen, Role, TeamName
from stockpot.core.config import Settings
from stockpot.core.errors import ConfigError, Forbidden, Unavailable
from stockpot.core.faults import first_fault

TIMEOUT_S = 10.0
KEPT_S = 3600.0
"""So long what a provider says of itself is believed."""

ASK_AGAIN_S = 5.0
"""A token that names an unknown key makes us ask for the keys at most this often."""

LEEWAY_S = 60
OLDEST_S = 600
_ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "EdDSA"]
"""Signatures by the provider's own key. Never `none`, and never HMAC with the client's secret."""

_LOOPBACK = {"127.0.0.1", "localhost", "::1"}


class Provider(Frozen):
    """A row of the setting `oidc`. `client_secret` is `env:NAME` or `file:PATH`, or empty for a
    public client. New users come from `domains` only; `roles` and `teams` map values of the claim
    `groups_claim` to a role on the instance and to a team."""

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9-]{0,31}$")
    issuer: str = Field(max_length=400)
    client_id: str = Field(min_length=1)
    client_secret: str = Field("", pattern=r"^((env|file):.+)?$", repr=False)
    title: str = ""
    scopes: str = "openid email profile"
    domains: tuple[str, ...] = ()
    role: Role = "own"
    groups_claim: str = "groups"
    roles: dict[str, Role] = Field({})
    teams: dict[str, TeamName] = Field({})

    @field_validator("issuer")
    @classmethod
    def _safe(cls, issuer: str) -> str:
        parts = urlsplit(issuer)
        if parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK):
            return issuer
        raise ValueError("an issuer is an https:// address")


def providers_of(settings: Settings) -> dict[str, Provider]:
    """The configured providers by name. Raises ConfigError that names the row at fault."""
    found: dict[str, Provider] = {}
    for number, row in enumerate(settings.oidc.rows(), 1):
        try:
            provider = Provider.model_validate(row)
        except ValidationError as wrong:
            told = first_fault(wrong.errors())
            raise ConfigError(f"STOCKPOT_OIDC, row {number}: {told}") from None
        if provider.name in found:
            raise ConfigError(f"STOCKPOT_OIDC names {provider.name!r} twice")
        found[provider.name] = provider
    return found


def secret_of(reference: str) -> str:
    """What a reference stands for: `env:NAME` or `file:PATH`."""
    kind, _, rest = reference.partition(":")
    try:
        return os.environ[rest] if kind == "env" else Path(rest).read_text("utf-8").strip()
    except (KeyError, OSError):
        raise Unavailable(f"the client secret {reference!r} cannot be read") from None


class Errand(NamedTuple):
    """One sign-in on its way: what the browser has to bring back, and what only we know."""

    state: str
    nonce: str
    verifier: str


def new_errand() -> Errand:
    """256 random bits each."""
    return Errand(*(secrets.token_urlsafe(32) for _ in range(3)))


def challenge_of(verifier: str) -> str:
    """RFC 7636, S256."""
    hashed = hashlib.sha256(verifier.encode()).digest()
    return base64.urlsafe_b64encode(hashed).rstrip(b"=").decode()


class _Kept(NamedTuple):
    value: dict[str, Any]
    at_s: float


class OidcClient:
    """One provider, as a relying party sees it."""

    def __init__(
        self,
        provider: Provider,
        redirect_uri: str,
        http: httpx.AsyncClient,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.provider = provider
        self._redirect_uri = redirect_uri
        self._http = http
        self._now = clock
        self._about: _Kept | None = None
        self._keys: _Kept | None = None
        self._asking = asyncio.Lock()

    async def address(self, errand: Errand) -> str:
        """Where to send the browser."""
        endpoint = (await self._metadata())["authorization_endpoint"]
        asked = {
            "response_type": "code",
            "client_id": self.provider.client_id,
            "redirect_uri": self._redirect_uri,
            "scope": self.provider.scopes,
            "state": errand.state,
            "nonce": errand.nonce,
            "code_challenge": challenge_of(errand.verifier),
            "code_challenge_method": "S256",
        }
        return f"{endpoint}{'&' if '?' in endpoint else '?'}{urlencode(asked)}"

    async def claims(self, code: str, errand: Errand) -> dict[str, Any]:
        """Exchange the code; the checked claims of the ID token."""
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self._redirect_uri,
            "client_id": self.provider.client_id,
            "code_verifier": errand.verifier,
        }
        about = await self._metadata()
        basic: tuple[str, str] | None = None
        if self.provider.client_secret:
            secret = secret_of(self.provider.client_secret)
            ways = about.get("token_endpoint_auth_methods_supported", ["client_secret_basic"])
            if "client_secret_basic" in ways:
                basic = (quote(self.provider.client_id, safe=""), quote(secret, safe=""))
            else:
                form["client_secret"] = secret
        answer = await self._ask("POST", about["token_endpoint"], form, basic)
        token = answer.get("id_token")
        if not isinstance(token, str):
            raise self._refused("its answer holds no ID token")
        return await self.checked(token, errand.nonce)

    async def checked(self, token: str, nonce: str) -> dict[str, Any]:
        """The claims of an ID token when signature, issuer, audience, times and nonce are right."""
        try:
            claims = await self._verified(token)
            jwt.JWTClaimsRegistry(
                now=int(self._now()),
                leeway=LEEWAY_S,
                iss={"essential": True, "value": self.provider.issuer},
                aud={"essential": True, "value": self.provider.client_id},
                sub={"essential": True},
                exp={"essential": True},
                iat={"essential": True},
            ).validate(claims)
        except (JoseError, ValueError) as wrong:
            raise self._refused(f"its token is not valid: {wrong}") from None
        if not same(str(claims.get("nonce", "")), nonce):
            raise self._refused("its token belongs to another sign-in (nonce)")
        several = isinstance(claims["aud"], list) and len(claims["aud"]) > 1
        if (several or "azp" in claims) and claims.get("azp") != self.provider.client_id:
            raise self._refused("its token was made for somebody else (azp)")
        if claims["iat"] < self._now() - OLDEST_S:
            raise self._refused("its token was issued too long ago")
        return claims

    async def _verified(self, token: str) -> dict[str, Any]:
        kid = _kid(token)
        for fresh in (False, True):
            keys = await self._key_set(asked_again=fresh)
            found = [key for key in keys if kid is None or key.get("kid") == kid]
            if len(found) != 1:
                continue
            try:
                return dict(jwt.decode(token, jwk.import_key(found[0]), _ALGORITHMS).claims)
            except (KeyError, TypeError, AttributeError):  # as joserfc says of an unknown curve
                raise ValueError(f"the provider's key {kid!r} is of no known kind") from None
            except BadSignatureError:
                if fresh:  # else the key may have been replaced under the same name, or none
                    raise
        raise ValueError(f"the provider has no single signing key {kid!r}")

    async def _key_set(self, *, asked_again: bool) -> list[dict[str, Any]]:
        async with self._asking:
            kept, now = self._keys, self._now()
            oldest = ASK_AGAIN_S if asked_again else KEPT_S
            if kept is None or now - kept.at_s >= oldest:
                about = await self._metadata()
                kept = self._keys = _Kept(await self._ask("GET", about["jwks_uri"]), now)
        told = kept.value.get("keys")
        rows = [row for row in told if isinstance(row, dict)] if isinstance(told, list) else []
        # A symmetric key has no business here: whoever reads it could sign.
        return [k for k in rows if k.get("kty") in ("RSA", "EC", "OKP") and k.get("use") != "enc"]

    async def _metadata(self) -> dict[str, Any]:
        kept, now = self._about, self._now()
        if kept is None or now - kept.at_s >= KEPT_S:
            base = self.provider.issuer.rstrip("/")
            about = await self._ask("GET", f"{base}/.well-known/openid-configuration")
            if about.get("issuer") != self.provider.issuer:
                raise self._refused(f"it calls itself {about.get('issuer')!r}")
            needed = ("authorization_endpoint", "token_endpoint", "jwks_uri")
            if not all(isinstance(about.get(name), str) for name in needed):
                raise self._refused("its description lacks an endpoint")
            kept = self._about = _Kept(about, now)
        return kept.value

    async def _ask(
        self,
        method: str,
        url: str,
        form: dict[str, str] | None = None,
        basic: tuple[str, str] | None = None,
    ) -> dict[str, Any]:
        auth = httpx.BasicAuth(*basic) if basic else None
        headers = {"accept": "application/json"}
        try:
            answer = await self._http.request(method, url, data=form, auth=auth, headers=headers)
        except httpx.HTTPError as away:
            raise Unavailable(
                f"the sign-in provider {self.provider.name!r} does not answer: "
                f"{away or type(away).__name__}"
            ) from None
        try:
            told = answer.json()
        except ValueError:
            told = None
        if not answer.is_success or not isinstance(told, dict):
            why = told.get("error", "") if isinstance(told, dict) else ""
            raise self._refused(f"{urlsplit(url).path} answered {answer.status_code} {why}".strip())
        return told

    def _refused(self, why: str) -> Forbidden:
        return Forbidden(f"the sign-in at {self.provider.name!r} failed: {why}", hint="start again")


def _kid(token: str) -> str | None:
    """Which key a token says it was signed with. Nothing else of the head is believed."""
    head = token.partition(".")[0]
    try:
        told = json.loads(base64.urlsafe_b64decode(head + "=" * (-len(head) % 4)))
    except ValueError:
        raise ValueError("it is no signed token") from None
    if not isinstance(told, dict) or told.get("alg") not in _ALGORITHMS:
        raise ValueError("its signature is of a kind that is not accepted")
    kid = told.get("kid")
    return kid if isinstance(kid, str) else None
