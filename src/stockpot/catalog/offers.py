"""An offer: a provider as it can be routed to, wherever it comes from. Frozen, without I/O."""

from __future__ import annotations

from ipaddress import ip_address
from typing import Literal
from urllib.parse import urlsplit

import msgspec

from stockpot.providers import Vendor

Kind = Literal["chat", "embedding"]
Origin = Literal["engine", "environment", "local", "console"]


class Offer(msgspec.Struct, frozen=True, kw_only=True):
    """A connected upstream. `models` are those it says it has; others may be asked of it unless
    it is an engine, which serves its one model only."""

    name: str
    vendor: str
    title: str
    wire: str
    base_url: str
    origin: Origin
    auth: str = "none"
    secret: str = ""
    secret_hint: str = ""
    models: tuple[str, ...] = ()
    kind: Kind | None = None
    smoke: bool = False
    free: bool = False
    prices_as: str = ""
    stream_usage: Literal["inject", "always", "never"] = "inject"
    created_ms: int = 0
    verified: bool = False

    def kind_of(self, model: str) -> Kind:
        """What a model is for; vendors do not say, so its name has to."""
        return self.kind or ("embedding" if "embed" in model.lower() else "chat")

    def headers(self) -> tuple[tuple[str, str], ...]:
        """The credential, in the style that the vendor expects."""
        if not self.secret:
            return ()
        if self.auth.startswith("header:"):
            return ((self.auth.removeprefix("header:").lower(), self.secret),)
        return (("authorization", f"Bearer {self.secret}"),)


def offer_of(
    vendor: Vendor,
    *,
    name: str,
    base_url: str,
    origin: Origin,
    secret: str = "",
    secret_hint: str = "",
    models: tuple[str, ...] = (),
    created_ms: int = 0,
) -> Offer:
    """A vendor's row with what a user, the environment or a probe adds to it."""
    return Offer(
        name=name,
        vendor=vendor.name,
        title=vendor.title,
        wire=vendor.wire,
        base_url=base_url,
        origin=origin,
        auth=vendor.auth,
        secret=secret,
        secret_hint=secret_hint,
        models=models or vendor.models,
        free=vendor.local and is_loopback(base_url),
        prices_as=vendor.prices_as,
        stream_usage=msgspec.convert(vendor.stream_usage, Literal["inject", "always", "never"]),
        created_ms=created_ms,
        verified=bool(vendor.verified),
    )


def is_loopback(url: str) -> bool:
    """Whether a URL plainly names this host."""
    host = urlsplit(url).hostname or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
