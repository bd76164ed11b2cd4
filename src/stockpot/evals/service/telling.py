"""Verdicts of a run as scores on the traces of its answers, so that a trace shows what was thought
of it. Knows results; knows no job. A run that is told twice changes nothing: ids follow from run,
row and metric.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from hashlib import blake2b

from stockpot.core.errors import StockpotError
from stockpot.evals.models import Result, Run, ScorerSpec, Verdict
from stockpot.traces import NewScore, ScoreService

_AT_ONCE = 500


def scores_of(run: Run, results: Iterable[Result]) -> list[NewScore]:
    """A score for each verdict on an answer that has a trace. A cached answer's trace was told of
    when it was asked."""
    specs = {spec.metric: spec for spec in run.spec.scorers}
    return [
        _score(run, result, specs[metric], verdict)
        for result in results
        if result.trace_id and not result.error and not result.cached
        for metric, verdict in result.scores.items()
        if metric in specs and (verdict.value is not None or verdict.label)
    ]


async def tell(scores: ScoreService, run: Run, results: Sequence[Result]) -> int:
    """Write them; returns how many. A name that no score can have is left out."""
    found = scores_of(run, results)
    for start in range(0, len(found), _AT_ONCE):
        await scores.write(found[start : start + _AT_ONCE])
    return len(found)


async def tell_if_possible(scores: ScoreService | None, run: Run, results: Sequence[Result]) -> str:
    """The same where a run must not fail by it; gives what stood in the way."""
    try:
        if scores is not None:
            await tell(scores, run, results)
    except (StockpotError, ValueError) as bad:
        return f"its verdicts were not written as scores: {bad}"
    return ""


def _id(run: Run, result: Result, metric: str) -> str:
    told = f"{result.item}\0{result.repeat}\0{metric}"
    return f"{run.id}-{blake2b(told.encode(), digest_size=12).hexdigest()}"


def _score(run: Run, result: Result, spec: ScorerSpec, verdict: Verdict) -> NewScore:
    judged = spec.use.startswith("judge:")
    return NewScore(
        id=_id(run, result, spec.metric),
        project=run.project, trace_id=result.trace_id, item=result.item[:80], name=spec.metric,
        value=verdict.value, label=verdict.label[:200], comment=verdict.reason[:10_000],
        source="judge" if judged else "code", author=f"eval:{run.suite}", evaluator=spec.use,
    )  # fmt: skip
