"""Routes and calls for tests of routing, without any I/O."""

from __future__ import annotations

import dataclasses
from types import SimpleNamespace
from typing import Any, cast

from stockpot.gateway import GatewayPart, Key, Route, Target, WeightedTarget
from stockpot.gateway.route import Asker
from stockpot.gateway.snapshot import Carried, KeyEntry, RouteEntry, View
from stockpot.prices import PriceRow
from stockpot.providers import Ask


@dataclasses.dataclass
class Asking:
    """The part of a call that routing looks at."""

    ask: Ask | None
    headers: dict[bytes, bytes]
    key: KeyEntry | None = None
    route_reason: str = ""


def target(name: str, price: int | None = None, **changes: Any) -> Target:
    """`price` is in pico-dollars per token, in and out."""
    rows = () if price is None else (PriceRow(f"p-{name}", 0, input=price, output=price),)
    return Target(name, "p", "openai", f"http://{name}.test/v1", name, prices=rows, **changes)


def route(
    *shares: WeightedTarget | str,
    targets: tuple[Target, ...] = (),
    carried: Carried | None = None,
    **settings: Any,
) -> RouteEntry:
    """A route named r; a bare name is a target of weight 1 in tier 0."""
    weighted = tuple(WeightedTarget(s) if isinstance(s, str) else s for s in shares)
    made = {t.id: t for t in (*(target(w.target) for w in weighted), *targets)}
    spec = Route("r", ("chat",), weighted, **settings)
    part = GatewayPart((), (), (spec,), tuple(made.values()))
    return View(1, part, carried or Carried()).routes["r"]


def asking(
    *, user: str = "", stream: bool = False, body: bytes = b"{}", project: str = "", **headers: str
) -> Asker:
    """A call; header names are written with underscores."""
    ask = Ask("openai", "chat", body, "r", stream, False, 100, 50, 1, user)
    lines = {name.replace("_", "-").encode(): text.encode() for name, text in headers.items()}
    key = Key("k", b"h" * 32, "k", project, "dev")
    entry = cast("KeyEntry", SimpleNamespace(spec=key))
    return Asking(ask, lines, entry)
