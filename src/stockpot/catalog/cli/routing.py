"""The options of how a route chooses, and what they mean to the API. Knows words, calls nobody."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, TypeVar

import click

from stockpot.core.errors import InvalidInput
from stockpot.core.terminal import NUMBER

F = TypeVar("F", bound=Callable[..., Any])

_RULE = re.compile(
    r"(?P<name>[^:\s]+):\s*(?P<source>header|metadata|tag|project)(?::(?P<field>[^=\s]+))?\s*"
    r"=\s*(?P<values>.*?)\s*(?P<arrow>[-=]>)\s*(?P<to>.+)"
)
_RULE_SHOWN = (
    "'NAME: header:x-region=eu,ch -> PROVIDER/MODEL' (or '-> tier 1'; '=>' for only there)"
)
STRATEGIES = ("weighted", "priority", "least_latency", "least_cost", "least_busy")


def routed(command: F) -> F:
    """The options of strategy, rules, stickiness, hedging, shadow traffic and retries."""
    for option in (
        click.option("--degrade", type=click.Choice(["never", "hints", "all"]),
                     help="What may be left out where a target's format cannot say it."),
        click.option("--breaker-pause", metavar="FIRST-MOST",
                     help="Seconds that a target rests, at first and at most, such as 1-30."),
        click.option("--breaker-window", metavar="SHARE/CALLS/SECONDS",
                     help="Rest too when of so many calls in so long such a share failed: "
                     "0.5/10/10."),
        click.option("--breaker-failures", type=int,
                     help="Failures in a row after which a target rests. [default: 3]"),
        click.option("--retry-burst", type=NUMBER,
                     help="Tries again at once after a quiet time. [default: 20]"),
        click.option("--retry-floor", type=NUMBER, help="Tries again a second, beside the share."),
        click.option("--retry-share", type=NUMBER,
                     help="Share of calls that may be tried again at targets that are not well."),
        click.option("--shadow-concurrency", type=int, help="Copies at once from each worker."),
        click.option("--shadow", metavar="PROVIDER/MODEL[=SHARE]",
                     help="Send a copy of a share of calls there, to compare."),
        click.option("--hedge-burst", type=NUMBER,
                     help="Second tries at once after a quiet time. [default: 5]"),
        click.option("--hedge-wait", metavar="MIN-MAX",
                     help="Bounds of the wait in milliseconds, such as 20-10000."),
        click.option("--hedge", type=NUMBER, metavar="SHARE",
                     help="Try a second target when the first is slow, for this share of calls."),
        click.option("--rule", "rules", multiple=True, metavar="RULE",
                     help="'NAME: header:x-region=eu,ch -> PROVIDER/MODEL'; '=>' for only there."),
        click.option("--sticky", type=click.Choice(["never", "session", "user"]),
                     help="Keep the calls of a session or a user at one target."),
        click.option("--strategy", type=click.Choice(STRATEGIES),
                     help="How targets of a tier are ordered. [default: weighted]"),
    ):  # fmt: skip
        command = option(command)
    return command


def routing(given: dict[str, Any]) -> dict[str, Any]:
    """Takes those options out of `given`; gives the API's fields."""
    plain = ("strategy", "sticky", "retry_share", "retry_floor", "retry_burst", "degrade")
    fields = {name: value for name in plain if (value := given.pop(name)) is not None}
    if rules := given.pop("rules"):
        fields["rules"] = [_rule(text) for text in rules]
    if hedge := _hedge(given):
        fields["hedge"] = hedge
    if breaker := _breaker(given):
        fields["breaker"] = breaker
    shadow, concurrency = given.pop("shadow"), given.pop("shadow_concurrency")
    if shadow:
        fields["shadow"] = _shadow(shadow, concurrency)
    elif concurrency:
        raise InvalidInput("--shadow-concurrency without --shadow")
    return fields


def _rule(text: str) -> dict[str, Any]:
    found = _RULE.fullmatch(text.strip())
    if found is None:
        raise InvalidInput(f"{text!r} is no rule", hint=_RULE_SHOWN)
    to, tier = found["to"].strip(), re.fullmatch(r"tier\s*(\d+)", found["to"].strip())
    way = {"tier": int(tier[1])} if tier else {"targets": _listed(to)}
    return {
        "name": found["name"],
        "source": found["source"],
        "field": found["field"] or "",
        "values": _listed(found["values"]),
        "only": found["arrow"] == "=>",
        **way,
    }


def _listed(text: str) -> list[str]:
    return [item.strip() for item in text.split(",") if item.strip()]


def _wait(text: str | None) -> dict[str, int]:
    if text is None:
        return {}
    least, dash, most = text.partition("-")
    if not dash or not least.isdigit() or not most.isdigit():
        raise InvalidInput(f"{text!r} is no range", hint="milliseconds, such as 20-10000")
    return {"min_ms": int(least), "max_ms": int(most)}


def _hedge(given: dict[str, Any]) -> dict[str, Any]:
    share, wait, burst = (given.pop(name) for name in ("hedge", "hedge_wait", "hedge_burst"))
    if share is None:
        for option, value in (("--hedge-wait", wait), ("--hedge-burst", burst)):
            if value is not None:
                raise InvalidInput(f"{option} without --hedge", hint="--hedge 0.05")
        return {}
    return {"share": share, **_wait(wait), **({} if burst is None else {"burst": burst})}


def _breaker(given: dict[str, Any]) -> dict[str, Any]:
    failures, pause = given.pop("breaker_failures"), given.pop("breaker_pause")
    fields: dict[str, Any] = {} if failures is None else {"failures": failures}
    if pause is not None:
        first, _, most = pause.partition("-")
        try:
            fields |= {"pause_s": float(first), "pause_most_s": float(most)}
        except ValueError:
            raise InvalidInput(f"{pause!r} is no range", hint="seconds, such as 1-30") from None
    return fields | _window(given.pop("breaker_window"))


def _window(text: str | None) -> dict[str, Any]:
    if text is None:
        return {}
    try:
        share, calls, seconds = text.split("/")
        return {
            "window_share": float(share),
            "window_calls": int(calls),
            "window_s": float(seconds),
        }
    except ValueError:
        hint = "share, calls and seconds, such as 0.5/10/10"
        raise InvalidInput(f"{text!r} is no window", hint=hint) from None


def _shadow(text: str, concurrency: int | None) -> dict[str, Any]:
    where, _, share = text.partition("=")
    provider, slash, model = where.partition("/")
    try:
        part = float(share) if share else None
    except ValueError:
        slash = ""
    if not slash or not model:
        raise InvalidInput(f"{text!r} is no shadow", hint="PROVIDER/MODEL=0.01")
    fields: dict[str, Any] = {"provider": provider, "model": model}
    if part is not None:
        fields["share"] = part
    if concurrency is not None:
        fields["concurrency"] = concurrency
    return fields
