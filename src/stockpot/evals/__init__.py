"""Offline evaluation: suites (data set x target x scorers), durable runs, comparisons, the gate.

Knows rows, answers, verdicts and what they show, with statistics from `stats`; reaches models by
the gateway alone, like every application. Knows no template and no label; what a prompt's version
or a data set is, others say (`ports`).
"""

from typing import TYPE_CHECKING

from stockpot.core.lazy import lazily

if TYPE_CHECKING:
    from stockpot.evals.api import router
    from stockpot.evals.models import GateResult, Result, Row, Run, Suite, SuiteSpec, Verdict
    from stockpot.evals.neighbours import PromptVersions, RowsOfSets
    from stockpot.evals.opening import WANTED, Evals, open_evals, open_jobs
    from stockpot.evals.scorers import Case, Scorer
    from stockpot.evals.store import metadata
else:
    __getattr__ = lazily(
        __name__,
        {
            "api": "router",
            "models": "GateResult Result Row Run Suite SuiteSpec Verdict",
            "neighbours": "PromptVersions RowsOfSets",
            "opening": "WANTED Evals open_evals open_jobs",
            "scorers": "Case Scorer",
            "store": "metadata",
        },
    )

__all__ = [
    "WANTED",
    "Case",
    "Evals",
    "GateResult",
    "PromptVersions",
    "Result",
    "Row",
    "RowsOfSets",
    "Run",
    "Scorer",
    "Suite",
    "SuiteSpec",
    "Verdict",
    "metadata",
    "open_evals",
    "open_jobs",
    "router",
]
