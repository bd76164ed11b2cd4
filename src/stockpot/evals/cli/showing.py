"""Runs, gates and comparisons on a terminal. Knows records as the API gives them."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from types import TracebackType
from typing import Any

import click

from stockpot.core.dollars import dollars
from stockpot.core.terminal import Column, show
from stockpot.evals.reports import interval, number
from stockpot.traces import badge_words

_WIDTH = 30


class Bar:
    """A line that grows while a run goes on; nothing where nobody looks."""

    def __init__(self, run: Mapping[str, Any], *, quiet: bool) -> None:
        self._silent = quiet or not sys.stderr.isatty()
        self._name = run["suite"]

    def __enter__(self) -> Bar:
        return self

    def show(self, progress: Mapping[str, Any]) -> None:
        """How far it is now."""
        if self._silent:
            return
        share = progress["done"] / progress["rows"] if progress["rows"] else 1.0
        bar = "#" * int(share * _WIDTH)
        cost = number(progress["cost_nano"], "nano") if progress["cost_nano"] is not None else "?"
        click.echo(
            f"\r{self._name} [{bar:<{_WIDTH}}] {progress['done']}/{progress['rows']}  "
            f"{progress['cached']} known, {progress['failed']} failed, {cost}  ",
            nl=False, err=True,
        )  # fmt: skip

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:  # fmt: skip
        if not self._silent:
            click.echo("", err=True)


def show_forecast(forecast: Mapping[str, Any]) -> None:
    """What a run will cost, and the smallest difference that it can show."""
    cost = forecast["cost_nano"]
    price = "no price is known" if cost is None else f"about {dollars(cost)}"
    click.echo(
        f"{forecast['rows']} rows, {forecast['calls']} calls to pay for "
        f"({forecast['cached']} are known): {price}",
        err=True,
    )
    for one in forecast["detectable"]:
        how = "assumed" if one["assumed"] else "from earlier runs"
        click.echo(
            f"  {one['metric']}: shows a difference of {one['effect']:.3g} or more "
            f"8 times in 10 (spread {one['spread']:.2g}, {how})",
            err=True,
        )
    for note in forecast["notes"]:
        click.echo(f"  {note}", err=True)


def show_metrics(run: Mapping[str, Any]) -> None:
    """A run's metrics with their intervals."""
    progress = run["progress"]
    cost = progress["cost_nano"]
    spent = "unknown" if cost is None else dollars(cost)
    click.echo(
        f"{run['id']}  {run['suite']}  {run['state']}  {progress['done']} rows in "
        f"{progress['seconds']:.1f} s, {progress['cached']} known, {progress['failed']} failed, "
        f"cost {spent}"
    )
    show(
        run["metrics"],
        (
            ("METRIC", lambda m: m["metric"]),
            ("SLICE", lambda m: m["slice"]),
            ("VALUE", lambda m: number(m["value"], m["unit"])),
            ("INTERVAL", lambda m: interval(m["low"], m["high"], m["unit"])),
            ("N", lambda m: m["n"]),
            ("CLUSTERS", lambda m: m["clusters"]),
            *certificate_column(run["metrics"]),
        ),
        as_json=False,
        empty=run["error"] or "Nothing was scored.",
    )
    for one in run.get("judges", ()):
        show_judge(one)


def certificate_column(metrics: Any) -> tuple[Column, ...]:
    """The column of certificates, where a judge is among the metrics."""
    if not any(one.get("badge") for one in metrics):
        return ()
    return (("CERTIFICATE", lambda m: badge_words(m.get("badge"))),)


def show_judge(one: Mapping[str, Any]) -> None:
    """How a judge fared in a run, and what people would have said."""
    badge = one["badge"]
    click.echo(f"{one['metric']}: {one['judge']}, {badge_words(badge) or 'no certificate'}"
               + (f" ({badge['words']})" if badge else ""))  # fmt: skip
    click.echo(f"  {tally(one['tally'])}")
    told = one["corrected"]
    if told and told["estimate"]["value"] is not None:
        click.echo(
            f"  The judge's mean is {told['naive']:.3f}; people would say "
            f"{figure(told['estimate'])}, by {told['labelled']} of their labels."
        )


def show_gate(gate: Mapping[str, Any] | None) -> None:
    """The gate's word, its checks and the cases that speak against it."""
    if gate is None:
        return
    for warning in gate["warnings"]:
        click.secho(f"! {warning}", fg="yellow")
    for check in gate["checks"]:
        mark = click.style("ok    ", fg="green") if check["passed"] else (
            click.style("FAILED", fg="red")
        )  # fmt: skip
        badge = f"  [{badge_words(check['badge'])}]" if check.get("badge") else ""
        click.echo(f"{mark}  {check['words']}  ({check['rule']}){badge}")
    for case in gate["cases"]:
        before = "" if case["base"] is None else f"{number(case['base'])} -> "
        score = f"{before}{number(case['candidate'])}"
        click.echo(f"        {case['item']}  {case['metric']}  {score}  {case['reason'][:120]}")
    word = "passed" if gate["passed"] else "did not pass"
    base = f" against {gate['base']}" if gate["base"] else ""
    click.echo(f"The run {word}{base}, at {100 * gate['confidence']:g} % confidence.")


def state_line(run: Mapping[str, Any]) -> str:
    """How a run stands."""
    why = f": {run['error']}" if run["error"] else ""
    return f"{run['id']} is {run['state']}{why}"


def tally(one: dict[str, Any]) -> str:
    """How rows and calls fared, in a sentence."""
    said = (
        f"{one['judged']} of {one['rows']} rows have a verdict; of {one['calls']} calls "
        f"{one['unread']} could not be read ({100 * one['parse_share']:.1f} %)"
    )
    said += f", {one['abstained']} rows abstained, {one['errors']} failed"
    if why := one.get("error"):
        said += f" ({why})"
    if one["swap_consistency"] is not None:
        said += f"; the same in both orders: {100 * one['swap_consistency']:.1f} %"
    if one["juries"]:
        said += f"; the jury was split on {one['split']}"
    return f"{said}. Rows without a verdict are missing, not 0."


def figure(one: dict[str, Any] | None) -> str:
    """A value with its interval."""
    if one is None or one["value"] is None:
        return "-"
    ends = "" if one["low"] is None else f" [{one['low']:.3f}, {one['high']:.3f}]"
    return f"{one['value']:.3f}{ends}"
