"""`stockpot projects`: list, create, change."""

from __future__ import annotations

from typing import Any

import click

from stockpot.catalog.cli.choices import budget_of, governed, governing, staying
from stockpot.core.client import Client
from stockpot.core.terminal import json_option, say, show

_API = "/api/v1/projects"
_ABOUT = (
    click.option("--owner", help="Who answers for it."),
    click.option("--description", help="What it is for."),
    click.option("--archetype", type=click.Choice(["prompt", "rag", "fine-tune", "agent"])),
    click.option("--domain", help="The field of business."),
    click.option("--stage", type=click.Choice(["crawl", "walk", "run"])),
    click.option("--risk-tier", type=click.Choice(["low", "medium", "high"])),
    click.option("--target-metric", help="What tells whether it works."),
)


def _about(command: Any) -> Any:
    for option in reversed(_ABOUT):
        command = option(command)
    return command


@click.group()
def projects() -> None:
    """Manage projects: a project is a use case, with its limits and its budget.

    \b
    Example:
      stockpot projects create menu-descriptions --owner ana --budget 50
    """


@projects.command("list")
@json_option
@click.pass_obj
def list_(client: Client, as_json: bool) -> None:
    """List projects.

    \b
    Example:
      stockpot projects list --json
    """
    show(
        client.get(_API),
        (
            ("NAME", lambda p: p["name"]),
            ("OWNER", lambda p: p["owner"] or "-"),
            ("ARCHETYPE", lambda p: p["archetype"]),
            ("STAGE", lambda p: p["stage"]),
            ("RISK", lambda p: p["risk_tier"]),
            ("PAYLOADS", lambda p: p["payloads"]),
            ("SPENT", budget_of),
        ),
        as_json=as_json,
        empty="No projects yet. Make one:  stockpot projects create my-project",
    )


@projects.command("create")
@click.argument("name")
@_about
@governed
@json_option
@click.pass_obj
def create(client: Client, /, name: str, as_json: bool, **given: Any) -> None:
    """Create a project with the environments dev, staging and production.

    \b
    Example:
      stockpot projects create menu-descriptions --owner ana --stage walk \\
        --budget 50
    """
    fields = governing(given)
    chosen = {k: v for k, v in given.items() if v is not None}
    made = client.post(_API, {"name": name, **chosen, **fields})
    say(made, f"created the project {name}", as_json=as_json)


@projects.command("change")
@click.argument("name")
@_about
@governed
@json_option
@click.pass_context
def change(context: click.Context, /, name: str, as_json: bool, **given: Any) -> None:
    """Change what is given of a project.

    \b
    Example:
      stockpot projects change default --payloads masked --rpm 1000
    """
    client: Client = context.obj
    fields = governing(given)
    chosen = {k: v for k, v in given.items() if v is not None}
    found = next((p for p in client.get(_API) if p["name"] == name), None)
    if found is not None:
        fields = staying(fields, found, context)
    made = client.patch(f"{_API}/{name}", {**chosen, **fields})
    say(made, f"changed the project {name}", as_json=as_json)
