"""`stockpot datasets`: how rows come in, and how they are parted."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import click

from stockpot.core.client import Client
from stockpot.core.durations import milliseconds
from stockpot.core.errors import InvalidInput
from stockpot.core.terminal import json_option, print_json, read_file, say
from stockpot.datasets.cli.sets import API, datasets, in_project

_SHOWN = 10


def _pair(text: str) -> tuple[str, str]:
    """The type of --column and --share."""
    name, equals, value = text.rpartition("=")
    if not equals or not name or not value:
        raise click.BadParameter(f"{text!r} is not NAME=VALUE")
    return name, value


_split = click.option("--split", default="", help="The split that the rows go into.")
_message = click.option("--message", default="", help="Why; kept with the version.")


@datasets.command("import")
@click.argument("name")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@in_project
@click.option(
    "--column",
    "columns",
    type=_pair,
    multiple=True,
    metavar="COLUMN=PLACE",
    help="What a column is: input, input.NAME, expected, metadata.NAME, split, id or -.",
)
@_split
@_message
@click.option("--dry-run", is_flag=True, help="Only tell how the file would be read.")
@json_option
@click.pass_obj
def import_(
    client: Client, /, name: str, file: Path, project: str, as_json: bool, **given: Any
) -> None:
    """Put the rows of a CSV or JSONL file in: all of them, or with one fault none.

    \b
    Example:
      stockpot datasets import menu cases.csv --column question=input.question
    """
    kind = file.suffix.lower().lstrip(".")
    kind = {"json": "jsonl", "ndjson": "jsonl"}.get(kind, kind)
    if kind not in ("csv", "jsonl"):
        raise InvalidInput(f"{file.name!r} is neither .csv nor .jsonl")
    text = read_file(file)
    body = {"format": kind, "text": text, **given, "columns": dict(given["columns"])}
    done = client.post(f"{API}/{name}/import", body, project=project)
    if as_json:
        print_json(done)
    elif done["faults"]:
        for fault in done["faults"]:
            click.secho(f"line {fault['line']}: {fault['message']}", fg="red", err=True)
        click.echo("nothing was imported", err=True)
    elif done["added"] is None:
        for column, place in done["columns"].items():
            click.echo(f"{column} -> {place}")
        click.echo(f"{done['rows']} rows")
    else:
        _tell(name, done["added"])
    if done["faults"]:
        raise SystemExit(1)


@datasets.command("from-traces")
@click.argument("name")
@in_project
@click.option("--trace", "trace_ids", multiple=True, help="A trace; repeat for more.")
@click.option("--last", "last_ms", type=milliseconds, metavar="DURATION", help="Only the last ...")
@click.option("--model", help="Only calls that led to this model.")
@click.option("--prompt", "prompt_name", help="Only calls with this prompt.")
@click.option("--tag", help="Only with this tag.")
@click.option("--user", help="Only of this end user.")
@click.option("--search", "q", help="Words in what was said.")
@click.option("--failed", is_flag=True, default=None, help="Only calls that did not end ok.")
@click.option("--limit", default=100, show_default=True, type=click.IntRange(1, 5000))
@click.option(
    "--expected",
    type=click.Choice(["output", "correction", "none"]),
    default="output",
    show_default=True,
    help="What is expected: the output (or its correction), corrections alone, or nothing.",
)
@_split
@_message
@json_option
@click.pass_obj
def from_traces(client: Client, /, name: str, project: str, as_json: bool, **given: Any) -> None:
    """Make rows out of traces that are named or that match.

    \b
    Example:
      stockpot datasets from-traces menu --model gpt-4o-mini --last 7d --limit 200
    """
    body = {field: given.pop(field) for field in ("limit", "expected", "split", "message")}
    ids = given.pop("trace_ids")
    last = given.pop("last_ms")
    where = {field: value for field, value in given.items() if value is not None}
    if last is not None:
        where["from_ms"] = time.time() * 1000 - last
    if ids:
        body["trace_ids"] = list(ids)
    if where or not ids:
        body["filter"] = where
    done = client.post(f"{API}/{name}/from-traces", body, project=project)
    print_json(done) if as_json else _tell(name, done)


@datasets.command("from-feedback")
@click.argument("name")
@in_project
@click.option("--thumb", type=click.Choice(["up", "down", "any"]), default="down",
              show_default=True)  # fmt: skip
@click.option("--corrected/--all", default=True, help="Only what somebody corrected, or all of it.")
@click.option("--limit", default=500, show_default=True, type=click.IntRange(1, 5000))
@_split
@_message
@json_option
@click.pass_obj
def from_feedback(client: Client, /, name: str, project: str, as_json: bool, **given: Any) -> None:
    """Make rows out of what users rated or corrected.

    \b
    Example:
      stockpot datasets from-feedback menu --thumb down
    """
    done = client.post(f"{API}/{name}/from-feedback", given, project=project)
    print_json(done) if as_json else _tell(name, done)


@datasets.command("split")
@click.argument("name")
@in_project
@click.option("--share", "shares", type=_pair, multiple=True, metavar="SPLIT=SHARE",
              help="train=0.8 and test=0.2 when left out.")  # fmt: skip
@click.option("--group-by", help="A field whose rows stay together, such as metadata.table.")
@click.option("--only-unassigned", is_flag=True, help="Leave rows alone that have a split.")
@_message
@json_option
@click.pass_obj
def split(client: Client, /, name: str, project: str, as_json: bool, **given: Any) -> None:
    """Tell rows apart into splits, the same row always into the same.

    \b
    Example:
      stockpot datasets split menu --share train=0.8 --share test=0.2
    """
    body = {field: value for field, value in given.items() if value}
    if shares := body.pop("shares", None):
        try:
            body["shares"] = {split_: float(share) for split_, share in shares}
        except ValueError:
            raise InvalidInput("a share is a number, as in train=0.8") from None
    done = client.post(f"{API}/{name}/split", body, project=project)
    print_json(done) if as_json else _tell(name, done)


@datasets.command("slice")
@click.argument("name")
@click.argument("slice_name", metavar="SLICE")
@click.argument("conditions", nargs=-1, type=_pair, metavar="FIELD=VALUE...")
@in_project
@json_option
@click.pass_obj
def slice_(
    client: Client,
    name: str,
    slice_name: str,
    conditions: tuple[tuple[str, str], ...],
    project: str,
    as_json: bool,
) -> None:
    """Keep a part of a data set under a name: rows whose fields have these values.

    \b
    Example:
      stockpot datasets slice menu german metadata.language=de
    """
    if not conditions:
        raise InvalidInput("a slice needs a condition", hint="metadata.language=de")
    body = [{"field": field, "op": "eq", "value": _value(value)} for field, value in conditions]
    path = f"{API}/{name}/slices/{slice_name}"
    made = client.put(path, {"conditions": body}, project=project)
    rows = client.get(f"{API}/{name}/rows", slice=slice_name, limit=1, project=project)["total"]
    say(made, f"{rows} rows are in {slice_name}", as_json=as_json)


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def _tell(name: str, done: dict[str, Any]) -> None:
    for line in done["skipped"][:_SHOWN]:
        click.secho(f"left out {line}", dim=True, err=True)
    counts = f"{done['added']} new, {done['changed']} changed, {done['unchanged']} were there"
    if done["version"] is None:
        click.echo(f"{name} stays as it is: {counts}")
        return
    version = done["version"]
    click.echo(f"{name} version {version['number']}: {version['rows']} rows ({counts})")
