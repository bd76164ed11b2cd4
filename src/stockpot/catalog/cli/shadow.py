"""`stockpot aliases shadow`: a candidate on copies of a route's calls against what served them."""

from __future__ import annotations

import time
from typing import Any

import click

from stockpot.core.client import Client
from stockpot.core.durations import milliseconds
from stockpot.core.errors import InvalidInput
from stockpot.core.terminal import json_option, print_json, show, when

_API = "/api/v1/traces/shadow"
_WHAT = {
    "errors": "errors", "latency_p50": "latency, median", "latency_p95": "latency, p95",
    "ttft_p50": "first token, median", "ttft_p95": "first token, p95",
    "input_tokens": "input tokens", "output_tokens": "output tokens", "cost": "cost a call",
    "answer_length": "characters", "refusals": "refusals (English)",
}  # fmt: skip
_SHOWN = 160


@click.command()
@click.argument("name")
@click.option(
    "--last",
    "last_ms",
    type=milliseconds,
    default="1d",
    metavar="DURATION",
    show_default=True,
    help="The last 1h, 1d, 7d ...",
)
@click.option(
    "--candidate",
    metavar="PROVIDER/MODEL",
    help="Of several, this one. [default: the one with the newest copy]",
)
@click.option("--project", help="Only of this project.")
@click.option("--environment", help="Only of this environment.")
@click.option(
    "--pairs",
    type=click.IntRange(0, 100),
    default=0,
    metavar="N",
    help="Also show the newest N pairs, with both answers.",
)
@click.option(
    "--only",
    type=click.Choice(["all", "different", "failed"]),
    default="different",
    show_default=True,
    help="Which pairs to show.",
)
@json_option
@click.pass_obj
def shadow(
    client: Client, /, name: str, last_ms: float, candidate: str | None, pairs: int, only: str,
    as_json: bool, **where: str | None,
) -> None:  # fmt: skip
    """Compare shadow traffic with the calls it is copied from.

    \b
    Example:
      stockpot aliases shadow support --last 7d --pairs 5
    """
    now = time.time() * 1000
    asked = {"route": name, "from_ms": now - last_ms, "to_ms": now, **where, **_of(candidate)}
    found = client.get(_API, **asked)
    chosen = found["candidate"]
    listed: list[dict[str, Any]] = []
    if pairs and chosen is not None:
        asked |= {"provider": chosen["provider"], "model": chosen["model"]}
        listed = client.get(f"{_API}/pairs", **asked, only=only, limit=pairs)["items"]
    if as_json:
        print_json({**found, "items": listed} if pairs else found)
    elif chosen is None:
        click.echo(
            f"No call of {name} was copied in that time. To send copies of one call in ten, add "
            f"--shadow PROVIDER/MODEL=0.1 to:  stockpot aliases set {name} ..."
        )
    else:
        _told(found)
        for pair in listed:
            _pair(pair)


def _of(candidate: str | None) -> dict[str, str]:
    if candidate is None:
        return {}
    provider, slash, model = candidate.partition("/")
    if not slash or not model:
        raise InvalidInput(f"{candidate!r} is no target", hint="--candidate PROVIDER/MODEL")
    return {"provider": provider, "model": model}


def _told(found: dict[str, Any]) -> None:
    chosen = found["candidate"]
    of = f"all {found['pairs']} pairs"
    if found["pairs"] < chosen["paired"]:
        of = f"the newest {found['pairs']} of {chosen['paired']} pairs, since "
        of += when(found["since_ms"])
    click.echo(
        f"{chosen['provider']}/{chosen['model']} on {chosen['copies']} copies; compared: {of}; "
        f"{found['answers']} of them with both answers"
    )
    show(
        found["figures"],
        (
            ("", lambda f: _WHAT.get(f["what"], f["what"])),
            ("SERVED", lambda f: _value(f["unit"], f["base"])),
            ("CANDIDATE", lambda f: _value(f["unit"], f["candidate"])),
            ("DIFFERENCE", lambda f: _value(f["unit"], f["difference"], "+")),
            ("95 % INTERVAL", _interval),
            ("PAIRS", lambda f: f["n"]),
        ),
        as_json=False,
        empty="No copy has its call in the log.",
    )
    for share in found["shares"]:
        what = "same answer" if share["what"] == "identical" else "other finish reason"
        low, high = (_value("share", share[end]) for end in ("low", "high"))
        click.echo(f"{what}: {_value('share', share['value'])} of {share['n']} ({low} to {high})")
    for finish in found["finishes"]:
        if finish["base"] != finish["candidate"]:
            ends = " -> ".join(finish[side] or "(none)" for side in ("base", "candidate"))
            click.echo(f"  {ends}: {finish['pairs']}")
    for other in found["candidates"]:
        if other == chosen:
            continue
        click.echo(f"also copied to {other['provider']}/{other['model']}: {other['copies']}")


def _interval(figure: dict[str, Any]) -> str:
    if figure["low"] is None or figure["high"] is None:
        return "not known"
    return " to ".join(_value(figure["unit"], figure[end], "+") for end in ("low", "high"))


def _value(unit: str, value: float, sign: str = "") -> str:
    if unit == "share":
        return f"{value:{sign}.1%}"
    if unit == "nano":
        return f"{'-' if value < 0 else sign}${abs(value) / 1e9:.6f}"
    return f"{value:{sign}.1f}{' ms' if unit == 'ms' else ''}"


def _pair(pair: dict[str, Any]) -> None:
    click.echo(f"\n{pair['base']['trace_id']}  {_short(pair['asked'])}")
    for side, told in (("served", pair["base"]), ("candidate", pair["candidate"])):
        said = told["error_message"] or told["error"] if told["status"] != "ok" else told["answer"]
        said = "(not kept)" if said is None else _short(said)
        click.echo(f"  {side:9} {told['span_id']}  {told['duration_ms']:.0f} ms  {said}")


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _SHOWN else line[: _SHOWN - 1] + "\u2026"
