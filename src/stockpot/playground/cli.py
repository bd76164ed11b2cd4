"""`stockpot replay`: a trace again, and what came out otherwise; the exit code is 1 then."""

from __future__ import annotations

import sys
from typing import Any

import click

from stockpot.core.client import Client
from stockpot.core.errors import NotFound
from stockpot.core.terminal import json_option, print_json, show

_COLORS = {"identical": "green", "differs": "yellow"}


@click.command()
@click.argument("trace_id")
@click.option("--model", help="Ask this model instead of the recorded one.")
@click.option("--prompt", metavar="NAME@REF", help="Use this prompt instead of the recorded one.")
@click.option("--follow", is_flag=True, help="Let later steps go on from what the model says now.")
@click.option("--project", help="The trace's project, where several have one of this id.")
@json_option
@click.pass_obj
def replay(
    client: Client,
    trace_id: str,
    model: str | None,
    prompt: str | None,
    follow: bool,
    project: str | None,
    as_json: bool,
) -> None:
    """Run every call of a trace again and compare the answers.

    Each call goes through the gateway as it was recorded. What tools and retrievers returned is not
    asked again: the recorded results are used. The exit code is 0 when every byte that the models
    said is the same, and 1 otherwise. TRACE_ID may be the beginning of an id.

    \b
    Example:
      stockpot replay 4bf92f3577b34da6
      stockpot replay 4bf92f3577b34da6 --model gpt-4o-mini --follow
      stockpot replay 4bf92f3577b34da6 --prompt menu-description@staging --json
    """
    asked = {
        "trace_id": _whole(client, trace_id, project),
        "project": project,
        "model": model,
        "prompt": prompt,
        "follow": follow,
    }
    found = client.post("/api/v1/playground/replays", asked)
    if as_json:
        print_json(found)
    else:
        _print(found)
    sys.exit(0 if found["identical"] else 1)


def _whole(client: Client, beginning: str, project: str | None) -> str:
    if len(beginning) == 32:
        return beginning
    items = client.get("/api/v1/traces", trace_prefix=beginning, project=project, limit=2)["items"]
    if len(items) != 1:
        told = "several traces begin" if items else "no trace begins"
        raise NotFound(f"{told} with {beginning!r}", hint="stockpot traces list")
    return str(items[0]["trace_id"])


_COLUMNS = (
    ("STEP", lambda s: s["number"]),
    ("SPAN", lambda s: s["span_id"]),
    ("MODEL", lambda s: (s["replayed"] or {}).get("model") or s["model"]),
    ("STATE", lambda s: s["state"].replace("_", " ")),
    ("THEN", lambda s: _figures(s["recorded"])),
    ("NOW", lambda s: _figures(s["replayed"])),
    ("WHY", lambda s: s["why"]),
)


def _figures(run: dict[str, Any] | None) -> str:
    if run is None:
        return ""
    latency = "" if run["latency_ms"] is None else f"{run['latency_ms']:.0f} ms"
    tokens = "" if run["output_tokens"] is None else f", {run['output_tokens']} tokens"
    return latency + tokens


def _print(found: dict[str, Any]) -> None:
    show(found["steps"], _COLUMNS, as_json=False, empty="")
    for step in found["steps"]:
        for one in step["differences"]:
            click.echo(f"\nstep {step['number']}, {one['field']}")
            for line in (one["diff"] or f"-{one['before']}\n+{one['after']}").splitlines():
                color = {"-": "red", "+": "green", "@": "cyan"}.get(line[:1])
                click.secho(f"  {line}", fg=color)
    if found["stubbed"]:
        names = sorted({one["name"] for one in found["stubbed"]})
        click.echo(f"\n{len(found['stubbed'])} recorded results used again: {', '.join(names)}")
    same = sum(step["state"] == "identical" for step in found["steps"])
    word = "identical" if found["identical"] else "differs"
    click.echo()
    click.secho(f"{word}: {same} of {len(found['steps'])} steps", fg=_COLORS[word])
    click.echo(f"the new calls are the trace {found['replay_trace_id']}")
