"""The Vertex wire: Gemini's format at Google Cloud's paths, with its credentials.

Knows bodies, paths and service accounts; no socket.

A target's options:

    project           of Google Cloud, else the service account's own; without either the path has
                      none, as for API keys of express mode
    location          else what the base URL's host begins with, else `global`
    service_account   the JSON of a service account's key, from which tokens are signed here
    access_token      a bearer token, instead

Sources: Vertex AI's REST reference; google.aip.dev/auth/4111 (self-signed JWT). Read November 2026.
"""

from __future__ import annotations

import time
from base64 import urlsafe_b64encode
from collections.abc import Callable
from functools import lru_cache
from urllib.parse import quote, urlsplit

import msgspec

from stockpot.providers.base import Answer, Ask, CannotExpress, Outgoing, UpstreamTarget
from stockpot.providers.gemini import embeddings, predicted
from stockpot.providers.gemini.compose import Composed, compose
from stockpot.providers.gemini.wire import GeminiWire

AUDIENCE = "https://aiplatform.googleapis.com/"
LIFETIME_S = 3600
"""The longest that Google takes."""
EARLY_S = 300
"""So long before its end a token is signed anew, so that no call leaves with a stale one."""
_HOST = "-aiplatform.googleapis.com"
_encode = msgspec.json.encode


class _Account(msgspec.Struct):
    client_email: str
    private_key: str
    private_key_id: str = ""
    project_id: str = ""


class _Token:
    """Signs for one service account and keeps the last token."""

    def __init__(self, account: str) -> None:
        self._account = msgspec.json.decode(account, type=_Account)
        self._sign = _signer(self._account.private_key)
        self.project = self._account.project_id
        self._token = ""
        self._until = 0.0

    def get(self, now: float) -> str:
        if now >= self._until - EARLY_S:
            self._until = now + LIFETIME_S
            self._token = self._made(int(now))
        return self._token

    def _made(self, now: int) -> str:
        account = self._account
        head = {"alg": "RS256", "typ": "JWT", "kid": account.private_key_id}
        claims = {
            "iss": account.client_email,
            "sub": account.client_email,
            "aud": AUDIENCE,
            "iat": now,
            "exp": now + LIFETIME_S,
        }
        signed = b"%b.%b" % (_text(_encode(head)), _text(_encode(claims)))
        return (signed + b"." + _text(self._sign(signed))).decode("ascii")


def _text(raw: bytes) -> bytes:
    return urlsafe_b64encode(raw).rstrip(b"=")


def _signer(pem: str) -> Callable[[bytes], bytes]:
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import padding, rsa

    key = serialization.load_pem_private_key(pem.encode("utf-8"), None)
    if not isinstance(key, rsa.RSAPrivateKey):
        raise ValueError("not an RSA key")
    return lambda data: key.sign(data, padding.PKCS1v15(), hashes.SHA256())


def _location(base_url: str) -> str:
    host = urlsplit(base_url).hostname or ""
    return host.removesuffix(_HOST) if host.endswith(_HOST) else "global"


@lru_cache(64)
def _token(account: str) -> _Token:
    try:
        return _Token(account)
    except (msgspec.MsgspecError, ValueError, TypeError):
        # What was wrong is not repeated: the text holds a private key.
        message = "the option service_account is not the JSON of a service account's key"
        raise CannotExpress(message) from None


class VertexWire(GeminiWire):
    """Gemini's models on Vertex AI."""

    name = "vertex"

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock

    def outgoing(self, ask: Ask, target: UpstreamTarget) -> Outgoing:
        if ask.endpoint == "embeddings" and ask.dialect == "gemini":
            body, losses = predicted.compose(ask)
            return Outgoing(self.path(target, "predict"), self.headers(target), body, losses)
        return super().outgoing(ask, target)

    def answer(self, ask: Ask, target: UpstreamTarget) -> Answer:
        if ask.endpoint == "embeddings" and ask.dialect == "gemini":
            return predicted.answer(ask, target.model)
        return super().answer(ask, target)

    def path(self, target: UpstreamTarget, verb: str) -> str:
        options = target.options
        model = target.model
        if not model.startswith(("publishers/", "endpoints/")):
            model = f"publishers/google/models/{model}"
        place = ""
        account = options.get("service_account", "")
        if project := options.get("project", "") or (_token(account).project if account else ""):
            location = options.get("location", "") or _location(target.base_url)
            place = f"/projects/{quote(project)}/locations/{quote(location)}"
        return f"{place}/{quote(model, safe='/@-._~')}:{verb}"

    def headers(self, target: UpstreamTarget) -> tuple[tuple[str, str], ...]:
        if account := target.options.get("service_account", ""):
            return (("authorization", f"Bearer {_token(account).get(self._clock())}"),)
        if token := target.options.get("access_token", ""):
            return (("authorization", f"Bearer {token}"),)
        return ()

    def compose(self, ask: Ask, target: UpstreamTarget) -> Composed:
        return compose(ask.prompt, target.model, vertex=True)

    def _embedding(self, ask: Ask, target: UpstreamTarget) -> Outgoing:
        body, losses = embeddings.compose_predict(ask.body)
        return Outgoing(self.path(target, "predict"), self.headers(target), body, losses)

    def _embedded(self, ask: Ask, target: UpstreamTarget) -> Answer:
        return embeddings.predicted(ask, target.model)

    def _count(self, made: Composed, target: UpstreamTarget) -> Outgoing:
        body = _encode(made.body)
        return Outgoing(self.path(target, "countTokens"), self.headers(target), body, made.losses)
