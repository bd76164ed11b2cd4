"""`stockpot traces`: the verbs of the span log on a terminal. All but `verify` ask the API."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import IO, Any

import click

from stockpot.core.client import Client
from stockpot.core.dollars import dollars
from stockpot.core.errors import NotFound
from stockpot.core.terminal import json_option, print_json, printed, say, show
from stockpot.traces.cli.filters import Row, filtered

_PAGE = 500
_NOTHING_YET = "No traces yet. stockpot up prints a call to paste."


@click.command("list")
@click.option(
    "--limit", default=20, show_default=True, type=click.IntRange(1, 1_000_000), help="How many."
)
@json_option
@click.pass_obj
@filtered
def list_(client: Client, limit: int, as_json: bool, filters: Row) -> None:
    """List traces, newest first, with the figures of their root span.

    \b
    Example:
      stockpot traces list --limit 5 --json
      stockpot traces list --last 1h --status error --search "out of memory"
    """
    rows = [_flat(item) for item in islice(_pages(client, limit, filters), limit)]
    asked = any(value is not None for value in filters.values())
    none = "No trace is like that; ask for less." if asked else _NOTHING_YET
    show(rows, _COLUMNS, as_json=as_json, empty=none)


@click.command("show")
@click.argument("trace_id")
@click.option("--payload", "with_payload", is_flag=True, help="Also print request and response.")
@json_option
@click.pass_obj
def show_(client: Client, trace_id: str, with_payload: bool, as_json: bool) -> None:
    """Show one trace: its spans, stages, cost and, on request, what was said.

    TRACE_ID may be the beginning of an id, as `list` prints it.

    \b
    Example:
      stockpot traces show 4bf92f3577b34da6 --payload
    """
    trace = client.get(f"/api/v1/traces/{whole(client, trace_id)}")
    if with_payload:
        for span in trace["spans"]:
            path = f"/api/v1/traces/{trace['trace_id']}/spans/{span['span_id']}/payload"
            span |= {k: v for k, v in client.get(path).items() if k != "state"}
    if printed(trace, as_json=as_json):
        return
    click.echo(f"trace {trace['trace_id']}")
    for span in trace["spans"]:
        _print_span(span)


@click.command()
@json_option
@click.pass_obj
@filtered
def tail(client: Client, as_json: bool, filters: Row) -> None:
    """Follow traces as they arrive, until Ctrl-C.

    \b
    Example:
      stockpot traces tail --project menu
      stockpot traces tail --json | jq .cost_usd
    """
    try:
        for item in client.stream("/api/v1/traces/tail", **filters):
            row = _flat(item)
            say(row, _line(row), as_json=as_json)
    except KeyboardInterrupt:
        return


@click.command()
@click.option(
    "--format", "form", type=click.Choice(["jsonl", "parquet"]), default="jsonl",
    show_default=True, help="Lines of JSON, or a Parquet file (needs stockpot[parquet]).",
)  # fmt: skip
@click.option(
    "--out", "--output", "out", type=click.Path(dir_okay=False, path_type=Path),
    help="File to write to.",
)  # fmt: skip
@click.option("--payloads", is_flag=True, help="With request and response bodies.")
@click.pass_obj
@filtered
def export(client: Client, form: str, out: Path | None, payloads: bool, filters: Row) -> None:
    """Write every matching span in the order of arrival, as lines of JSON or as a Parquet file.

    \b
    Example:
      stockpot traces export --last 7d --payloads --out week.jsonl
      stockpot traces export --last 7d --format parquet --output week.parquet
    """
    if form == "parquet" and out is None:
        raise click.UsageError("a Parquet file is not for a terminal: say --output FILE")
    lines = client.stream("/api/v1/traces/export", payloads=payloads, **filters)
    if out is None:
        _write(lines, sys.stdout)
        return
    if form == "parquet":
        from stockpot.traces.parquet import write_parquet

        count = write_parquet(lines, out)
    else:
        with out.open("w", encoding="utf-8") as file:
            count = _write(lines, file)
    click.echo(f"{count} spans in {out}", err=True)


@click.command()
@json_option
def verify(as_json: bool) -> None:
    """Check that nothing was lost: reconcile spool, offsets, spans, payloads and rollups.

    Reads the files of STOCKPOT_HOME and needs no running instance. Exits with 1 when something was
    lost.

    \b
    Example:
      stockpot traces verify
    """
    from stockpot.core.config import load
    from stockpot.core.instance import Instance
    from stockpot.traces.opening import open_span_log

    log = open_span_log(Instance(load().home))
    try:
        found = log.verify()
    finally:
        log.close()
    facts = found.model_dump(mode="json")
    if as_json:
        print_json(facts)
    else:
        for name, value in facts.items():
            if name != "problems":
                click.echo(f"{name.replace('_', ' '):18} {value}")
        for problem in found.problems:
            click.secho(problem, fg="red")
    if found.lost:
        sys.exit(1)


def _pages(client: Client, limit: int, filters: Row) -> Iterator[Row]:
    cursor = None
    while True:
        page = client.get("/api/v1/traces", limit=min(limit, _PAGE), cursor=cursor, **filters)
        yield from page["items"]
        cursor = page["next_cursor"]
        if cursor is None:
            return


def whole(client: Client, given: str) -> str:
    """A whole trace id out of its beginning."""
    if len(given) >= 32:
        return given
    items = client.get("/api/v1/traces", trace_prefix=given, limit=2)["items"]
    if len(items) == 1:
        return str(items[0]["trace_id"])
    told = "more than one trace begins" if items else "no trace begins"
    raise NotFound(f"{told} with {given!r}", hint=f"stockpot traces list --id {given}")


def _flat(item: Row) -> Row:
    """A row of the trace list: what scripts ask for first."""
    root, cost = item["root"], item["total_cost_nano"]
    return {
        "trace_id": item["trace_id"],
        "start_ms": root["start_ms"],
        "status": root["status"],
        "error": root["error"],
        "project": root["project"],
        "environment": root["environment"],
        "key": root["key_id"],
        "model": root["model"],
        "requested_model": root["requested_model"],
        "provider": root["provider"],
        "tokens": root["tokens"],
        "cost_nano": cost,
        "cost_usd": None if cost is None else cost / 1e9,
        "ttft_ms": root["ttft_ms"],
        "tpot_ms": root["tpot_ms"],
        "duration_ms": root["duration_ms"],
        "stream": root["stream"],
        "finish_reason": root["finish_reason"],
        "spans": item["spans"],
        "errors": item["errors"],
        "input_preview": root["input_preview"],
        "output_preview": root["output_preview"],
    }


def _clock(ms: float) -> str:
    return time.strftime("%m-%d %H:%M:%S", time.localtime(ms / 1000))


def _ms(value: float | None) -> str:
    return "" if value is None else f"{value:.0f} ms" if value >= 10 else f"{value:.1f} ms"


def _cost(nano: int | None) -> str:
    return "unknown" if nano is None else dollars(nano)


def _end(row: Row) -> str:
    return str(row["status"] if row["status"] == "ok" else row["error"] or row["status"])


_COLUMNS: list[tuple[str, Callable[[Row], Any]]] = [
    ("TRACE", lambda row: row["trace_id"][:16]),
    ("TIME", lambda row: _clock(row["start_ms"])),
    ("STATUS", _end),
    ("MODEL", lambda row: row["model"]),
    ("PROJECT", lambda row: row["project"]),
    ("IN", lambda row: row["tokens"]["input"]),
    ("OUT", lambda row: row["tokens"]["output"]),
    ("COST", lambda row: _cost(row["cost_nano"])),
    ("TTFT", lambda row: _ms(row["ttft_ms"])),
    ("TOOK", lambda row: _ms(row["duration_ms"])),
    ("SAID", lambda row: row["input_preview"][:40]),
]


def _line(row: Row) -> str:
    return "  ".join(str(tell(row)) for _, tell in _COLUMNS)


def _print_span(span: Row) -> None:
    tokens = span["tokens"]
    cost = f"cost {_cost(span['cost_nano'])}"
    click.echo(f"\n{span['name']}  {_end(span)}  {_ms(span['duration_ms'])}  {cost}")
    below = f"  below {span['parent_id']}" if span["parent_id"] else ""
    click.echo(f"  span {span['span_id']}{below}")
    click.echo(f"  {span['provider']} {span['target']}  attempt {span['attempt']}")
    click.echo(
        f"  tokens in {tokens['input']} out {tokens['output']} cached {tokens['cache_read']}"
        f"  TTFT {_ms(span['ttft_ms']) or 'none'}  finish {span['finish_reason'] or 'none'}"
    )
    _print_bill(span)
    if span["error_message"]:
        click.secho(f"  {span['error_message']}", fg="red")
    if span["stages_ms"]:
        click.echo("  " + "  ".join(f"{n} {_ms(ms)}" for n, ms in span["stages_ms"].items()))
    for name, preview in (("request", "input_preview"), ("response", "output_preview")):
        said = span.get(name) or span[preview]
        if said:
            click.echo(f"  {name}: {said}")


def _print_bill(span: Row) -> None:
    for line in span["bill"]:
        each = f"${line['unit_pico'] / 1e12:.12f}".rstrip("0")
        told = f"{line['bucket']}: {line['quantity']} at {each} is ${line['nano'] / 1e9:.9f}"
        click.echo(f"  {told}")
    if span["price_source"]:
        tier = f", tier {span['service_tier']}" if span["service_tier"] else ""
        click.echo(f"  price {span['price_id']} ({span['price_source']}{tier})")
    if span["saved_nano"]:
        cache = "the gateway's cache" if span["cache"] == "hit" else "the provider's cache"
        click.echo(f"  {cache} saved ${span['saved_nano'] / 1e9:.9f}")


def _write(lines: Iterator[Row], file: IO[str]) -> int:
    count = 0
    for count, line in enumerate(lines, 1):  # noqa: B007 - the last count is what is asked for
        file.write(json.dumps(line, ensure_ascii=False) + "\n")
    return count
