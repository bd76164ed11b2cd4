"""How judges fared in a run. Knows results and the labelled rows of certificates.

Functions work inside their caller's transaction.
"""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from stockpot.evals.judges import store
from stockpot.evals.judges.certifying import corrected
from stockpot.evals.judges.counting import tallied
from stockpot.evals.judges.models import Judge
from stockpot.evals.models import JudgeReport, Result, Run
from stockpot.evals.records import Corrected
from stockpot.evals.scorers import JudgeScorer, Scorer


def reports_of(
    c: sa.Connection, run: Run, scorers: Sequence[Scorer], results: Sequence[Result]
) -> tuple[JudgeReport, ...]:
    """One for each judge of a run, also for one that gave no verdict at all."""
    found = []
    for told, scorer in zip(run.spec.scorers, scorers, strict=True):
        if not isinstance(scorer, JudgeScorer) or not scorer.pinned:
            continue
        judge = Judge.model_validate(scorer.pinned)
        judgements = [
            verdict.judgement
            for one in results
            if (verdict := one.scores.get(told.metric)) and verdict.judgement
        ]
        values = [one.value for one in judgements if one.value is not None and not one.missing]
        found.append(
            JudgeReport(
                metric=told.metric, judge=judge.ref, tally=tallied(judgements),
                corrected=_corrected(c, run.project, judge, values),
            )
        )  # fmt: skip
    return tuple(found)


def _corrected(
    c: sa.Connection, project: str, judge: Judge, values: Sequence[float]
) -> Corrected | None:
    """What people would have said, out of the labels of the newest certificate of this version."""
    done = store.newest_done(c, project, [judge.name])
    mine = next((one for one in done if one.version == judge.version), None)
    if mine is None or mine.n < 2 or not values:
        return None
    return corrected(judge.scale.numeric, store.rows_of(c, mine.id), values)
