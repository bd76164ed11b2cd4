"""Results of arms, and a run with its verdicts, for tests."""

from __future__ import annotations

from collections.abc import Sequence

from stockpot.core.ids import record_id
from stockpot.evals import Result, ScorerSpec, Verdict
from stockpot.evals.models import Usage
from stockpot.pipelines.rightsize.deciding import Question, Told, decided
from stockpot.pipelines.rightsize.models import NewRightsize, RightsizeRun, SizeArm, SizeReport

QUESTION = Question("quality", "score", "higher", 0.1, 0.95)


def arm(
    model: str, scores: Sequence[float | None], *, cost: int | None = 100, tokens: int = 10,
    clusters: int = 0, errors: Sequence[int] = (),
) -> Told:  # fmt: skip
    """An arm with a score for each row; None is an answer without a score."""
    return Told(
        model, f"run_{model}",
        [
            Result(
                item=f"r{n}", output="said", cost_nano=None if n in errors else cost,
                error="503: away" if n in errors else "", latency_ms=float(n + 1),
                usage=Usage(input=20, output=tokens),
                cluster=f"c{n % clusters}" if clusters else "",
                scores={} if n in errors else {"quality": Verdict(value=score)},
            )
            for n, score in enumerate(scores)
        ],
    )  # fmt: skip


def report(baseline: str = "short", candidate: str = "lab/m") -> SizeReport:
    """One candidate that passes."""
    scores = [0.5 + 0.1 * (n % 4) for n in range(60)]
    better = [score + 0.02 * (n % 3 - 1) for n, score in enumerate(scores)]
    return decided(QUESTION, arm(baseline, scores), [arm(candidate, better, cost=10)])


def found(project: str, word: str) -> RightsizeRun:
    """A run that stopped at its budget, with a verdict."""
    asked = NewRightsize(candidates=("lab/m",), baseline="short", margin=0.1, message=word,
                         scorers=(ScorerSpec(use="exact"),), dataset=word[:100])  # fmt: skip
    return RightsizeRun(
        id=record_id("size"), project=project, asked=asked, state="stopped", source=f"{word}@1",
        rows=60, arms=tuple(SizeArm(model=m, run=f"run_{m}", rows=60) for m in ("short", "lab/m")),
        spent_nano=1000, unpriced=(), traffic=None, notes=(), report=report(), applied="",
        experiment="", error="", created_ms=1, started_ms=1, finished_ms=2, created_by=word,
    )  # fmt: skip
