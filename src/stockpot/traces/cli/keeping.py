"""`stockpot traces retention | erase | reprice`."""

from __future__ import annotations

import json
import time
from typing import Any

import click

from stockpot.core.client import Client
from stockpot.core.dollars import dollars
from stockpot.core.durations import milliseconds
from stockpot.core.terminal import NUMBER, Number, amount, json_option, printed
from stockpot.traces.cli.again import moment


@click.command()
@click.argument("project")
@click.option("--span-days", type=click.IntRange(1), help="Days that spans stay.")
@click.option("--payload-days", type=click.IntRange(1), help="Days that payloads stay.")
@click.option(
    "--sample",
    "rate",
    type=Number(0, 1, min_open=True),
    help="Share of the usual traces to keep.",
)
@click.option("--keep-slower-ms", type=NUMBER, help="Keep traces that took so long.")
@click.option(
    "--keep-dearer", type=amount, metavar="DOLLARS", help="Keep traces that cost so many dollars."
)
@click.option(
    "--drop",
    type=click.Choice(["payloads", "spans"]),
    default="payloads",
    show_default=True,
    help="What the others lose.",
)
@click.option("--forever", is_flag=True, help="Keep everything again from now on.")
@json_option
@click.pass_obj
def retention(client: Client, /, project: str, as_json: bool, **wanted: Any) -> None:
    """Show or set what a project keeps of its traces; sums over them always stay.

    \b
    Example:
      stockpot traces retention default --span-days 90 --payload-days 30
      stockpot traces retention default --sample 0.1 --keep-slower-ms 5000 \\
        --drop spans
    """
    path = f"/api/v1/projects/{project}/retention"
    policy = client.get(path)
    if wanted["forever"]:
        policy = client.put(path, {})
    elif any(wanted[name] is not None for name in ("span_days", "payload_days", "rate")):
        policy |= {n: wanted[n] for n in ("span_days", "payload_days") if wanted[n] is not None}
        if wanted["rate"] is not None:
            dearer = wanted["keep_dearer"]
            policy["sampling"] = {
                "rate": wanted["rate"], "keep_slower_ms": wanted["keep_slower_ms"],
                "keep_dearer_nano": None if dearer is None else round(dearer * 1e9),
                "drops": wanted["drop"],
            }  # fmt: skip
        policy = client.put(path, policy)
    if printed(policy, as_json=as_json):
        return
    for name in ("span_days", "payload_days"):
        click.echo(f"{name.replace('_', ' '):14} {policy[name] or 'for ever'}")
    sampling = policy["sampling"]
    click.echo(f"{'sampling':14} {json.dumps(sampling) if sampling else 'none'}")


@click.command()
@click.option("--user", required=True, help="The end user to forget.")
@click.option("--project", help="Only in this project.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.pass_obj
def erase(client: Client, user: str, project: str | None, yes: bool) -> None:
    """Forget what an end user said, and who it was; sums stay.

    Rows of data sets that were made from it, and runs on them, keep hashes and figures and lose
    what they say.

    \b
    Example:
      stockpot traces erase --user u-4711 --yes
    """
    if not yes:
        click.confirm(f"Forget everything that {user!r} said? It does not come back", abort=True)
    done = client.post("/api/v1/traces/erase", {"user": user, "project": project})
    click.echo(
        f"{done['traces']} traces, {done['spans']} spans, {done['scores']} scores, "
        f"{done['rows']} rows of data sets, {done['results']} results and {done['calls']} calls of "
        "evaluations forgotten"
    )


@click.command()
@click.option(
    "--last", "last_ms", type=milliseconds, metavar="DURATION", help="The last 30m, 12h, 7d ..."
)
@click.option(
    "--from", "from_ms", type=moment, metavar="TIME",
    help="From when on: a date (UTC), a time, or how long ago, such as 7d.",
)  # fmt: skip
@click.option("--to", "to_ms", type=moment, metavar="TIME", help="Up to when; now if not said.")
@click.option("--model", help="Only calls that led to this model.")
@click.option("--project", help="Only of this project.")
@click.option("--apply", is_flag=True, help="Write it; else only tell.")
@json_option
@click.pass_obj
def reprice(
    client: Client, /, last_ms: float | None, from_ms: int | None, to_ms: int | None,
    as_json: bool, **wanted: Any,
) -> None:  # fmt: skip
    """Price calls again with the prices in force for their time, and correct every sum.

    A cost that its sender told stays as it was told.

    \b
    Example:
      stockpot traces reprice --last 30d --model gpt-4o-mini
      stockpot traces reprice --from 2026-09-01 --to 2026-10-01 \\
        --model gpt-4o-mini --apply
    """
    if (last_ms is None) == (from_ms is None):
        raise click.UsageError("say either --last or --from, so that it is known which calls")
    if last_ms is not None and to_ms is not None:
        raise click.UsageError("--to goes with --from; --last ends now")
    now = time.time() * 1000
    start = float(from_ms or 0) if last_ms is None else max(0.0, now - last_ms)
    body = {"from_ms": start, "to_ms": now if to_ms is None else to_ms, **wanted}
    done = client.post("/api/v1/traces/reprice", body)
    if printed(done, as_json=as_json):
        return
    word = "corrected" if done["applied"] else "would be corrected (--apply does it)"
    click.echo(f"{done['changed']} of {done['spans']} calls {word}")
    for when in ("before", "after"):
        cost, unknown = dollars(done[f"{when}_nano"]), done[f"unpriced_{when}"]
        click.echo(f"{when:6} {cost}, {unknown} of unknown price")
