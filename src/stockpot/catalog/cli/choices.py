"""Options that several commands share, and what they mean to the API. Knows words, calls nobody."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, TypeVar

import click

from stockpot.core.dollars import dollars
from stockpot.core.durations import milliseconds
from stockpot.core.terminal import amount

F = TypeVar("F", bound=Callable[..., Any])

PAYLOADS = click.Choice(["none", "masked", "full"])
PERIODS = click.Choice(["day", "week", "month", "total"])


def _lifetime(text: str) -> int:
    """The type of --cache: seconds, 0 for off."""
    return 0 if text == "off" else milliseconds(text) // 1000


def _life(text: str) -> int:
    """The type of --expires: milliseconds, 0 for never."""
    return 0 if text == "never" else milliseconds(text)


def governed(command: F) -> F:
    """The options of limits, budget, payload policy and cache."""
    for option in (
        click.option(
            "--cache-scope",
            type=click.Choice(["key", "project"]),
            help="Who shares repeated answers: this key alone, or all keys of the project.",
        ),
        click.option(
            "--cache",
            type=_lifetime,
            metavar="DURATION",
            help="Repeat answers to the same request for so long; `off` for never.",
        ),
        click.option("--payloads", type=PAYLOADS, help="What is kept of requests and answers."),
        click.option(
            "--when-away",
            type=click.Choice(["closed", "continue"]),
            help="With the control plane away and the lease used up: refuse, or go on.",
        ),
        click.option("--period", type=PERIODS, default="month", show_default=True),
        click.option("--budget", type=amount, metavar="DOLLARS", help="Most to spend per period."),
        click.option(
            "--model-rpm",
            type=_of_model,
            multiple=True,
            metavar="MODEL=N",
            help="Requests per minute of one model; may be given again.",
        ),
        click.option("--user-tpm", type=int, help="Tokens per minute of each end user."),
        click.option("--user-rpm", type=int, help="Requests per minute of each end user."),
        click.option("--concurrency", type=int, help="Calls at once."),
        click.option("--tpm", type=int, help="Tokens per minute."),
        click.option("--rpm", type=int, help="Requests per minute."),
    ):
        command = option(command)
    return command


def kept_to(command: F) -> F:
    """What only a key has: where it may be used from, for how long, and what is done when a client
    leaves or the disk is full."""
    for option in (
        click.option(
            "--on-ledger-full",
            type=click.Choice(["refuse", "pass"]),
            help="With no disk left to record a call: refuse it, or let it pass unrecorded.",
        ),
        click.option(
            "--on-disconnect",
            type=click.Choice(["cancel", "drain", "partial"]),
            help="When a client leaves: stop the call, bill the whole of it, or what came so far.",
        ),
        click.option("--expires", type=_life, metavar="DURATION", help="Lifetime such as 90d."),
        click.option("--network", "networks", multiple=True, help="Allow callers from here only."),
        click.option(
            "--model", "models", multiple=True, help="Allow this model only; repeat for more."
        ),
    ):
        command = option(command)
    return command


def keeping(given: dict[str, Any]) -> dict[str, Any]:
    """Takes those options out of `given`; gives the API's fields."""
    expires = given.pop("expires")
    names = ("models", "networks", "on_disconnect", "on_ledger_full")
    fields = {name: value for name in names if (value := given.pop(name))}
    if expires is not None:
        fields["expires_ms"] = time.time() * 1000 + expires if expires else 0
    return fields


def governing(given: dict[str, Any]) -> dict[str, Any]:
    """Takes those options out of `given`; gives the API's fields."""
    limits = {name: given.pop(name) for name in ("rpm", "tpm", "concurrency")}
    dollars, period = given.pop("budget"), given.pop("period")
    away, payloads = given.pop("when_away"), given.pop("payloads")
    lifetime_s, scope = given.pop("cache"), given.pop("cache_scope")
    fields: dict[str, Any] = {"payloads": payloads} if payloads else {}
    if apart := _apart(given.pop("user_rpm"), given.pop("user_tpm"), given.pop("model_rpm")):
        fields["apart"] = apart
    if lifetime_s is not None:
        fields["cache"] = {"ttl_s": lifetime_s, **({"scope": scope} if scope else {})}
    elif scope:
        raise click.UsageError("--cache-scope needs --cache DURATION")
    if chosen := {name: limit for name, limit in limits.items() if limit is not None}:
        fields["limits"] = chosen
    if dollars is not None:
        fields["budget"] = {"limit_nano": round(dollars * 1e9), "period": period}
        if away:
            fields["budget"]["when_away"] = away
    return fields


def staying(
    fields: dict[str, Any], found: dict[str, Any], context: click.Context
) -> dict[str, Any]:
    """The fields of a change to `found`: what is not given of limits, budget or cache stays."""
    merged = dict(fields)
    for name in ("limits", "cache"):
        if name in fields:
            merged[name] = (found[name] or {}) | fields[name]
    if "budget" in fields and found["budget"] is not None:
        given = dict(fields["budget"])
        if context.get_parameter_source("period") is click.core.ParameterSource.DEFAULT:
            del given["period"]
        merged["budget"] = found["budget"]["spec"] | given
    if "apart" in fields and found["apart"]:
        before, models = found["apart"], dict(found["apart"]["models"])
        for model, limits in fields["apart"].get("models", {}).items():
            models[model] = models.get(model, {}) | limits
        users = before["users"] | fields["apart"].get("users", {})
        merged["apart"] = {"users": users, "models": models}
    return merged


def _of_model(text: str) -> tuple[str, int]:
    """The type of --model-rpm."""
    model, equals, number = text.rpartition("=")
    if not equals or not model or not number.isdigit():
        raise click.BadParameter(f"{text!r} is not MODEL=N, such as gpt-4o=60")
    return model, int(number)


def _apart(rpm: int | None, tpm: int | None, models: tuple[tuple[str, int], ...]) -> dict[str, Any]:
    users = {k: v for k, v in (("rpm", rpm), ("tpm", tpm)) if v is not None}
    found: dict[str, Any] = {"users": users} if users else {}
    if models:
        found["models"] = {model: {"rpm": number} for model, number in models}
    return found


def budget_of(record: dict[str, Any]) -> str:
    """A budget in one cell."""
    state = record["budget"]
    if state is None:
        return "-"
    spec = state["spec"]
    return f"{dollars(state['spent_nano'])} of {dollars(spec['limit_nano'])} a {spec['period']}"
