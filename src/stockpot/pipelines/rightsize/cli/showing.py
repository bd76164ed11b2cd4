"""Runs and savings on a terminal. Knows records as the API gives them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click

from stockpot.core.dollars import dollars
from stockpot.core.terminal import show
from stockpot.traces import badge_words

_COLOURS = {"passes": "green", "refused": "red", "not enough data": "yellow"}
Record = Mapping[str, Any]


def show_run(run: Record) -> None:
    """How a run stands and what it found."""
    budget = run["asked"]["budget_nano"]
    bound = f" of {dollars(budget)}" if budget is not None else ""
    judged = sum(arm["judges_nano"] for arm in run["arms"])
    judges = f", {dollars(judged)} of it for judges" if judged else ""
    why = f": {run['error']}" if run["error"] else ""
    click.echo(
        f"{run['id']}  {run['state']}{why}  {run['rows']} rows ({run['source']}), "
        f"spent {dollars(run['spent_nano'])}{bound}{judges}"
    )
    for note in run["notes"]:
        click.echo(f"  {note}")
    if run["report"] is None:
        for arm in run["arms"]:
            click.echo(f"  {arm['model']}: {arm['done']} of {arm['rows']} rows, {arm['state']}")
        return
    _show_report(run, run["report"])


def _show_report(run: Record, report: Record) -> None:
    for warning in report["warnings"]:
        click.secho(f"! {warning}", fg="yellow")
    rows = [_baseline_row(report["baseline"]), *map(_candidate_row, report["candidates"])]
    columns = tuple((title, lambda row, title=title: row[title]) for title in rows[0])
    show(rows, columns, as_json=False, empty="")
    for one in report["candidates"]:
        word = click.style(one["verdict"], fg=_COLOURS[one["verdict"]])
        more = f"; about {one['needed']} rows would tell" if one["needed"] else ""
        click.echo(f"{one['figures']['model']}: {word}: {one['reason']}{more}")
    percent = 100 * report["confidence"]
    click.echo(
        f"{report['metric']}, margin {report['margin']:g}, {percent:g} % intervals. "
        f"{report['method'][0].upper()}{report['method'][1:]}."
    )
    if report["badge"]:
        click.echo(f"Judged by {report['judge']}: {badge_words(report['badge'])}.")
    _show_next(run, report)


def _show_next(run: Record, report: Record) -> None:
    if run["experiment"]:
        click.echo(f"{run['applied']} was given traffic in the experiment {run['experiment']}.")
    elif report["recommended"]:
        click.echo(
            f"Proposed: {report['recommended']}.  (stockpot rightsize plan {run['id']}; "
            f"stockpot rightsize apply {run['id']})"
        )
    else:
        click.echo("No candidate passes: nothing is proposed.")


def _baseline_row(arm: Record) -> dict[str, str]:
    return {
        "MODEL": arm["model"], "QUALITY": _number(arm["quality"]), "DIFFERENCE": "(baseline)",
        "INTERVAL": "", "N": str(arm["scored"]), **_figures(arm), "SAVES": "", "VERDICT": "",
    }  # fmt: skip


def _candidate_row(one: Record) -> dict[str, str]:
    arm, saved = one["figures"], one["saved_share"]
    return {
        "MODEL": arm["model"], "QUALITY": _number(arm["quality"]),
        "DIFFERENCE": _number(one["difference"], sign=True),
        "INTERVAL": f"[{_number(one['low'], sign=True)}, {_number(one['high'], sign=True)}]",
        "N": str(one["n"]), **_figures(arm),
        "SAVES": "?" if saved is None else f"{saved:.0%}", "VERDICT": one["verdict"],
    }  # fmt: skip


def _figures(arm: Record) -> dict[str, str]:
    return {
        "PER 1,000": dollars(arm["cost_per_1000_nano"]),
        "PER MONTH": dollars(arm["cost_per_month_nano"]),
        "P50": _ms(arm["p50_ms"]), "P95": _ms(arm["p95_ms"]),
    }  # fmt: skip


def _number(value: float | None, *, sign: bool = False) -> str:
    if value is None:
        return "?"
    return f"{value:+.3f}" if sign else f"{value:.3f}"


def _ms(value: float | None) -> str:
    return "?" if value is None else f"{value:,.0f} ms"


def show_savings(told: Record) -> None:
    """What was saved, run by run and in all."""
    columns = (
        ("EXPERIMENT", lambda s: s["experiment"]),
        ("CANDIDATE", lambda s: s["candidate"]),
        ("INSTEAD OF", lambda s: s["baseline"]),
        ("CALLS", lambda s: f"{s['calls']:,}"),
        ("COST", lambda s: dollars(s["actual_nano"])),
        ("WOULD HAVE COST", lambda s: dollars(s["counterfactual_nano"])),
        ("SAVED", lambda s: dollars(s["saved_nano"])),
        ("INTERVAL", lambda s: f"[{dollars(s['low_nano'])}, {dollars(s['high_nano'])}]"),
        ("A MONTH", lambda s: dollars(s["per_month_nano"])),
    )
    empty = f"Nothing was applied in {told['project']} yet.  (stockpot rightsize list)"
    show(told["saved"], columns, as_json=False, empty=empty)
    for note in told["notes"]:
        click.echo(note)
    if told["saved"]:
        click.echo(
            f"Saved {dollars(told['saved_nano'])} in all, "
            f"between {dollars(told['low_nano'])} and {dollars(told['high_nano'])}."
        )
