"""What the first screen tells, asked of the control plane. Knows its API; prints nothing."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import msgspec

from stockpot.core.errors import StockpotError
from stockpot.core.urls import console_url, gateway_tls, gateway_url
from stockpot.engines import ECHO
from stockpot.up.demo.seeding import Demo
from stockpot.up.quickstart import quickstart_key

if TYPE_CHECKING:
    from stockpot.core.client import Client
    from stockpot.core.config import Settings
    from stockpot.core.instance import Instance

SETTLE_S = 8.0


class ModelLine(msgspec.Struct, frozen=True):
    """A model that answers now; `origin` says who runs it."""

    name: str
    kind: str
    origin: str
    smoke: bool


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """The screen's content. `key` and `sign_in_url` are empty when the control plane is away."""

    version: str
    gateway_url: str
    console_url: str
    sign_in_url: str = ""
    key: str = ""
    model: str = ""
    models: tuple[ModelLine, ...] = ()
    found: tuple[str, ...] = ()
    notices: tuple[str, ...] = ()
    home: str
    logs: str
    pid: int
    seconds: float
    demo: Demo | None = None


def ask(client: Client, settings: Settings, instance: Instance, empty: Facts) -> Facts:
    """Complete the facts from a running control plane, and wait until a worker serves the key."""
    info = client.get("/api/v1/instance")
    key = quickstart_key(client, instance)
    link = client.post("/api/v1/session/links")["url"]
    _wait_until_served(settings, key, info["default_model"])
    models = tuple(
        ModelLine(m["name"], m["kind"], m["origin"], m["smoke"])
        for m in client.get("/api/v1/models")
    )
    return msgspec.structs.replace(
        empty,
        console_url=console_url(settings),
        sign_in_url=link,
        key=key,
        model=info["default_model"],
        models=models,
        found=tuple(_found(client.get("/api/v1/providers"))),
        notices=(*empty.notices, *info["notices"], *_alone(info["default_model"], settings)),
    )


def try_to_ask(client: Client, settings: Settings, instance: Instance, empty: Facts) -> Facts:
    """The same, but a control plane that fails is told on the screen and ends nothing."""
    try:
        return ask(client, settings, instance, empty)
    except StockpotError as error:
        return msgspec.structs.replace(empty, notices=(*empty.notices, str(error)))


def _alone(model: str, settings: Settings) -> tuple[str, ...]:
    """What to do where nothing but the test model answers."""
    if model != ECHO:
        return ()
    return (
        "Only the echo model answers, which repeats what it is told.  "
        f"(stockpot models pull {settings.default_model}; or stockpot providers connect NAME)",
    )


def _found(providers: list[dict[str, Any]]) -> list[str]:
    """Lines on what was discovered: vendors by their keys' variables, servers on this machine."""
    lines = []
    for provider in providers:
        count = len(provider["models"])
        models = f"{count} model{'' if count == 1 else 's'}"
        if provider["origin"] == "environment":
            lines.append(f"{provider['title']} by {provider['secret_hint']}: {models}")
        elif provider["origin"] == "local":
            lines.append(f"{provider['title']} at {provider['base_url']}: {models}")
    return lines


def _wait_until_served(settings: Settings, key: str, model: str) -> None:
    """A new key or model reaches the workers a moment after it was made."""
    import httpx

    trusted = gateway_tls(settings)
    deadline = time.monotonic() + SETTLE_S
    while time.monotonic() < deadline:
        try:
            answer = httpx.get(
                f"{gateway_url(settings)}/v1/models",
                headers={"authorization": f"Bearer {key}"},
                verify=trusted,
                trust_env=False,
            )
            if answer.is_success and model in {m["id"] for m in answer.json()["data"]}:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.05)
