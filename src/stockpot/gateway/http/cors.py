"""Which web pages may call from a browser. Knows the CORS protocol; knows no connection."""

from __future__ import annotations

import re
from dataclasses import dataclass

from stockpot.gateway.http.messages import Headers, Request

_ASKED_MOST = 4096
_NAMES = re.compile(rb"[A-Za-z0-9!#$%&'*+.^_`|~-]+(?:[ \t]*,[ \t]*[A-Za-z0-9!#$%&'*+.^_`|~-]+)*")
"""Names of headers with commas between them."""


@dataclass(frozen=True, slots=True)
class Cors:
    """Which web origins may call from a browser, and what they may send and read."""

    origins: tuple[str, ...]
    """Exact origins (`https://app.example.com`), or a single `*`."""
    headers: str = "authorization, content-type, x-api-key"
    expose: str = "retry-after, server-timing, x-request-id"
    methods: str = "GET, POST, OPTIONS"
    max_age_s: int = 600

    def allows(self, origin: bytes) -> bool:
        """Whether pages of this origin may read our answers."""
        return "*" in self.origins or origin.decode("latin-1") in self.origins

    def answer_headers(self, origin: bytes) -> Headers:
        """What an answer to a page of `origin` carries. A stranger's page gets `Vary` alone."""
        if "*" in self.origins:
            return [
                (b"access-control-allow-origin", b"*"),
                (b"access-control-expose-headers", self.expose.encode()),
            ]
        headers = [(b"vary", b"Origin")]
        if origin and self.allows(origin):
            headers.append((b"access-control-allow-origin", origin))
            headers.append((b"access-control-expose-headers", self.expose.encode()))
        return headers

    def preflight_headers(self, request: Request) -> Headers:
        """What the answer to an allowed preflight adds to `answer_headers`.

        What the page asks to send is allowed beside the known headers: SDKs send a dozen of their
        own (`x-stainless-*`, `anthropic-*`), and the key decides what a call may do, not they.
        """
        asked = request.header(b"access-control-request-headers") or b""
        allowed = self.headers.encode()
        if len(asked) <= _ASKED_MOST and _NAMES.fullmatch(asked):
            allowed += b", " + asked
        return [
            (b"access-control-allow-methods", self.methods.encode()),
            (b"access-control-allow-headers", allowed),
            (b"access-control-max-age", b"%d" % self.max_age_s),
        ]


def is_preflight(request: Request) -> bool:
    """A browser asks whether it may send the real request."""
    return (
        request.method == b"OPTIONS"
        and request.header(b"access-control-request-method") is not None
    )
