"""A small OpenID Connect provider on a real socket: the code flow with PKCE, keys that rotate.

It follows OpenID Connect Core 1.0, Discovery 1.0, RFC 6749 and RFC 7636, signs with `cryptography`
alone, refuses what a client does wrong, and tells on request the lies that a client has to notice.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlencode, urlsplit

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa


def _b64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _json(value: Any) -> str:
    return _b64(json.dumps(value).encode())


def _int(number: int) -> str:
    return _b64(number.to_bytes((number.bit_length() + 7) // 8, "big"))


class SigningKey:
    """An RSA key with a name."""

    def __init__(self) -> None:
        self.kid = secrets.token_hex(4)
        self._private = rsa.generate_private_key(public_exponent=65537, key_size=2048)

    def public(self) -> dict[str, str]:
        numbers = self._private.public_key().public_numbers()
        return {"kty": "RSA", "use": "sig", "alg": "RS256", "kid": self.kid,
                "n": _int(numbers.n), "e": _int(numbers.e)}  # fmt: skip

    def signed(self, claims: dict[str, Any], **head: str) -> str:
        text = f"{_json({'alg': 'RS256', 'typ': 'JWT', 'kid': self.kid, **head})}.{_json(claims)}"
        signature = self._private.sign(text.encode(), padding.PKCS1v15(), hashes.SHA256())
        return f"{text}.{_b64(signature)}"


class OidcProvider:
    """Knows one client and whoever is signed in at it now."""

    def __init__(self) -> None:
        self.client_id, self.client_secret = "stockpot-console", "a secret/with signs & all"
        self.key = SigningKey()
        self.user: dict[str, Any] = {"sub": "u-1", "email": "ana@example.org",
                                     "email_verified": True, "name": "Ana"}  # fmt: skip
        self.lie = ""
        self.asked: list[str] = []
        self.refusals: list[str] = []
        self._codes: dict[str, dict[str, str]] = {}
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.issuer = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.02,), daemon=True
        )
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def rotate(self) -> None:
        """From now on another key signs, and the old one is no longer published."""
        self.key = SigningKey()

    # what it answers

    def about(self) -> dict[str, Any]:
        return {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/keys",
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "token_endpoint_auth_methods_supported": ["client_secret_basic"],
            "code_challenge_methods_supported": ["S256"],
        }

    def authorize(self, query: dict[str, str]) -> str:
        """Where the browser goes next. Raises ValueError for a request that breaks the rules."""
        needed = ("client_id", "redirect_uri", "state", "nonce", "code_challenge", "scope")
        if missing := [name for name in needed if not query.get(name)]:
            raise ValueError(f"{missing} missing")
        right = {"response_type": "code", "client_id": self.client_id,
                 "code_challenge_method": "S256"}  # fmt: skip
        if wrong := [name for name, value in right.items() if query.get(name) != value]:
            raise ValueError(f"{wrong} wrong")
        if "openid" not in query["scope"].split():
            raise ValueError("scope lacks openid")
        back = {"state": query["state"], "iss": self.issuer}
        if self.lie == "denied":
            return f"{query['redirect_uri']}?{urlencode({**back, 'error': 'access_denied'})}"
        code = secrets.token_urlsafe(16)
        self._codes[code] = query
        return f"{query['redirect_uri']}?{urlencode({**back, 'code': code})}"

    def token(self, form: dict[str, str], authorization: str) -> dict[str, Any]:
        """The answer to a code, which works once. Raises ValueError for one that breaks rules."""
        kind, _, basic = authorization.partition(" ")
        user, _, password = base64.b64decode(basic).decode().partition(":")
        if kind != "Basic" or (unquote(user), unquote(password)) != (
            self.client_id, self.client_secret,
        ):  # fmt: skip
            raise ValueError("invalid_client")
        asked = self._codes.pop(form.get("code", ""), None)
        if form.get("grant_type") != "authorization_code" or asked is None:
            raise ValueError("invalid_grant")
        hashed = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        if len(form.get("code_verifier", "")) < 43 or _b64(hashed) != asked["code_challenge"]:
            raise ValueError("invalid_grant")
        if form.get("redirect_uri") != asked["redirect_uri"]:
            raise ValueError("invalid_grant")
        return {"access_token": secrets.token_urlsafe(8), "token_type": "Bearer",
                "id_token": self.id_token(asked["nonce"])}  # fmt: skip

    def id_token(self, nonce: str) -> str:
        now = int(time.time())
        claims = {"iss": self.issuer, "aud": self.client_id, "iat": now, "exp": now + 300,
                  "nonce": nonce, **self.user}  # fmt: skip
        lies: dict[str, dict[str, Any]] = {
            "nonce": {"nonce": "another"},
            "expired": {"iat": now - 900, "exp": now - 600},
            "old": {"iat": now - 7200, "exp": now + 300},
            "audience": {"aud": "somebody-else"},
            "two audiences": {"aud": [self.client_id, "other"], "azp": "other"},
            "issuer": {"iss": "http://127.0.0.1:1"},
            "no subject": {"sub": None},
        }
        claims |= lies.get(self.lie, {})
        return self._signed({name: value for name, value in claims.items() if value is not None})

    def _signed(self, claims: dict[str, Any]) -> str:
        if self.lie == "alg none":
            return f"{_json({'alg': 'none', 'kid': self.key.kid})}.{_json(claims)}."
        if self.lie == "hmac":
            text = f"{_json({'alg': 'HS256', 'kid': self.key.kid})}.{_json(claims)}"
            mac = hmac.new(self.client_secret.encode(), text.encode(), hashlib.sha256)
            return f"{text}.{_b64(mac.digest())}"
        if self.lie == "unpublished key":
            return SigningKey().signed(claims)
        if self.lie == "stolen name":
            return SigningKey().signed(claims, kid=self.key.kid)
        if self.lie == "altered":
            head, _, signature = self.key.signed(claims).split(".")
            return f"{head}.{_json({**claims, 'sub': 'u-2'})}.{signature}"
        return self.key.signed(claims)

    # HTTP

    def _handler(provider: OidcProvider) -> type[BaseHTTPRequestHandler]:  # noqa: N805
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                parts = urlsplit(self.path)
                query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
                provider.asked.append(parts.path)
                match parts.path:
                    case "/.well-known/openid-configuration":
                        self._answer(200, provider.about())
                    case "/keys":
                        self._answer(200, {"keys": [provider.key.public()]})
                    case "/authorize":
                        self._try(lambda: self._redirect(provider.authorize(query)))
                    case _:
                        self._answer(404, {"error": "not_found"})

            def do_POST(self) -> None:
                length = int(self.headers.get("content-length", 0))
                text = self.rfile.read(length).decode()
                form = {name: values[-1] for name, values in parse_qs(text).items()}
                provider.asked.append(self.path)
                told = self.headers.get("authorization", "")
                self._try(lambda: self._answer(200, provider.token(form, told)))

            def _try(self, work: Any) -> None:
                try:
                    work()
                except ValueError as wrong:
                    provider.refusals.append(str(wrong))
                    self._answer(400, {"error": str(wrong)})

            def _redirect(self, address: str) -> None:
                self.send_response(302)
                self.send_header("location", address)
                self.send_header("content-length", "0")
                self.end_headers()

            def _answer(self, status: int, value: Any) -> None:
                body = json.dumps(value).encode()
                self.send_response(status)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        return Handler


@contextmanager
def serving() -> Iterator[OidcProvider]:
    """A provider until the end of the block."""
    provider = OidcProvider()
    try:
        yield provider
    finally:
        provider.close()
