"""Scorers that look for phrases, and that take verdicts as they were given."""

from __future__ import annotations

import hashlib
from typing import Any

from stockpot.evals.models import ScorerSpec
from stockpot.evals.scorers import Case, made


def scored(use: str, output: str, expected: Any = None, **metadata: Any) -> tuple[Any, str]:
    scorer = made(ScorerSpec(use=use))
    found = scorer.judged(Case("r", {}, expected, metadata, output))
    return found.value, found.reason


def test_an_answer_is_worth_the_share_of_what_it_has_to_say() -> None:
    said = "It contains  Milk\nand costs $4.50."
    assert scored("mentions", said, ["contains milk", "$4.50"]) == (1.0, "")
    assert scored("mentions", said, ["milk", "egg"]) == (0.5, "does not say 'egg'")
    assert scored("mentions", said, "wheat") == (0.0, "does not say 'wheat'")
    assert scored("mentions", said, []) == (None, "no phrase is expected")


def test_a_recorded_verdict_counts_for_its_own_answer_alone() -> None:
    digest = hashlib.sha256(b"short").hexdigest()
    verdicts = [{"answer": " long one ", "score": 4, "reason": "complete"},
                {"sha256": digest, "score": 2}, {"answer": "odd", "score": "n/a"}]  # fmt: skip
    assert scored("recorded", "long one", verdicts=verdicts) == (4.0, "complete")
    assert scored("recorded", "short\n", verdicts=verdicts) == (2.0, "")
    assert scored("recorded", "odd", verdicts=verdicts) == (None, "the judge gave no score")
    assert scored("recorded", "new", verdicts=verdicts) == (
        None, "no verdict is recorded for this answer"
    )  # fmt: skip
    assert scored("recorded", "new")[1].startswith("no verdicts are recorded")
