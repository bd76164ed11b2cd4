"""`stockpot rightsize plan`, `apply` and `savings`: from a verdict to a change, and its worth."""

from __future__ import annotations

import click

from stockpot.core.client import Client
from stockpot.core.terminal import Number, json_option, printed
from stockpot.pipelines.rightsize.cli.running import API
from stockpot.pipelines.rightsize.cli.showing import show_savings


@click.command("plan")
@click.argument("run_id", metavar="RUN")
@click.option("--candidate", default="", help="Instead of the cheapest that passes.")
@json_option
@click.pass_obj
def plan(client: Client, run_id: str, candidate: str, as_json: bool) -> None:
    """Show what moving the alias to the candidate would change. Changes nothing.

    \b
    Example:
      stockpot rightsize plan size_0a1b2c3d4e5f6g7h8j9k
    """
    told = client.post(f"{API}/runs/{run_id}/plan", {"candidate": candidate})
    if printed(told, as_json=as_json):
        return
    click.echo(told["text"])
    click.echo(f"\nBegin it with a share of the traffic:  stockpot rightsize apply {run_id}")


@click.command("apply")
@click.argument("run_id", metavar="RUN")
@click.option("--candidate", default="", help="Instead of the cheapest that passes.")
@click.option("--share", type=Number(0, 1, min_open=True, max_open=True), default=0.1,
              show_default=True, help="The candidate's part of the traffic.")  # fmt: skip
@click.option("--unit", default="", help="Whose calls stay together: user, session, key, ...")
@click.option("--score", "scores", multiple=True, help="A score that has to hold, too.")
@click.option("--override", default="", help="Why it may go on although it did not pass.")
@json_option
@click.pass_obj
def apply(
    client: Client, /, run_id: str, candidate: str, share: float, unit: str,
    scores: tuple[str, ...], override: str, as_json: bool,
) -> None:  # fmt: skip
    """Give the candidate a share of the traffic, as an experiment with guardrails.

    Errors, latency and the scores named roll it back by themselves when they are surely worse. A
    candidate that did not pass is refused, and so is one whose judge has no certificate, unless
    --override says why.

    \b
    Example:
      stockpot rightsize apply size_0a1b2c3d4e5f6g7h8j9k --share 0.1
    """
    asked = {"candidate": candidate, "share": share, "unit": unit, "scores": list(scores),
             "override": override}  # fmt: skip
    made = client.post(f"{API}/runs/{run_id}/apply", asked)
    if printed(made, as_json=as_json):
        return
    click.echo(
        f"{made['candidate']} takes {made['share']:.0%} of {made['alias']} in the experiment "
        f"{made['experiment']}.  (stockpot experiments show {made['experiment']})"
    )


@click.command("savings")
@click.argument("project", default="default")
@json_option
@click.pass_obj
def savings(client: Client, project: str, as_json: bool) -> None:
    """Show what right-sizing saved in a project, against what the baseline would have cost.

    \b
    Example:
      stockpot rightsize savings menu
    """
    told = client.get(f"{API}/savings", project=project)
    if not printed(told, as_json=as_json):
        show_savings(told)


COMMANDS = (plan, apply, savings)
