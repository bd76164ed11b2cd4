"""`stockpot scores`: list, write and sum up scores on a terminal."""

from __future__ import annotations

import json
import sys
import time
from typing import IO, Any

import click

from stockpot.core.client import Client
from stockpot.core.durations import milliseconds
from stockpot.core.errors import InvalidInput
from stockpot.core.terminal import NUMBER, json_option, printed, say, show, when
from stockpot.traces.badges import badge_words

_API = "/api/v1/scores"
_SOURCES = click.Choice(["human", "end_user", "api", "code", "judge", "guardrail"])
_BY = click.Choice(["name", "prompt", "model", "source", "author", "day", "variant", "environment"])
_AT_ONCE = 500


@click.group()
def scores() -> None:
    """List, write and sum up scores of traces, spans and sessions.

    \b
    Example:
      stockpot scores summary --last 7d
    """


def _filtered(command: Any) -> Any:
    for option in (
        click.option("--last", "last_ms", type=milliseconds, metavar="DURATION",
                     help="Only the last 30m, 12h, 7d ..."),
        click.option("--prompt", "prompt_name", help="Only of calls with this prompt."),
        click.option("--source", type=_SOURCES, help="Only from this kind of author."),
        click.option("--name", help="Only scores of this name."),
        click.option("--project", help="Only of this project."),
    ):  # fmt: skip
        command = option(command)
    return command


@scores.command("list")
@_filtered
@click.option("--trace", "trace_id", help="Only of this trace.")
@click.option("--history", is_flag=True, default=None, help="Show what was replaced, too.")
@click.option("--limit", default=20, show_default=True, type=click.IntRange(1, 1000))
@json_option
@click.pass_obj
def list_(client: Client, /, as_json: bool, **given: Any) -> None:
    """List scores, newest first.

    \b
    Example:
      stockpot scores list --name thumbs --last 24h
    """
    show(
        client.get(_API, **_since(given))["items"],
        (
            ("TIME", lambda s: when(s["created_ms"])),
            ("TRACE", lambda s: (s["trace_id"] or s["session"] or s["item"])[:16]),
            ("NAME", lambda s: s["name"]),
            ("VALUE", lambda s: "" if s["value"] is None else f"{s['value']:g}"),
            ("LABEL", lambda s: s["label"]),
            ("SOURCE", lambda s: s["source"]),
            ("CERTIFICATE", lambda s: badge_words(s["badge"])),
            ("AUTHOR", lambda s: s["author"]),
            ("PROMPT", _prompt),
            ("COMMENT", lambda s: " ".join(s["comment"].split())[:40]),
        ),
        as_json=as_json,
        empty="No scores yet. Write one:  stockpot scores write TRACE quality --value 0.8",
    )


@scores.command("write")
@click.argument("trace_id", metavar="TRACE")
@click.argument("name")
@click.option("--value", type=NUMBER, help="A number; 1 or 0 for yes or no.")
@click.option("--label", default="", help="A class.")
@click.option("--comment", default="", help="Why.")
@click.option("--correction", help="What the answer should have been.")
@click.option("--span", "span_id", help="The span that is meant; the whole trace without it.")
@click.option("--source", type=_SOURCES, default="api", show_default=True)
@click.option("--id", "id_", help="An id of your own: writing it again changes nothing.")
@click.option("--project", default="default", show_default=True)
@json_option
@click.pass_obj
def write(client: Client, /, as_json: bool, id_: str | None, **given: Any) -> None:
    """Write one score of a trace. A newer one of the same name and author takes its place.

    \b
    Example:
      stockpot scores write 4bf92f3577b34da6a3ce929d0e0e4736 quality --value 0.8
    """
    score = {name: value for name, value in given.items() if value is not None}
    done = client.post(_API, {"scores": [{**score, **({"id": id_} if id_ else {})}]})
    say(done, f"wrote {done['ids'][0]}", as_json=as_json)


@scores.command("import")
@click.argument("file", type=click.File("r"))
@click.option("--project", help="The project of lines that name none.")
@json_option
@click.pass_obj
def import_(client: Client, file: IO[str], project: str | None, as_json: bool) -> None:
    """Write the scores of a file with one JSON object a line; `-` reads from the pipe.

    \b
    Example:
      stockpot scores import verdicts.jsonl --project default
    """
    written = repeated = 0
    batch: list[dict[str, Any]] = []
    for number, line in enumerate(file, 1):
        if not line.strip():
            continue
        try:
            score = json.loads(line)
            batch.append({**({"project": project} if project else {}), **score})
        except (ValueError, TypeError) as bad:
            raise InvalidInput(f"line {number} is no JSON object: {bad}") from None
        if len(batch) == _AT_ONCE:
            done = client.post(_API, {"scores": batch})
            written, repeated = written + len(done["ids"]), repeated + len(done["repeated"])
            batch = []
    if batch:
        done = client.post(_API, {"scores": batch})
        written, repeated = written + len(done["ids"]), repeated + len(done["repeated"])
    told = {"written": written - repeated, "repeated": repeated}
    if printed(told, as_json=as_json):
        return
    click.echo(f"wrote {told['written']} scores, {repeated} were there", file=sys.stdout)


@scores.command("summary")
@_filtered
@click.option("--by", type=_BY, default="prompt", show_default=True, help="What to tell apart.")
@json_option
@click.pass_obj
def summary(client: Client, /, as_json: bool, **given: Any) -> None:
    """Sum up scores by prompt version, model, source, author, day, variant or environment.

    \b
    Example:
      stockpot scores summary --by model --last 7d
    """
    show(
        client.get(f"{_API}/summary", **_since(given)),
        (
            ("NAME", lambda s: s["name"]),
            (given["by"].upper(), lambda s: " ".join(s["key"].values()) or "-"),
            ("N", lambda s: s["n"]),
            ("MEAN", lambda s: "" if s["mean"] is None else f"{s['mean']:.3f}"),
            ("SD", lambda s: "" if s["sd"] is None else f"{s['sd']:.3f}"),
            ("CERTIFICATE", lambda s: "; ".join(badge_words(one) for one in s["badges"])),
            ("LABELS", lambda s: "  ".join(f"{k} {n}" for k, n in s["labels"].items())),
        ),
        as_json=as_json,
        empty="No scores yet. Write one:  stockpot scores write TRACE quality --value 0.8",
    )


def _since(given: dict[str, Any]) -> dict[str, Any]:
    last = given.pop("last_ms")
    return {**given, "from_ms": time.time() * 1000 - last} if last is not None else given


def _prompt(score: dict[str, Any]) -> str:
    name, version = score["prompt_name"], score["prompt_version"]
    return f"{name} v{version}" if version else name
