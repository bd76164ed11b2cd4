"""A judge as a scorer: `judge:NAME@VERSION`. What it says comes from a model, by `Tools.judge`.

A run pins the judge when it starts, as it pins a prompt's version: the whole judge stands in the
options, so that the run says for ever what it was judged by.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from stockpot.core.errors import InvalidInput
from stockpot.evals.models import ScorerSpec, Verdict
from stockpot.evals.scorers.base import Case, Returns, Scorer, Tools

PREFIX = "judge:"


class JudgeScorer(Scorer):
    """A version of a judge, made by `stockpot eval judges create`."""

    name: ClassVar[str] = "judge"
    returns: ClassVar[Returns] = "number"
    OPTIONS: ClassVar[dict[str, str]] = {
        "judge": "the judge as it was when the run started; filled in by the run",
        "prices": "what its models cost; filled in by the run",
        "served": "what serves its models; filled in by the run",
    }

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.pinned: Mapping[str, Any] = options.get("judge") or {}
        if _says_yes_or_no(self.pinned):
            self.returns = "bool"  # type: ignore[misc]

    def score(self, case: Case) -> None:
        """A judge is asked about many rows at once."""
        return

    async def cost_ahead(self, cases: Sequence[Case], tools: Tools) -> Sequence[int]:
        return await tools.judge_cost(self.options, cases)

    async def score_all(self, cases: Sequence[Case], tools: Tools) -> list[Verdict]:
        if not self.pinned:
            raise InvalidInput("a judge is pinned when its run starts: this run has none")
        return await tools.judge(self.options, cases)


def _says_yes_or_no(judge: Mapping[str, Any]) -> bool:
    labels = (judge.get("scale") or {}).get("labels") or ()
    return len(labels) == 2 and judge.get("kind") != "groundedness"


LIBRARIES = ("autoevals", "deepeval", "ragas")
"""Scorers that run metrics of other people's; those that ask a model are judges too."""
_HEURISTIC = {
    "autoevals": frozenset(
        {"Levenshtein", "ExactMatch", "NumericDiff", "JSONDiff", "ValidJSON", "ListContains"}
    ),
    "ragas": frozenset(
        {"BleuScore", "CHRFScore", "DataCompyScore", "ExactMatch", "NonLLMStringSimilarity",
         "QuotedSpansAlignment", "RougeScore", "StringPresence", "ToolCallAccuracy", "ToolCallF1"}
    ),
    "deepeval": frozenset({"ExactMatchMetric", "PatternMatchMetric", "ToolPermissionMetric"}),
}  # fmt: skip


def asks_nobody(library: str, metric: str) -> bool:
    """Whether a metric is computed, not judged."""
    return metric in _HEURISTIC[library]


def judge_of(told: ScorerSpec) -> str:
    """The judge whose word a scorer gives, as certificates name it; nothing for a scorer that
    computes."""
    if told.use.startswith(PREFIX):
        return told.use
    if told.use == "recorded":  # the word of a judge, whoever plays it back
        return f"{PREFIX}{told.options.get('judge') or 'an unnamed judge'}"
    metric = str(told.options.get("metric", ""))
    if told.use in LIBRARIES and not asks_nobody(told.use, metric):
        return f"{told.use}:{metric}"
    return ""
