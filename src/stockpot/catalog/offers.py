"""An offer: a provider as it can be routed to, wherever it comes from. Frozen, without I/O."""

from __future__ import annotations

from ipaddress import ip_address
from typing import Any, Literal
from urllib.parse import urlsplit

import msgspec

from stockpot.catalog.models import Kind
from stockpot.providers import Vendor

_MARKS: tuple[tuple[str, Kind], ...] = (
    ("rerank", "rerank"), ("embed", "embedding"), ("moderation", "moderation"),
    ("transcribe", "audio"), ("whisper", "audio"), ("tts", "audio"), ("dall-e", "image"),
    ("gpt-image", "image"), ("stable-diffusion", "image"), ("flux.", "image"),
)  # fmt: skip
"""Parts of names that tell what a model is for; the first that is found decides."""
Origin = Literal["engine", "environment", "local", "console"]


class Offer(msgspec.Struct, frozen=True, kw_only=True):
    """A connected upstream. `models` are those it says it has; others may be asked of it unless
    it is an engine, which serves its own models only; those of a `modest` one answer to
    `<provider>/<model>`, and to the bare name where nobody else has it."""

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
    modest: bool = False
    prices_as: str = ""
    stream_usage: Literal["inject", "always", "never"] = "inject"
    created_ms: int = 0
    verified: bool = False
    native: tuple[str, ...] = ()
    refuses: tuple[str, ...] = ()

    def kind_of(self, model: str) -> Kind:
        """What a model is for; vendors do not say, so its name has to."""
        if self.kind is not None:
            return self.kind
        name = model.lower()
        return next((kind for mark, kind in _MARKS if mark in name), "chat")

    def headers(self) -> tuple[tuple[str, str], ...]:
        """The credential, in the style that the vendor expects."""
        said = self.settings()
        secret = self.secret if said is None else said.get("api_key", "")
        if not secret:
            return ()
        if self.auth.startswith("header:"):
            return ((self.auth.removeprefix("header:").lower(), secret),)
        return (("authorization", f"Bearer {secret}"),)

    def options(self) -> dict[str, str]:
        """Settings of the wire: a secret of several parts is a JSON object that holds them."""
        said = dict(self.settings() or {})
        said.pop("api_key", None)
        if self.refuses:
            said["refuses"] = ",".join(self.refuses)
        return said

    def settings(self) -> dict[str, str] | None:
        """What a secret says that is a JSON object; a service account's key file is one setting."""
        if not self.secret.startswith("{"):
            return None
        try:
            found = msgspec.json.decode(self.secret, type=dict[str, Any])
        except msgspec.MsgspecError:
            return None
        if found.get("type") == "service_account":
            return {"service_account": self.secret}
        return {
            name: value if isinstance(value, str) else msgspec.json.encode(value).decode()
            for name, value in found.items()
        }


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
    made = _offer_of(vendor, name, base_url, origin, secret, secret_hint, models, created_ms)
    said = made.settings() or {}
    region = said.get("region") or said.get("default_region", "")
    if vendor.wire != "bedrock" or base_url != vendor.base_url or not region:
        return made
    there = base_url.replace("us-east-1", region)  # nobody said where, but the credential does
    return msgspec.structs.replace(made, base_url=there)


def _offer_of(
    vendor: Vendor,
    name: str,
    base_url: str,
    origin: Origin,
    secret: str,
    secret_hint: str,
    models: tuple[str, ...],
    created_ms: int,
) -> Offer:
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
        native=vendor.native,
        refuses=vendor.refuses,
    )


def is_loopback(url: str) -> bool:
    """Whether a URL plainly names this host."""
    host = urlsplit(url).hostname or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
