"""Runs, gates and comparisons on a terminal. Knows records as the API gives them."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from types import TracebackType
from typing import Any

import click

from stockpot.core.terminal import show
from stockpot.evals.reports import interval, number

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
    price = "no price is known" if cost is None else f"about ${cost / 1e9:.4f}"
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
    spent = "unknown" if cost is None else f"${cost / 1e9:.4f}"
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
        ),
        as_json=False,
        empty=run["error"] or "Nothing was scored.",
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
        click.echo(f"{mark}  {check['words']}  ({check['rule']})")
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
