"""`stockpot import`: another gateway's configuration as a plan. Knows the API's paths."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import click

from stockpot.core.client import Client
from stockpot.core.terminal import json_option, print_json, read_file

CHANGES = 2


@click.group("import")
def import_() -> None:
    """Take over the configuration of another gateway, as a plan.

    \b
    Example:
      stockpot import litellm config.yaml
    """


@import_.command("litellm")
@click.argument("config", type=click.Path())
@click.option("-o", "--output", type=click.Path(dir_okay=False), help="Write a file to apply.")
@click.option("--calls", type=int, default=0, show_default=True, help="Recorded calls to rehearse.")
@json_option
@click.pass_context
def litellm(ctx: click.Context, config: str, output: str | None, calls: int, as_json: bool) -> None:
    """Show what a LiteLLM proxy's file would become here, and what of it cannot be mapped; exit
    code 2 when something would change.

    Write it with -o, look at it, and release it with `stockpot apply FILE --partial`.

    \b
    Example:
      stockpot import litellm config.yaml
      stockpot import litellm config.yaml -o stockpot.toml
    """
    from stockpot.catalog.litellm import translated
    from stockpot.revisions import written

    client: Client = ctx.obj
    found = translated(read_file(config))
    present = tomllib.loads(client.get("/api/v1/export")["toml"])
    definitions = {s: _completed(s, e, present) for s, e in found.definitions.items()}
    text = written(definitions)
    plan = client.post("/api/v1/plan", {"toml": text, "partial": True, "calls": calls})
    if output is not None:
        Path(output).write_text(text, "utf-8")
    if as_json:
        told = {"unmapped": found.unmapped, "remarks": found.remarks}
        lists = {name: [finding._asdict() for finding in rows] for name, rows in told.items()}
        print_json({"toml": text, "plan": plan, **lists})
    else:
        _print(plan, found.remarks, found.unmapped, output)
    ctx.exit(CHANGES if plan["changes"] and output is None else 0)


def _completed(
    section: str, entries: dict[str, dict[str, Any]], present: dict[str, Any]
) -> dict[str, dict[str, Any]]:
    """A project that is there keeps what the import says nothing about."""
    if section != "projects":
        return entries
    there = present.get(section, {})
    return {name: {**there.get(name, {}), **fields} for name, fields in entries.items()}


def _print(plan: dict[str, Any], remarks: Any, unmapped: Any, output: str | None) -> None:
    click.echo(plan["text"])
    for title, rows in (("remarks", remarks), ("not mapped", unmapped)):
        if rows:
            click.echo(f"\n{title}:")
            for row in rows:
                click.echo(f"  {row.path}: {row.reason}")
    if output is not None:
        click.echo(f"\nwrote {output}; release it:  stockpot apply {output} --partial")
