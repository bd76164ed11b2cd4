"""`stockpot experiments report | plan`."""

from __future__ import annotations

from typing import Any

import click

from stockpot.core.client import Client
from stockpot.core.durations import lasting
from stockpot.core.terminal import NUMBER, json_option, printed
from stockpot.experiments.cli.root import API, decisions, experiments, head, in_project
from stockpot.traces import badge_words

_VERDICTS = {"better": "green", "not_worse": "green", "worse": "red", "harmed": "red"}


@experiments.command("report")
@click.argument("experiment")
@in_project
@json_option
@click.pass_obj
def report(client: Client, experiment: str, project: str, as_json: bool) -> None:
    """Show what is known now. Looking as often as one likes is safe: every interval holds at all
    looks at once.

    \b
    Example:
      stockpot experiments report tone
    """
    found = client.get(f"{API}/{experiment}/report", project=project)
    if printed(found, as_json=as_json):
        return
    head(found["experiment"])
    for arm in found["arms"]:
        role = "control" if arm["control"] else ""
        click.echo(f"  {arm['name']:<16} {arm['units']:>8} units {arm['calls']:>8} calls  {role}")
    if found["crossed"]:
        click.echo(f"  {found['crossed']} units were seen in two arms and are left out")
    for metric in found["metrics"]:
        _metric(metric)
    if found["ratio"] and found["ratio"]["alarm"]:
        click.secho("  units are not split by the weights: trust none of this", fg="red")
    click.echo(f"  {_advice(found['advice'])}")
    decisions(found["decisions"])


def _metric(told: dict[str, Any]) -> None:
    metric = told["metric"]
    means = ", ".join(f"{a['arm']} {_number(a['mean'])}" for a in told["arms"])
    click.echo(f"  {metric['name']} ({metric['role']}): {means}")
    for badge in told["badges"]:
        rests = "" if badge["state"] == "certified" else "; it informs, nothing is decided by it"
        click.echo(f"    judged by {badge['judge']}: {badge_words(badge)}{rests}")
    for d in told["differences"]:
        if d["difference"] is None:
            continue
        within = "no interval yet"
        if d["low"] is not None and d["high"] is not None:
            within = f"[{_number(d['low'])}, {_number(d['high'])}]"
        relative = "" if d["relative"] is None else f" ({d['relative']:+.1%})"
        verdict = click.style(d["verdict"].replace("_", " "), fg=_VERDICTS.get(d["verdict"]))
        click.echo(f"    {d['arm']}: {_number(d['difference'])}{relative} {within}  {verdict}")


def _advice(advice: dict[str, Any]) -> str:
    days = advice["days_left"]
    text: str = advice["text"]
    return text + (f" It takes about {lasting(days)}." if days is not None else "")


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.4g}"


@experiments.command("plan")
@in_project
@click.option("--baseline", type=NUMBER, required=True, help="The mean now, such as 0.05.")
@click.option("--effect", type=NUMBER, help="The difference that should be seen.")
@click.option("--spread", type=NUMBER, help="How much units differ; a proportion needs none.")
@click.option("--units-per-day", type=NUMBER, required=True, help="Units that come in a day.")
@click.option("--days", type=NUMBER, default=14.0, show_default=True, help="How long at most.")
@click.option("--share", type=NUMBER, default=100.0, show_default=True, help="Percent taking part.")
@click.option("--weight", type=NUMBER, default=50.0, show_default=True,
              help="Percent of them in the arm that is compared with the control.")  # fmt: skip
@click.option("--alpha", type=NUMBER, default=0.05, show_default=True, help="The level.")
@click.option("--power", type=NUMBER, default=0.8, show_default=True, help="The chance to see it.")
@json_option
@click.pass_obj
def plan(client: Client, /, project: str, as_json: bool, **given: Any) -> None:
    """Say what an experiment will be able to see, and how long it takes, before it starts.

    \b
    Example:
      stockpot experiments plan --baseline 0.05 --effect 0.01 --units-per-day 2000
      stockpot experiments plan --baseline 820 --spread 400 --effect 30 \\
        --units-per-day 500
    """
    body = {name: value for name, value in given.items() if value is not None}
    body["kind"] = "mean" if given["spread"] is not None else "proportion"
    for name in ("share", "weight"):
        body[name] = round(given[name] * 100)
    found = client.post(f"{API}/plan", body, project=project)
    if printed(found, as_json=as_json):
        return
    seen = found["detectable"]
    click.echo(
        f"{found['units']} units in {given['days']:g} days show "
        + (f"a difference of {seen:.4g} and more" if seen is not None else "nothing yet: too few")
    )
    if given["effect"] is not None:
        _takes(found, given)


def _takes(found: dict[str, Any], given: dict[str, Any]) -> None:
    if found["needed_days"] is None:
        click.echo(f"a difference of {given['effect']:g} takes too long to be seen")
        return
    click.echo(
        f"a difference of {given['effect']:g} takes {found['needed_units']} units, "
        f"{lasting(found['needed_days'])}; within {given['days']:g} days it is seen with a chance "
        f"of {found['power']:.0%}"
    )
    if found["median_days"] is not None:
        click.echo(f"half of such experiments end within {lasting(found['median_days'])}")
