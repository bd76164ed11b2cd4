"""`stockpot guardrails calibrate`: a tenant's own threshold of a rail, and a model refitted to its
labels. Runs the rail here; the API keeps the result."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import click

from stockpot.core.client import Client
from stockpot.core.terminal import Number, json_option, print_json
from stockpot.guardrails.cli.measure import (
    FILE,
    calibration_of,
    check_rail,
    model_of,
    read_settings,
    share,
)
from stockpot.guardrails.cli.policies import API, project_option


@click.command()
@click.argument("rail")
@click.argument("file", type=FILE)
@click.option(
    "--max-fpr", type=Number(0, 0.5, min_open=True), default=0.01, show_default=True,
    help="The most harmless texts that may be found, as a share.",
)  # fmt: skip
@click.option("--refit", is_flag=True, help="Fit the model to the labels too.")
@click.option(
    "--guarantee", type=click.Choice(["confident", "average"]),
    help="With 95 % confidence, or on average. Without: the first where the texts suffice.",
)  # fmt: skip
@project_option
@click.option("--settings", help="The rail's settings, as JSON.")
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Keep it in a file only.",
)
@json_option
@click.pass_obj
def calibrate(
    client: Client,
    rail: str,
    file: Path,
    max_fpr: float,
    refit: bool,
    guarantee: str | None,
    project: str,
    settings: str | None,
    out: Path | None,
    as_json: bool,
) -> None:
    """Set a project's threshold of a rail by its own texts, and optionally refit the model.

    FILE holds a JSON object a line: {"text", "label": 0 or 1}. The threshold takes harmless texts
    alone (label 0), 99 at least for 1 %; a refit takes 20 of both. Recall and false positives
    before and after are told; those after are cross-fitted.

    \b
    Example:
      stockpot guardrails calibrate injection labelled.jsonl --max-fpr 0.01
      stockpot guardrails calibrate injection labelled.jsonl --refit \\
        --out calibration.json
    """
    from stockpot.guardrails.calibrating import calibrate as calibrated
    from stockpot.guardrails.rows import read_rows

    check_rail(rail)
    rows, chosen = read_rows(file), read_settings(settings)
    used = None if out else calibration_of(client, project, rail)
    made = calibrated(
        rail, rows, max_fpr=max_fpr, refit=refit, guarantee=guarantee,  # type: ignore[arg-type]
        settings=chosen, now=(used or {}).get("threshold"),
        now_model=model_of(used),
    )  # fmt: skip
    body: dict[str, Any] = {
        "rail": rail,
        "threshold": made.threshold,
        "model": base64.b64encode(made.model).decode() if made.model else None,
        "evidence": {**made.evidence, "file": file.name},
    }
    if out is not None:
        out.write_text(json.dumps(body, indent=2), "utf-8")
    else:
        client.put(f"{API}/calibrations", {**body, "project": project})
    told = {
        "rail": rail, "threshold": made.threshold, "refitted": made.evidence["refit"],
        "kept": str(out) if out else f"project {project}", **made.evidence,
    }  # fmt: skip
    if as_json:
        print_json(told)
    else:
        _show(told)


def _show(told: dict[str, Any]) -> None:
    click.echo(
        f"{told['rail']}: threshold {told['threshold']:.4f} by {told['positive']} texts to find "
        f"and {told['negative']} harmless ones, kept in {told['kept']}"
    )
    click.echo(f"  {told['promise']}")
    for name, title in (
        ("before", "before"),
        ("without_refit", "threshold alone"),
        ("with_refit", "with the refit"),
    ):
        if name in told:
            found = told[name]
            click.echo(f"  {title:16} recall {share(found['recall'])}")
            click.echo(f"  {'':16} false positives {share(found['fpr'])}")
    if "with_refit" in told and not told["refitted"]:
        click.echo("  The refit finds less: the model stays as it was.")
    if told["used_in_training"]:
        click.echo(
            f"  {told['used_in_training']} texts were used to train the shipped model: they were "
            "judged by models that had not seen them."
        )
