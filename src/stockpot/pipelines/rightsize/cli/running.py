"""`stockpot rightsize run` and what looks at runs, ends and resumes them."""

from __future__ import annotations

import sys
import time
from typing import Any

import click

from stockpot.core.client import Client
from stockpot.core.dollars import dollars
from stockpot.core.durations import milliseconds
from stockpot.core.terminal import NUMBER, Number, amount, json_option, printed, show, when
from stockpot.pipelines.rightsize.cli.showing import show_run
from stockpot.traces import badge_words

API = "/api/v1/rightsize"
_OPEN = ("queued", "running")
_LOOK_EVERY_S = 0.5
_HOUR_MS = 3_600_000


@click.command("run")
@click.argument("project")
@click.option("--candidates", required=True, help="Models, routes or aliases: A,B,C.")
@click.option("--baseline", required=True, help="What is served now: a model, a route, an alias.")
@click.option("--margin", type=NUMBER, required=True,
              help="How much worse is accepted, in the metric's unit.")  # fmt: skip
@click.option("--dataset", default="", help="Ask the rows of this data set: NAME or NAME@VERSION.")
@click.option("--traffic", type=milliseconds, metavar="7d",
              help="Ask the baseline's logged calls of this time again.")  # fmt: skip
@click.option("--suite", default="", help="Whose scorers, prompt and parameters to use.")
@click.option("--scorer", "scorers", multiple=True, help="A scorer by name, without a suite.")
@click.option("--metric", default="", help="The metric that decides; the first scorer's if not.")
@click.option(
    "--budget",
    type=amount,
    metavar="DOLLARS",
    help="For all calls, judges' included; stops before it is passed.",
)
@click.option("--rows", type=click.IntRange(2, 20_000), default=1000, show_default=True,
              help="Ask at most so many.")  # fmt: skip
@click.option("--alias", default="", help="The alias that a plan would move, and whose traffic.")
@click.option("--cluster", default="", help="Rows that belong together, such as metadata.item.")
@click.option("--confidence", type=Number(0.5, 0.999), default=0.95, show_default=True)
@click.option("--again", is_flag=True, help="Ask again what is known from earlier runs.")
@click.option("--no-wait", is_flag=True, help="Start it and come back at once.")
@click.option("--message", default="", help="Why this run.")
@json_option
@click.pass_obj
def run(client: Client, /, project: str, as_json: bool, **how: Any) -> None:
    """Hold candidates against a baseline, and say of each whether it passes.

    Each model answers the same rows; answers are scored, compared row by row, and a candidate
    passes when it is shown not to be worse by the margin, and costs less. Answers that were paid
    for before cost nothing; when the budget does not suffice for another call, a judge's included,
    the run stops and can be resumed.

    \b
    Example:
      stockpot rightsize run menu --candidates chef-small,chef-tiny \\
        --baseline chef-large
        --dataset questions --scorer mentions --margin 0.05 --budget 5
    """
    started = client.post(f"{API}/runs", _wanted(how), project=project)
    ended = started if how["no_wait"] else follow(client, started, quiet=as_json)
    _told(ended, as_json)


def _wanted(how: dict[str, Any]) -> dict[str, Any]:
    plain = ("baseline", "margin", "dataset", "suite", "metric", "rows", "alias", "cluster",
             "confidence", "message")  # fmt: skip
    names = [name.strip() for name in how["candidates"].split(",") if name.strip()]
    wanted: dict[str, Any] = {
        "candidates": names, "repeat_calls": how["again"],
        "scorers": [{"use": name} for name in how["scorers"]],
        **{name: how[name] for name in plain},
    }  # fmt: skip
    if how["traffic"] is not None:
        wanted["traffic_hours"] = how["traffic"] / _HOUR_MS
    if how["budget"] is not None:
        wanted["budget_nano"] = round(how["budget"] * 1e9)
    return wanted


def follow(client: Client, run: dict[str, Any], *, quiet: bool) -> dict[str, Any]:
    """Watch a run to its end."""
    client.demand_instance(f"the run {run['id']} waits: models are asked by the gateway")
    shown = not quiet and sys.stderr.isatty()
    while run["state"] in _OPEN:
        time.sleep(_LOOK_EVERY_S)
        run = client.get(f"{API}/runs/{run['id']}")
        if shown:
            arms = "  ".join(f"{a['model']} {a['done']}/{a['rows']}" for a in run["arms"])
            click.echo(f"\r{arms}  {dollars(run['spent_nano'])} ", nl=False, err=True)
    if shown:
        click.echo("", err=True)
    return run


def _told(run: dict[str, Any], as_json: bool) -> None:
    if not printed(run, as_json=as_json):
        show_run(run)
    if run["state"] in ("failed", "cancelled"):
        sys.exit(2)


@click.command("show")
@click.argument("run_id", metavar="RUN")
@json_option
@click.pass_obj
def show_(client: Client, run_id: str, as_json: bool) -> None:
    """Show a run: how far it is, what it cost, the verdict on each candidate.

    \b
    Example:
      stockpot rightsize show size_0a1b2c3d4e5f6g7h8j9k
    """
    told = client.get(f"{API}/runs/{run_id}")
    if not printed(told, as_json=as_json):
        show_run(told)


@click.command("list")
@click.argument("project", default="default")
@json_option
@click.pass_obj
def list_(client: Client, project: str, as_json: bool) -> None:
    """List the runs of a project, newest first.

    \b
    Example:
      stockpot rightsize list menu
    """
    columns = (
        ("RUN", lambda r: r["id"]),
        ("STARTED", lambda r: when(r["created_ms"])),
        ("STATE", lambda r: r["state"]),
        ("BASELINE", lambda r: r["asked"]["baseline"]),
        ("PASSES", lambda r: _passing(r) or "-"),
        ("CERTIFICATE", _certificate),
        ("SPENT", lambda r: dollars(r["spent_nano"])),
        ("EXPERIMENT", lambda r: r["experiment"] or "-"),
    )
    empty = (
        f"No runs in the project {project}. Start one:\n"
        f"  stockpot rightsize {project} --candidates A,B --baseline C --margin 0.05"
    )
    rows = client.get(f"{API}/runs", project=project)
    show(rows, columns, as_json=as_json, empty=empty)


def _certificate(run: dict[str, Any]) -> str:
    """Of the judge behind the verdicts, where one is."""
    return badge_words(run["report"]["badge"]) if run["report"] else ""


def _passing(run: dict[str, Any]) -> str:
    candidates = run["report"]["candidates"] if run["report"] else ()
    return ", ".join(c["figures"]["model"] for c in candidates if c["verdict"] == "passes")


@click.command("resume")
@click.argument("run_id", metavar="RUN")
@click.option(
    "--budget", type=amount, metavar="DOLLARS", help="Dollars for the whole run from now on."
)
@json_option
@click.pass_obj
def resume(client: Client, run_id: str, budget: float | None, as_json: bool) -> None:
    """Go on with a run where it ended, with a new budget for all of it.

    \b
    Example:
      stockpot rightsize resume size_0a1b2c3d4e5f6g7h8j9k --budget 10
    """
    nano = None if budget is None else round(budget * 1e9)
    started = client.post(f"{API}/runs/{run_id}/resume", {"budget_nano": nano})
    _told(follow(client, started, quiet=as_json), as_json)


@click.command("cancel")
@click.argument("run_id", metavar="RUN")
@json_option
@click.pass_obj
def cancel(client: Client, run_id: str, as_json: bool) -> None:
    """End a run; what is done stays, and it can be resumed.

    \b
    Example:
      stockpot rightsize cancel size_0a1b2c3d4e5f6g7h8j9k
    """
    ended = client.post(f"{API}/runs/{run_id}/cancel")
    if not printed(ended, as_json=as_json):
        click.echo(f"{run_id} is {ended['state']}")


COMMANDS = (run, list_, show_, resume, cancel)
