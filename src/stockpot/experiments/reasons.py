"""Why a winner takes a subject's place, in a sentence with the figures that decided. Pure."""

from __future__ import annotations

from typing import Any

from stockpot.experiments.models import Experiment

MOST_REASON = 1900


def reason_of(experiment: Experiment, figures: dict[str, Any]) -> str:
    """What the winner's figures were when it won, in a sentence that stands in revisions."""
    told = []
    for one in figures.get("metrics", ()):
        if one["arm"] != experiment.winner or one["role"] == "secondary":
            continue
        ends = (one["low"], one["high"])
        low, high = ("?" if end is None else f"{end:+.4g}" for end in ends)
        change = "?" if one["difference"] is None else f"{one['difference']:+.4g}"
        told.append(f"{one['metric']} {change} [{low}, {high}] ({one['role']}, {one['verdict']})")
    units = {one["arm"]: one["units"] for one in figures.get("arms", ())}
    of = f" with {units[experiment.winner]} units" if experiment.winner in units else ""
    words = "; ".join(told).replace("_", " ")
    text = f"{experiment.winner} won the experiment {experiment.name!r}{of}: {words}"
    return text.removesuffix(": ")[:MOST_REASON]
