"""Offline evaluation: suites (data set x target x scorers), durable runs, comparisons, the gate.

Knows rows, answers, verdicts and what they show, with statistics from `stats`; reaches models by
the gateway alone, like every application. Knows no template and no label; what a prompt's version
or a data set is, others say (`ports`).
"""

from typing import TYPE_CHECKING

from stockpot.core.lazy import lazily

if TYPE_CHECKING:
    from stockpot.evals.api import router
    from stockpot.evals.engine import Purse
    from stockpot.evals.judges.asking import Asking
    from stockpot.evals.judges.models import (
        Certificate,
        Judge,
        Judged,
        JudgeSpec,
        Scale,
        Subject,
    )
    from stockpot.evals.judges.service import JudgeService
    from stockpot.evals.models import (
        GateResult,
        NewRows,
        NewRun,
        Result,
        Row,
        Run,
        ScorerSpec,
        Suite,
        SuiteSpec,
        Target,
        Verdict,
    )
    from stockpot.evals.neighbours import LabelsOfQueues, PromptVersions, RowsOfSets
    from stockpot.evals.opening import WANTED, Evals, open_checks, open_doing, open_evals, open_jobs
    from stockpot.evals.ports import Trial
    from stockpot.evals.records import Corrected, Judgement, Tally
    from stockpot.evals.scorers import PREFIX, Case, Scorer, made
    from stockpot.evals.scorers.judged import judge_of
    from stockpot.evals.service import EvalJobs
    from stockpot.evals.store import metadata
    from stockpot.evals.watching.api import watching_router
else:
    __getattr__ = lazily(
        __name__,
        {
            "api": "router",
            "engine": "Purse",
            "models": "GateResult NewRows NewRun Result Row Run ScorerSpec Suite SuiteSpec Target "
            "Verdict",
            "judges.asking": "Asking",
            "judges.models": "Certificate Judge Judged JudgeSpec Scale Subject",
            "ports": "Trial",
            "records": "Corrected Judgement Tally",
            "judges.service": "JudgeService",
            "neighbours": "LabelsOfQueues PromptVersions RowsOfSets",
            "opening": "WANTED Evals open_checks open_doing open_evals open_jobs",
            "scorers": "PREFIX Case Scorer made",
            "scorers.judged": "judge_of",
            "service": "EvalJobs",
            "store": "metadata",
            "watching.api": "watching_router",
        },
    )

__all__ = [
    "PREFIX",
    "WANTED",
    "Asking",
    "Case",
    "Certificate",
    "Corrected",
    "EvalJobs",
    "Evals",
    "GateResult",
    "Judge",
    "JudgeService",
    "JudgeSpec",
    "Judged",
    "Judgement",
    "LabelsOfQueues",
    "NewRows",
    "NewRun",
    "PromptVersions",
    "Purse",
    "Result",
    "Row",
    "RowsOfSets",
    "Run",
    "Scale",
    "Scorer",
    "ScorerSpec",
    "Subject",
    "Suite",
    "SuiteSpec",
    "Tally",
    "Target",
    "Trial",
    "Verdict",
    "judge_of",
    "made",
    "metadata",
    "open_checks",
    "open_doing",
    "open_evals",
    "open_jobs",
    "router",
    "watching_router",
]
