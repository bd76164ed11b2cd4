"""Finding scorers by their entry points. Knows packages; knows nothing of what scorers do."""

from __future__ import annotations

import functools
from importlib.metadata import entry_points
from typing import Any

from stockpot.core.errors import InvalidInput, NotFound, did_you_mean
from stockpot.evals.models import ScorerInfo, ScorerSpec
from stockpot.evals.scorers.base import Scorer
from stockpot.evals.scorers.classes import Classes
from stockpot.evals.scorers.figures import Cost, Latency
from stockpot.evals.scorers.judged import PREFIX, JudgeScorer
from stockpot.evals.scorers.libraries import Autoevals, Deepeval, Ragas
from stockpot.evals.scorers.meaning import Semantic
from stockpot.evals.scorers.phrases import Mentions
from stockpot.evals.scorers.plain import EditDistance, Exact, JsonSchema, Numeric, Regex
from stockpot.evals.scorers.texts import Bleu, ChrF, Rouge
from stockpot.evals.scorers.tool_calls import ToolCalls
from stockpot.evals.scorers.trajectories import PassAll, Trajectory
from stockpot.evals.scorers.verdicts import RecordedVerdict

GROUP = "stockpot.scorers"
IN_THE_BOX: tuple[type[Scorer], ...] = (
    Exact, Regex, JsonSchema, Numeric, EditDistance, Bleu, ChrF, Rouge, Semantic, Classes,
    ToolCalls, Trajectory, PassAll, Latency, Cost, Autoevals, Ragas, Deepeval, Mentions,
    RecordedVerdict,
)  # fmt: skip


@functools.cache
def classes() -> dict[str, type[Scorer]]:
    """Every scorer by its name; an installed one does not replace one of the box."""
    found: dict[str, type[Scorer]] = {}
    for point in entry_points(group=GROUP):
        loaded: Any = point.load()
        if not (isinstance(loaded, type) and issubclass(loaded, Scorer)):
            raise InvalidInput(f"the entry point {point.value!r} of {GROUP!r} is no Scorer")
        found[point.name] = loaded
    return found | {scorer.name: scorer for scorer in IN_THE_BOX}


def made(spec: ScorerSpec) -> Scorer:
    """The scorer that a suite asks for. Raises NotFound, InvalidInput or ConfigError."""
    if spec.use.startswith(PREFIX):
        return JudgeScorer(**spec.options)
    found = classes().get(spec.use)
    if found is None:
        near = did_you_mean(spec.use, classes())
        raise NotFound(f"no scorer {spec.use!r}.{near}", hint="stockpot eval scorers")
    try:
        return found(**spec.options)
    except TypeError as bad:
        raise InvalidInput(f"the scorer {spec.use!r} cannot be made: {bad}") from None


def known() -> tuple[ScorerInfo, ...]:
    """Every scorer, by name, with its options in words."""
    return tuple(
        ScorerInfo(
            name=name, about=" ".join((scorer.__doc__ or "").split()), returns=scorer.returns,
            options={**scorer.OPTIONS, **scorer.COMMON}, needs=scorer.needs,
        )
        for name, scorer in sorted(classes().items())
    )  # fmt: skip
