"""`stockpot eval run` and what else starts, ends and decides on runs."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from stockpot.core.client import Client
from stockpot.core.terminal import json_option, printed
from stockpot.evals.cli.showing import Bar, show_forecast, show_gate, show_metrics, state_line

_API = "/api/v1/evals"
_HERE = ("http", "python")
project_option = click.option("--project", default="default", show_default=True)


@click.group(name="eval")
def eval_() -> None:
    """Run suites on data sets, compare runs, and gate releases.

    \b
    Example:
      stockpot eval run evals/menu.toml --gate
    """


def _gating(command: Callable[..., Any]) -> Callable[..., Any]:
    for option in reversed((
        click.option("--base", help="The run to compare with: an id, `last` (passed) or `none`."),
        click.option("--junit", type=click.Path(path_type=Path), help="Write JUnit XML here."),
        click.option("--markdown", type=click.Path(path_type=Path), help="Write Markdown here."),
    )):  # fmt: skip
        command = option(command)
    return command


@click.command("run")
@click.argument("suite")
@click.option("--project", help="Instead of the one that the suite's file names.")
@click.option("--rows", "rows_file", type=click.Path(path_type=Path), help="JSON lines to run on.")
@click.option("--prompt", help="Evaluate this prompt instead, as NAME@VERSION or NAME@LABEL.")
@click.option("--model", help="Evaluate this model instead, or the prompt on this model.")
@click.option("--gate", "gated", is_flag=True, help="Exit with 1 when the run does not pass.")
@_gating
@click.option("--again", is_flag=True, help="Ask again what is known from earlier runs.")
@click.option("--forecast", "only_forecast", is_flag=True, help="Say what it would cost, and stop.")
@click.option("--message", default="", help="Why this run.")
@json_option
@click.pass_obj
def run(client: Client, /, suite: str, as_json: bool, **how: Any) -> None:
    """Run a suite: the name of a kept one, or a file.

    \b
    Example:
      stockpot eval run evals/menu.toml --gate --junit gate.xml --markdown gate.md
      stockpot eval run menu --prompt menu-description@7 --base last
    """
    project, wanted, rows = wanted_of(client, suite, how)
    forecast = client.post(f"{_API}/forecast", wanted, project=project)
    if how["only_forecast"]:
        if not printed(forecast, as_json=as_json):
            show_forecast(forecast)
        return
    if not as_json:
        show_forecast(forecast)
    started = client.post(f"{_API}/runs", wanted, project=project)
    ended = _done(client, started, rows, how, quiet=as_json)
    _told(client, ended, how, as_json=as_json)


def wanted_of(
    client: Client, suite: str, how: dict[str, Any]
) -> tuple[str, dict[str, Any], list[Any] | None]:
    """The project, what to send, and the rows where they come from a file."""
    from stockpot.evals.files import read_rows, read_suite

    wanted: dict[str, Any] = {"message": how["message"], "repeat_calls": how["again"]}
    project, file = how["project"] or "default", how["rows_file"]
    if suite.endswith(".toml") or os.sep in suite:
        told = read_suite(Path(suite))
        project, file = how["project"] or told.project, file or told.rows
        spec = told.spec.model_dump(mode="json")
        wanted["spec"] = spec
    else:
        spec = client.get(f"{_API}/suites/{suite}", project=project)["spec"]
        wanted["suite"] = suite
    target = _target(spec["target"], how)
    wanted["target"] = target
    rows = None
    if file is not None:
        rows = read_rows(file)
        sent = [row.model_dump(mode="json", exclude_defaults=True) for row in rows]
        kept = client.post(f"{_API}/rowsets", {"name": file.stem, "rows": sent}, project=project)
        wanted["rowset"] = kept["hash"]
    if target["kind"] in _HERE or (target["kind"] == "recorded" and file is not None):
        wanted["runner"] = "here"
    return project, wanted, rows


def _target(target: dict[str, Any], how: dict[str, Any]) -> dict[str, Any]:
    if how["prompt"]:
        target = {**target, "kind": "prompt", "prompt": how["prompt"]}
    if how["model"]:
        kind = target["kind"] if target["kind"] == "prompt" else "model"
        target = {**target, "kind": kind, "model": how["model"]}
    return target


def _done(
    client: Client, started: dict[str, Any], rows: list[Any] | None, how: dict[str, Any],
    *, quiet: bool,
) -> dict[str, Any]:  # fmt: skip
    if started["runner"] == "instance":
        return follow(client, started, quiet=quiet)
    from stockpot.core.config import load
    from stockpot.evals.answer_file import answers_here
    from stockpot.evals.here import run_here

    settings = load()
    settings.home.mkdir(parents=True, exist_ok=True)
    with Bar(started, quiet=quiet) as bar:
        return run_here(
            client, started, rows or rows_of(client, started), again=bool(how.get("again")),
            cache=answers_here(settings.home), gateway=known_gateway(settings),
            watch=lambda progress: bar.show(progress.model_dump()),
        )  # fmt: skip


def known_gateway(settings: Any) -> tuple[str, str] | None:
    """The gateway and a key for scorers that ask a model; None where they are not told."""
    from stockpot.core.urls import gateway_url

    key, url = os.environ.get("STOCKPOT_KEY", ""), os.environ.get("STOCKPOT_GATEWAY", "")
    if not url and not os.environ.get("STOCKPOT_TOKEN"):  # else the instance is perhaps elsewhere
        url = gateway_url(settings)
    return (url, key) if key and url else None


def rows_of(client: Client, run: dict[str, Any]) -> list[Any]:
    """The rows that a run is done on."""
    from stockpot.evals.models import Row

    told = client.get(f"{_API}/rowsets/{run['dataset_hash']}", project=run["project"])
    return [Row(**row) for row in told["rows"]]


def follow(client: Client, run: dict[str, Any], *, quiet: bool) -> dict[str, Any]:
    """Watch a run of the instance to its end; gives it with its metrics."""
    from stockpot.evals.models import OVER

    client.demand_instance(f"the run {run['id']} waits: its target is asked by the gateway")
    with Bar(run, quiet=quiet) as bar:
        while run["state"] not in OVER:  # a server that stops ends the stream before the run is
            for told in client.stream(f"{_API}/runs/{run['id']}/events"):
                bar.show(told["progress"])
            run = client.get(f"{_API}/runs/{run['id']}")
    return run


def _told(client: Client, ended: dict[str, Any], how: dict[str, Any], *, as_json: bool) -> None:
    """What came out, with the gate's word where it is asked for."""
    gate = None
    if ended["state"] == "done" and (how["gated"] or how["junit"] or how["base"]):
        gate = client.post(f"{_API}/runs/{ended['id']}/gate", base=how["base"])
    _written(ended, gate, how)
    if not printed({"run": ended, "gate": gate}, as_json=as_json):
        show_metrics(ended)
        show_gate(gate)
    if ended["state"] != "done":
        click.echo(state_line(ended), err=True)
        sys.exit(2)
    if how["gated"] and gate is not None and not gate["passed"]:
        sys.exit(1)


def _written(ended: dict[str, Any], gate: dict[str, Any] | None, how: dict[str, Any]) -> None:
    from stockpot.evals.reports import junit, markdown

    if how["junit"] and gate is not None:
        how["junit"].write_text(junit(ended, gate), "utf-8")
    if how["markdown"]:
        how["markdown"].write_text(markdown(ended, gate), "utf-8")


@click.command("gate")
@click.argument("run_id", metavar="RUN")
@_gating
@json_option
@click.pass_obj
def gate(client: Client, /, run_id: str, as_json: bool, **how: Any) -> None:
    """Decide whether a run that is done passes; exit with 1 when it does not.

    \b
    Example:
      stockpot eval gate run_0a1b2c3d4e5f6g7h8j9k --base last
    """
    _told(client, client.get(f"{_API}/runs/{run_id}"), {**how, "gated": True}, as_json=as_json)


@click.command("push")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@json_option
@click.pass_obj
def push(client: Client, files: tuple[Path, ...], as_json: bool) -> None:
    """Keep suites out of files, so that the console shows and runs them.

    \b
    Example:
      stockpot eval push evals/menu.toml
    """
    from stockpot.evals.files import read_suite

    kept = []
    for file in files:
        told = read_suite(file)
        spec = told.spec.model_dump(mode="json")
        kept.append(client.put(f"{_API}/suites", spec, project=told.project))
        if not as_json:
            click.echo(f"Kept {told.spec.name} in {told.project}.")
    printed(kept, as_json=as_json)


@click.command("remove")
@click.argument("name")
@project_option
@click.pass_obj
def remove(client: Client, name: str, project: str) -> None:
    """Forget a suite; its runs stay.

    \b
    Example:
      stockpot eval remove menu
    """
    client.delete(f"{_API}/suites/{name}", project=project)
    click.echo(f"Removed {name}.")


@click.command("watch")
@click.argument("run_id", metavar="RUN")
@json_option
@click.pass_obj
def watch(client: Client, run_id: str, as_json: bool) -> None:
    """Watch a run to its end.

    \b
    Example:
      stockpot eval watch run_0a1b2c3d4e5f6g7h8j9k
    """
    ended = follow(client, client.get(f"{_API}/runs/{run_id}"), quiet=as_json)
    if not printed(ended, as_json=as_json):
        show_metrics(ended)


@click.command("resume")
@click.argument("run_id", metavar="RUN")
@json_option
@click.pass_obj
def resume(client: Client, run_id: str, as_json: bool) -> None:
    """Go on with a run where it ended; rows that failed are tried again.

    \b
    Example:
      stockpot eval resume run_0a1b2c3d4e5f6g7h8j9k
    """
    started = client.post(f"{_API}/runs/{run_id}/resume")
    ended = _done(client, started, None, {}, quiet=as_json)
    if not printed(ended, as_json=as_json):
        show_metrics(ended)


@click.command("cancel")
@click.argument("run_id", metavar="RUN")
@json_option
@click.pass_obj
def cancel(client: Client, run_id: str, as_json: bool) -> None:
    """End a run; what is done stays.

    \b
    Example:
      stockpot eval cancel run_0a1b2c3d4e5f6g7h8j9k
    """
    ended = client.post(f"{_API}/runs/{run_id}/cancel")
    if not printed(ended, as_json=as_json):
        click.echo(state_line(ended))
