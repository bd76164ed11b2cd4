"""`stockpot traces`: the verbs of the span log on a terminal. All but `verify` ask the API."""

from __future__ import annotations

import click

from stockpot.traces.cli import again, keeping, log, shape, spend, subjects


@click.group()
def traces() -> None:
    """List, show, follow, export and verify traces.

    \b
    Example:
      stockpot traces list --limit 5
      stockpot traces tail --status error
    """


for _command in (
    log.list_, log.show_, log.tail, log.export, log.verify,
    again.renormalise, keeping.retention, keeping.erase, keeping.reprice,
    subjects.sessions, subjects.users, subjects.tags, shape.diff, shape.changes,
    spend.forecast,
):  # fmt: skip
    traces.add_command(_command)
