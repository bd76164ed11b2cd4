"""`stockpot bench`: measuring this machine and this product, with one command."""

from __future__ import annotations

import json

import click

from stockpot.bench.gateway import measure, table
from stockpot.core.terminal import print_json


@click.group()
def bench() -> None:
    """Measure the product on this machine. Loads go to loopback only.

    \b
    Example:
      stockpot bench gateway --json
    """


@bench.command()
@click.option("--json", "as_json", is_flag=True, help="Print the figures as one JSON object.")
@click.option("--seconds", default=9.0, show_default=True, help="Time of the main measurement.")
@click.option("--soak", default=200_000, show_default=True, help="Requests of the memory soak.")
@click.option("--kills", default=20, show_default=True, help="SIGKILLs of each process.")
@click.option("--quick", is_flag=True, help="A short run: a smaller soak and fewer kills.")
def gateway(as_json: bool, seconds: float, soak: int, kills: int, quick: bool) -> None:
    """Measure the gateway: CPU, added latency, streams, memory, records lost.

    Everything is on: key, limiters, fallback route, price, payloads in full. Figures depend on the
    machine; compare ratios and CPU time.

    \b
    Example:
      stockpot bench gateway --quick
    """
    if quick:
        seconds, soak, kills = min(seconds, 3.0), min(soak, 20_000), min(kills, 3)
    found = measure(
        seconds=seconds,
        soak_requests=soak,
        kills=kills,
        say=lambda text: click.echo(text, err=True),
    )
    if as_json:
        click.echo(json.dumps(found))
        return
    click.echo("\n".join(table(found)))
    print_json(found)
