"""`stockpot evals agreement`. Works on a file, without an instance."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from stockpot.core.terminal import Number, json_option, printed, show


@click.command("agreement")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--reference", default="", metavar="RATER", help="Hold the others against this one.")
@click.option("--level", type=click.Choice(["nominal", "ordinal", "interval"]),
              help="The labels' scale; without it numbers are ordinal, texts nominal.")  # fmt: skip
@click.option(
    "--order", default="", metavar="WORST,...,BEST", help="Labels that are texts, ranked."
)
@click.option("--confidence", type=Number(0.5, 0.9999), default=0.95, show_default=True)
@json_option
def agreement(
    file: Path, reference: str, level: Any, order: str, confidence: float, as_json: bool
) -> None:
    """Say how far raters agree: accuracy, kappa and alpha, each with its interval, per slice.

    FILE has a JSON object a line: {"item", "rater", "label", "slice"}. The reference is the rater
    of --reference, else the one called gold, human, reference, truth or expert, else the first of
    the file. A label of null is missing; ratings may be missing altogether.

    \b
    Example:
      stockpot eval agreement ratings.jsonl --reference human --json
    """
    from stockpot.evals.judges.agreement import read_ratings, report

    ranked = [label.strip() for label in order.split(",") if label.strip()]
    told = report(
        read_ratings(file), reference=reference, level=level, order=ranked, confidence=confidence
    )
    if printed(told, as_json=as_json):
        return
    _show(told)


def _show(told: dict[str, Any]) -> None:
    click.echo(
        f"{told['rows']} ratings of {told['items']} items by {len(told['raters'])} raters, "
        f"{told['missing']} missing; labels are {told['level']}."
    )
    click.echo(f"Reference: {told['reference']} ({told['reference_rule']}).")
    rows: list[dict[str, Any]] = [{"who": "all", "slice": "", **told}]
    rows += [{"who": one["rater"], "slice": "", **one} for one in told["by_rater"]]
    rows += [{"who": "all", **one} for one in told["slices"]]
    show(
        rows,
        (
            ("RATER", lambda r: r["who"]),
            ("SLICE", lambda r: r["slice"]),
            ("ACCURACY", lambda r: _figure(r["accuracy"])),
            ("KAPPA", lambda r: _figure(r["kappa"])),
            ("ALPHA", lambda r: _figure(r.get("alpha"))),
        ),
        as_json=False,
        empty="No two raters rated the same item.",
    )


def _figure(found: dict[str, Any] | None) -> str:
    if found is None or found["value"] is None:
        return "-"
    ends = "" if found["low"] is None else f" [{found['low']:.3f}, {found['high']:.3f}]"
    return f"{found['value']:.3f}{ends} n={found['n']}"
