"""`stockpot traces forecast`."""

from __future__ import annotations

import click

from stockpot.core.client import Client
from stockpot.core.dollars import dollars
from stockpot.core.terminal import json_option, printed


@click.command()
@click.option("--project", help="Only of this project.")
@click.option("--environment", help="Only of this environment.")
@click.option("--key", "key_id", help="Only of this key (its id).")
@click.option("--model", help="Only of calls that led to this model.")
@click.option("--provider", help="Only of calls that this provider served.")
@json_option
@click.pass_obj
def forecast(client: Client, /, as_json: bool, **where: str | None) -> None:
    """Tell what this month will have cost at its end, with an interval.

    It is told from the whole days of the last four weeks, by weekday once there are three of them;
    a month is one of UTC.

    \b
    Example:
      stockpot traces forecast --project menu
    """
    found = client.get("/api/v1/spending/forecast", **where)
    if printed(found, as_json=as_json):
        return
    click.echo(f"{found['month']}: {dollars(found['spent_nano'])} spent so far")
    if found["forecast_nano"] is None:
        click.secho(found["note"], fg="yellow")
    else:
        low, high = dollars(found["low_nano"]), dollars(found["high_nano"])
        click.echo(
            f"by its end {dollars(found['forecast_nano'])}, with {found['confidence']:.0%} between "
            f"{low} and {high} ({found['method']}, {found['days']} days)"
        )
    if found["unpriced"]:
        click.secho(f"{found['unpriced']} calls of unknown cost are not in it", fg="yellow")
