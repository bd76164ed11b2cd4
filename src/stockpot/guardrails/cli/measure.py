"""`stockpot guardrails measure`: how good a rail is on labelled texts. Runs the rail here."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import click

from stockpot.core.client import Client
from stockpot.core.errors import InvalidInput, did_you_mean
from stockpot.core.terminal import Number, json_option, print_json, read_file, show
from stockpot.guardrails.cli.policies import API, project_option

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


def check_rail(rail: str) -> None:
    """Raises InvalidInput for a rail that does not run here."""
    from stockpot.rails import kinds, presidio

    known = [kind for kind in kinds() if kind != "model"]
    if rail == "model":
        raise InvalidInput(
            f"a chat model is asked through the gateway; this measures: {', '.join(known)}"
        )
    if rail == "presidio" and presidio.absent():
        raise InvalidInput(presidio.absent())
    if rail not in known:
        raise InvalidInput(
            f"there is no rail {rail!r}.{did_you_mean(rail, known)}",
            hint=f"rails: {', '.join(known)}",
        )


def read_settings(told: str | None) -> dict[str, Any]:
    """The rail's settings as JSON."""
    try:
        found = json.loads(told) if told else {}
    except json.JSONDecodeError as error:
        raise InvalidInput(f"--settings is no JSON: {error.msg}") from None
    if not isinstance(found, dict):
        raise InvalidInput("--settings must be a JSON object", hint="--settings '{\"types\": []}'")
    return found


def calibration_of(client: Client, project: str, rail: str) -> dict[str, Any] | None:
    """What is in force for a project: threshold and model; None for the shipped ones."""
    from stockpot.core.config import load
    from stockpot.core.instance import Instance

    settings = load()
    if not settings.control_url and not Instance(settings.home).control_db.exists():
        return None  # measuring a file makes no instance
    known = client.get(f"{API}/calibrations", project=project)
    if not any(one["rail"] == rail for one in known):
        return None
    found: dict[str, Any] = client.get(f"{API}/calibrations/{rail}", project=project)
    return found


def model_of(calibration: dict[str, Any] | None) -> bytes | None:
    """The fitted model of a calibration, None for the shipped one."""
    told = (calibration or {}).get("model")
    return base64.b64decode(told) if told else None


def read_calibration(path: Path, rail: str) -> dict[str, Any]:
    """What `stockpot guardrails calibrate --out` wrote."""
    try:
        found = json.loads(read_file(path))
        kind, threshold = found["rail"], found["threshold"]
    except (ValueError, KeyError, TypeError):
        raise InvalidInput(
            f"{path.name} holds no calibration",
            hint="stockpot guardrails calibrate RAIL FILE --out FILE writes one",
        ) from None
    if kind != rail or not isinstance(threshold, int | float):
        raise InvalidInput(f"{path.name} is a calibration of {kind!r}, not of {rail!r}")
    assert isinstance(found, dict)
    return found


@click.command()
@click.argument("rail")
@click.argument("file", type=FILE)
@project_option
@click.option("--calibration", type=FILE, help="Of this file, instead of the project's.")
@click.option("--shipped", is_flag=True, help="As it comes, whatever the project calibrated.")
@click.option("--held-out", is_flag=True, help="By the model trained without the sets it is for.")
@click.option("--threshold", type=Number(0, 1), help="The least score that counts.")
@click.option("--settings", help="The rail's settings, as JSON.")
@json_option
@click.pass_obj
def measure(
    client: Client,
    rail: str,
    file: Path,
    project: str,
    calibration: Path | None,
    shipped: bool,
    held_out: bool,
    threshold: float | None,
    settings: str | None,
    as_json: bool,
) -> None:
    """Measure a rail on labelled texts: recall and false positives with 95 % intervals, and time.

    FILE holds a JSON object a line: {"text", "label": 0 or 1} or {"text", "spans": [{"type",
    "start", "end"}]}. A project's calibration is used where there is one.

    \b
    Example:
      stockpot guardrails measure injection labelled.jsonl
      stockpot guardrails measure pii marked.jsonl --json
    """
    from stockpot.guardrails.measuring import NGRAM
    from stockpot.guardrails.measuring import measure as measured
    from stockpot.guardrails.rows import read_rows
    from stockpot.rails.grams import shipped as shipped_model

    check_rail(rail)
    if held_out and rail not in NGRAM:
        raise InvalidInput(f"the rail {rail!r} was not trained: nothing is held out")
    rows, told = read_rows(file), read_settings(settings)
    used: dict[str, Any] | None = None
    if calibration is not None:
        used = read_calibration(calibration, rail)
    elif not shipped and not held_out:
        used = calibration_of(client, project, rail)
    model = shipped_model(f"{rail}.heldout") if held_out else model_of(used)
    least = threshold if threshold is not None else (used or {}).get("threshold")
    rates = measured(rail, rows, settings=told, threshold=least, model=model).told()
    rates["calibration"] = calibration.name if calibration else project if used else None
    if as_json:
        print_json(rates)
    else:
        show_rates(rates)


def show_rates(rates: dict[str, Any]) -> None:
    """For people: the figures, then by type."""
    counts = ", ".join(f"{n} {name.replace('_', ' ')}" for name, n in rates["counts"].items())
    least = rates["threshold"]
    at = f" at threshold {least:.4f}" if isinstance(least, float) and least else ""
    whose = f", calibrated ({rates['calibration']})" if rates["calibration"] else ""
    click.echo(f"{rates['rail']}{at}{whose}: {rates['rows']} rows")
    click.echo(f"  {counts}")
    for name in ("recall", "recall_type_ignored", "recall_all_types", "fpr"):
        if name in rates:
            title = "false positives" if name == "fpr" else name.replace("_", " ")
            click.echo(f"  {title:20} {share(rates[name])}")
    click.echo(f"  {'time of a text':20} p50 {rates['ms']['p50']} ms, p95 {rates['ms']['p95']} ms")
    for warning in rates["warnings"]:
        click.secho(f"  ! {warning}", fg="yellow")
    show(
        [{"type": kind, **told} for kind, told in rates["by_type"].items()],
        (
            ("TYPE", lambda r: r["type"] + ("" if r.get("covered", True) else " (not sought)")),
            ("RECALL", lambda r: share(r["recall"]) if "recall" in r else "-"),
            ("FINDINGS", lambda r: r.get("findings", "")),
        ),
        as_json=False,
        empty="",
    )


def share(rate: dict[str, Any] | None) -> str:
    """A rate with its interval."""
    if rate is None:
        return "none to count"
    return (
        f"{rate['value']:.1%} [{rate['low']:.1%}, {rate['high']:.1%}]  "
        f"{rate['found']} of {rate['n']}"
    )
