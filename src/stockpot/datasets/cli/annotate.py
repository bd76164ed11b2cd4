"""`stockpot annotate`: make queues, see their progress and how far annotators agree. Annotating
itself is done in the console."""

from __future__ import annotations

from typing import Any

import click

from stockpot.core.client import Client
from stockpot.core.errors import NotFound, did_you_mean
from stockpot.core.terminal import JsonFile, json_option, printed, say, show, when

_API = "/api/v1/annotation/queues"


@click.group()
def annotate() -> None:
    """Let people label rows and traces: queues, progress, agreement.

    \b
    Example:
      stockpot annotate create tasting --dataset menu --label good --label bad
    """


@annotate.command("list")
@click.option("--project", help="Only of this project.")
@json_option
@click.pass_obj
def list_(client: Client, project: str | None, as_json: bool) -> None:
    """List queues, newest first, with their progress.

    \b
    Example:
      stockpot annotate list
    """
    show(
        client.get(_API, project=project),
        (
            ("ID", lambda q: q["id"]),
            ("NAME", lambda q: q["name"]),
            ("PROJECT", lambda q: q["project"]),
            ("STATE", lambda q: q["state"]),
            (
                "OF",
                lambda q: f"{q['dataset']}@{q['dataset_version']}" if q["dataset"] else "traces",
            ),
            ("DONE", _done),
            ("DISPUTED", lambda q: q["progress"]["disputed"]),
            ("MADE", lambda q: when(q["created_ms"])),
        ),
        as_json=as_json,
        empty="No queues yet. Make one:  stockpot annotate create tasting --dataset menu",
    )


@annotate.command("create")
@click.argument("name")
@click.option("--project", default="default", show_default=True)
@click.option("--dataset", help="Annotate rows of this data set; else the newest traces.")
@click.option("--version", default="latest", show_default=True, help="A number.")
@click.option("--split", help="Only rows of this split.")
@click.option("--model", help="Only traces of calls that led to this model.")
@click.option("--limit", default=200, show_default=True, type=click.IntRange(1, 10_000))
@click.option("--question", default="verdict", show_default=True, help="The score's name.")
@click.option("--label", "labels", multiple=True, help="A label; repeat. good and bad without.")
@click.option("--rubric", type=JsonFile(list), help="Questions as a JSON list, instead.")
@click.option("--annotators", default=1, show_default=True, type=click.IntRange(1, 9),
              help="How many people answer each item.")  # fmt: skip
@click.option("--open/--blind", "seen", default=False, help="Whether people see others' answers.")
@click.option("--assign", "assignees", multiple=True, help="An address; repeat. Else everybody.")
@click.option("--instructions", default="", help="What annotators read first.")
@json_option
@click.pass_obj
def create(client: Client, /, name: str, project: str, as_json: bool, **given: Any) -> None:
    """Make a queue over rows of a data set or over traces.

    \b
    Example:
      stockpot annotate create tasting --dataset menu --annotators 2
    """
    source = {"limit": given["limit"]}
    if given["dataset"]:
        source |= {"dataset": given["dataset"], "version": given["version"]}
        source |= {"split": given["split"]} if given["split"] else {}
    elif given["model"]:
        source["filter"] = {"model": given["model"]}
    labels = list(given["labels"]) or ["good", "bad"]
    rubric = given["rubric"] or [{"name": given["question"], "labels": labels}]
    body = {
        "name": name, "instructions": given["instructions"], "rubric": rubric,
        "annotators": given["annotators"], "blind": not given["seen"],
        "assignees": list(given["assignees"]), "source": source,
    }  # fmt: skip
    made = client.post(_API, body, project=project)
    told = f"made {made['name']} with {made['progress']['items']} items; open it in the console"
    say(made, told, as_json=as_json)


@annotate.command("agreement")
@click.argument("queue")
@json_option
@click.pass_obj
def agreement(client: Client, queue: str, as_json: bool) -> None:
    """Tell how far annotators agree beyond chance, with 95 % intervals.

    \b
    Example:
      stockpot annotate agreement tasting
    """
    found = client.get(f"{_API}/{_named(client, queue)['id']}/agreement")
    if printed(found, as_json=as_json):
        return
    for question in found["questions"]:
        agreed = f"{question['agreed']} of {question['items']} items agreed"
        click.echo(f"{question['name']}: alpha {_figure(question['alpha'])}, {agreed}")
        for pair in question["pairs"]:
            kappa = _figure(pair["kappa"])
            click.echo(f"  {pair['one']} and {pair['other']}: kappa {kappa} (n={pair['items']})")


@annotate.command("close")
@click.argument("queue")
@json_option
@click.pass_obj
def close(client: Client, queue: str, as_json: bool) -> None:
    """Hand nothing out any more.

    \b
    Example:
      stockpot annotate close tasting
    """
    found = _named(client, queue)
    made = client.patch(f"{_API}/{found['id']}", {"state": "closed"})
    say(made, f"closed {found['name']}", as_json=as_json)


def _done(queue: dict[str, Any]) -> str:
    progress = queue["progress"]
    return f"{progress['items'] - progress['open']} of {progress['items']}"


def _figure(figure: dict[str, Any] | None) -> str:
    if figure is None or figure["value"] is None:
        return "says nothing yet"
    if figure["low"] is None:
        return f"{figure['value']:.3f}"
    return f"{figure['value']:.3f} [{figure['low']:.3f}, {figure['high']:.3f}]"


def _named(client: Client, wanted: str) -> dict[str, Any]:
    known: list[dict[str, Any]] = client.get(_API)
    found = next((queue for queue in known if wanted in (queue["id"], queue["name"])), None)
    if found is None:
        near = did_you_mean(wanted, [queue["name"] for queue in known])
        raise NotFound(f"no annotation queue {wanted!r}.{near}", hint="stockpot annotate list")
    return found
