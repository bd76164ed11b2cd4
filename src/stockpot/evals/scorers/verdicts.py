"""Verdicts that were given before, taken as they stand. Knows rows; knows no judge.

A verdict belongs to one answer to one row: it is found by the answer's own text, or by its SHA-256
where the text is not ours to keep. An answer that nobody judged has no score and says so.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any, ClassVar

from stockpot.evals.models import Verdict
from stockpot.evals.scorers.base import Case, Scorer, at_path


class RecordedVerdict(Scorer):
    """The score that a judge once gave to this very answer: the row's metadata hold a list of
    `{"answer" or "sha256", "score", "reason"}`."""

    name, returns = "recorded", "number"
    OPTIONS: ClassVar[dict[str, str]] = {
               "at": "path into the row's metadata where the verdicts stand: verdicts",
               "judge": "whose verdicts they are, NAME or NAME@VERSION"}  # fmt: skip

    def score(self, case: Case) -> Verdict:
        try:
            told = at_path(case.metadata, str(self.options.get("at", "verdicts")))
        except ValueError as bad:
            return Verdict(reason=f"no verdicts are recorded: {bad}")
        digest = answer_digest(case.output)
        for one in told:
            if one.get("sha256") == digest or answer_digest(one.get("answer")) == digest:
                return _verdict(one)
        return Verdict(reason="no verdict is recorded for this answer")


def answer_digest(answer: Any) -> str:
    """The SHA-256 of an answer's text in hex, white space at its ends aside; '' of no text."""
    return hashlib.sha256(answer.strip().encode()).hexdigest() if isinstance(answer, str) else ""


def _verdict(told: Mapping[str, Any]) -> Verdict:
    reason = str(told.get("reason", ""))[:1000]
    score = told.get("score")
    if isinstance(score, (int, float)):
        return Verdict(value=float(score), reason=reason)
    return Verdict(reason=reason or "the judge gave no score")
