"""`stockpot traces diff | changes`."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import click

from stockpot.core.client import Client
from stockpot.core.dollars import dollars
from stockpot.core.durations import milliseconds
from stockpot.core.terminal import json_option, printed
from stockpot.traces.badges import badge_words
from stockpot.traces.cli.filters import Row
from stockpot.traces.cli.log import whole

_DOLLARS = frozenset({"cost_nano"})


@click.command()
@click.argument("before")
@click.argument("after")
@json_option
@click.pass_obj
def diff(client: Client, before: str, after: str, as_json: bool) -> None:
    """Compare two traces span by span.

    BEFORE and AFTER may be the beginnings of ids, as `list` prints them.

    \b
    Example:
      stockpot traces diff 4bf92f3577b34da6 a3ce929d0e0e4736
    """
    ids = {"before": whole(client, before), "after": whole(client, after)}
    found = client.get("/api/v1/traces/diff", **ids)
    if printed(found, as_json=as_json):
        return
    for total in found["totals"]:
        click.echo(f"{total['what']:14} {_told(total)}")
    for row in found["rows"]:
        one = row["before"] or row["after"]
        mark = "  " if row["before"] and row["after"] else "- " if row["before"] else "+ "
        click.echo(f"{mark}{'  ' * row['depth']}{one['name']}")
        for difference in row["differences"]:
            click.echo(f"    {'  ' * row['depth']}{difference['what']}: {_told(difference)}")


def _told(difference: Row) -> str:
    before, after = (_value(difference["what"], difference[n]) for n in ("before", "after"))
    change = difference["change"]
    if change is None:
        return f"{before} -> {after}"
    sign = "+" if change >= 0 else ""
    return f"{before} -> {after} ({sign}{_value(difference['what'], change)})"


def _value(what: str, value: Any) -> str:
    if value is None:
        return "unknown" if what in _DOLLARS else "none"
    if what in _DOLLARS:
        return dollars(value)
    text = value if isinstance(value, str) else json.dumps(value)
    return text if len(text) <= 80 else text[:77] + "..."


@click.command()
@click.option("--project", help="Only of this project.")
@click.option("--environment", help="Only of this environment.")
@click.option("--prompt", "prompt_name", help="Only calls that used this prompt.")
@click.option("--model", help="Only calls that led to this model.")
@click.option(
    "--last",
    "last_ms",
    type=milliseconds,
    default="1d",
    metavar="DURATION",
    show_default=True,
    help="The later window: the last 1h, 1d, 7d ...",
)
@click.option(
    "--ago",
    "ago_ms",
    type=milliseconds,
    metavar="DURATION",
    help="How long before it the earlier one lies; directly before it if not said.",
)
@json_option
@click.pass_obj
def changes(
    client: Client, /, last_ms: float, ago_ms: float | None, as_json: bool, **where: str | None
) -> None:
    """Tell what changed between two windows, with the figures beside it.

    \b
    Example:
      stockpot traces changes --last 1d
      stockpot traces changes --project menu --last 1h --ago 7d
    """
    now = time.time() * 1000
    back = last_ms if ago_ms is None else ago_ms
    windows = {
        "from_ms": now - last_ms, "to_ms": now,
        "base_from_ms": now - last_ms - back, "base_to_ms": now - back,
    }  # fmt: skip
    found = client.get("/api/v1/traces/changes", **windows, **where)
    if printed(found, as_json=as_json):
        return
    if found["note"]:
        click.secho(found["note"], fg="yellow")
    _figures("all calls", found["totals"])
    for dimension in found["dimensions"]:
        if dimension["distance"] > 0:
            click.echo(f"\n{dimension['dimension']} changed by {dimension['distance']:.0%}")
            for value in dimension["values"]:
                _figures(value["value"] or "(none)", value)
    if found["totals"]["now"]["calls"] and not any(d["distance"] for d in found["dimensions"]):
        click.echo("Nothing that calls are made of has changed.")


def _each(figures: Row) -> str:
    calls = figures["calls"]
    return dollars(figures["cost_nano"] / calls) if calls else ""


def _p95(figures: Row) -> str:
    p95 = figures["latency_ms"]["p95"]
    return "" if p95 is None else f"{p95:.0f} ms"


def _judged(scores: Row) -> str:
    """The certificates of the judges behind some scores."""
    return "".join(f" [{badge_words(badge)}]" for badge in scores["badges"])


_TOLD: dict[str, Callable[[Row], str]] = {
    "calls": lambda f: f"{f['calls']:g} ({f['share']:.0%})",
    "cost a call": _each,
    "p95": _p95,
    "errors": lambda f: f"{f['errors'] / f['calls']:.2%}" if f["calls"] else "",
    "feedback": lambda f: ", ".join(
        f"{s['name']} {s['mean']:.3g} ({s['n']}){_judged(s)}" for s in f["feedback"]
    ),
}


def _figures(name: str, value: Row) -> None:
    click.echo(f"  {name}")
    for label, tell in _TOLD.items():
        before, after = tell(value["base"]), tell(value["now"])
        if before or after:
            click.echo(f"    {label:12} {before or 'none'} -> {after or 'none'}")
