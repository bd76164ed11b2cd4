"""Accepting that a model is another than it was. Pure, and light enough for the control plane."""

from __future__ import annotations

from typing import Any

from stockpot.core.errors import Conflict
from stockpot.monitors import Outcome


def rebased(state: dict[str, Any]) -> Outcome:
    """What a canary knows once its newest answers are its reference, in the place of the old."""
    latest = state.get("latest")
    if not latest:
        raise Conflict(
            "this canary has no answers yet that could be accepted", hint="stockpot canaries run"
        )
    answers = latest["answers"]
    words = f"accepted: the answers to {len(answers)} prompts are the new reference"
    return Outcome(
        words, {"reference": True, "accepted": latest["run"]}, alarm=False,
        samples=sum(map(len, answers)),
        state={**state, "runs": [answers], "accepted": latest["run"]},
    )  # fmt: skip
