"""The options of a filter over spans, as commands share them."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import click

from stockpot.core.client import Client
from stockpot.core.durations import milliseconds
from stockpot.core.terminal import Number, amount

Row = dict[str, Any]
Command = Callable[..., Any]

_STATUSES = click.Choice(["ok", "error", "interrupted", "refused"])
_KINDS = click.Choice(
    ["llm", "embedding", "retriever", "reranker", "tool", "agent", "workflow", "guardrail",
     "evaluator", "span"]
)  # fmt: skip
_FILTERS = (
    click.option("--project", help="Only of this project."),
    click.option("--environment", help="Only of this environment."),
    click.option("--model", help="Only calls that led to this model."),
    click.option("--asked-for", "requested_model", help="Only calls that asked for this name."),
    click.option("--provider", help="Only calls that this provider served."),
    click.option("--key", "key_id", help="Only calls with this key (its id)."),
    click.option("--status", type=_STATUSES, help="How the call ended."),
    click.option("--failed", is_flag=True, default=None, help="Only calls that did not end ok."),
    click.option("--error", help="Only this class of error."),
    click.option("--unpriced", is_flag=True, default=None, help="Only calls of unknown cost."),
    click.option("--kind", type=_KINDS, metavar="KIND",
                 help=f"What kind of span: {', '.join(_KINDS.choices)}."),
    click.option("--user", help="Only of this end user."),
    click.option("--session", help="Only of this session."),
    click.option("--tag", help="Only with this tag."),
    click.option("--prompt", "prompt_name", help="Only calls that used this prompt."),
    click.option("--prompt-version", help="Only calls that used this version of it."),
    click.option("--service", help="Only of this service."),
    click.option("--release", help="Only of this release of it."),
    click.option("--agent", help="Only traces in which this agent worked."),
    click.option("--tool", help="Only traces in which this tool was called."),
    click.option("--dataset-run", help="Only of this run over a data set."),
    click.option("--experiment", help="Only calls that this experiment counts."),
    click.option("--variant", help="Only those of this arm of it."),
    click.option("--unit", help="Only those of this unit of it, as reports name it."),
    click.option("--search", "q", help="Words, \"phrases\", begin*, -without; in what was said."),
    click.option("--last", "last_ms", type=milliseconds, metavar="DURATION",
                 help="Only the last 30m, 12h, 7d ..."),
    click.option("--min-cost", "min_cost_usd", type=amount, metavar="DOLLARS",
                 help="At least so much."),
    click.option("--min-ms", "min_duration_ms", type=Number(0),
                 help="At least so many milliseconds."),
    click.option("--id", "trace_prefix", help="Only ids that begin so."),
)  # fmt: skip


def filtered(command: Command) -> Command:
    """Give a command the options of a filter, as one dictionary of query parameters."""

    def collect(client: Client, /, **options: Any) -> Any:
        filters = {name: options.pop(name) for name in _NAMES}
        last, usd = filters.pop("last_ms"), filters.pop("min_cost_usd")
        if last is not None:
            filters["from_ms"] = time.time() * 1000 - last
        if usd is not None:
            filters["min_cost_nano"] = round(usd * 1e9)
        return command(client, filters=filters, **options)

    collect.__doc__ = command.__doc__
    collect.__name__ = command.__name__
    decorated: Command = collect
    for option in reversed(_FILTERS):
        decorated = option(decorated)
    return decorated


_NAMES = (
    "project", "environment", "model", "requested_model", "provider", "key_id", "status", "failed",
    "error", "unpriced", "kind", "user", "session", "tag", "prompt_name", "prompt_version",
    "service", "release", "agent", "tool", "dataset_run", "experiment", "variant", "unit", "q",
    "last_ms", "min_cost_usd", "min_duration_ms", "trace_prefix",
)  # fmt: skip
