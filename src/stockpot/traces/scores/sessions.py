"""What people said of sessions: of a session as a whole, and of the traces in it. Knows scores and
which traces a session has; knows no text of a conversation."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence

from stockpot.traces.models import Frozen, Sight
from stockpot.traces.scores.models import Score, ScoreFilter
from stockpot.traces.scores.service import ScoreService
from stockpot.traces.service import SpanLog

PEOPLE = frozenset({"human", "end_user"})
_THUMBS = "thumbs"
_MOST = 1000


class Said(Frozen):
    """Feedback of people. `up` and `down` are thumbs, `others` scores of other names, of which
    `mean` is told where all have one name, `name`."""

    up: int = 0
    down: int = 0
    comments: int = 0
    corrections: int = 0
    others: int = 0
    name: str = ""
    mean: float | None = None


class SaidOfTrace(Said):
    """Feedback of one trace of a session."""

    trace_id: str


class SessionFeedback(Said):
    """Feedback of a session: of the whole, and of its newest 500 traces."""

    session: str
    project: str
    traces: tuple[SaidOfTrace, ...] = ()


class FeedbackOfSessions:
    """Looks scores up by what the span log knows of sessions."""

    def __init__(self, scores: ScoreService, spans: SpanLog) -> None:
        self._scores = scores
        self._spans = spans

    async def __call__(
        self, sessions: Sequence[str], project: str | None, sight: Sight | None
    ) -> tuple[SessionFeedback, ...]:
        """Of those of some sessions that anybody said something of, a record for each project."""
        found = await asyncio.to_thread(self._spans.traces_of_sessions, sessions, project, sight)
        by_project: dict[str, list[str]] = {}
        for _, of, trace_id in found:
            by_project.setdefault(of, []).append(trace_id)
        said: dict[tuple[str, str], list[Score]] = {}
        for of, traces in by_project.items():
            for trace_id, scores in (await self._scores.of_traces(of, traces)).items():
                said[of, trace_id] = [score for score in scores if score.source in PEOPLE]
        told: dict[tuple[str, str], dict[str, list[Score]]] = {}
        for session, of, trace_id in found:
            told.setdefault((session, of), {})[trace_id] = said.get((of, trace_id), [])
        records = [
            await self._record(session, of, traces, sight) for (session, of), traces in told.items()
        ]
        return tuple(record for record in records if record is not None)

    async def _record(
        self, session: str, project: str, traces: dict[str, list[Score]], sight: Sight | None
    ) -> SessionFeedback | None:
        where = ScoreFilter(project=project, session=session, by_people=True)
        of_traces = [score for scores in traces.values() for score in scores]
        counted = {score.id for score in of_traces}  # one may name its session as well
        named = (await self._scores.query(where, None, _MOST, sight)).items
        every = [*(score for score in named if score.id not in counted), *of_traces]
        if not every:
            return None
        return SessionFeedback(
            session=session, project=project, **_summed(every),
            traces=tuple(
                SaidOfTrace(trace_id=trace_id, **_summed(scores))
                for trace_id, scores in traces.items() if scores
            ),
        )  # fmt: skip


def _summed(scores: Iterable[Score]) -> dict[str, object]:
    up = down = comments = corrections = 0
    others: list[Score] = []
    for score in scores:
        comments += bool(score.comment)
        corrections += score.correction is not None
        if score.value is None:
            continue
        if score.name == _THUMBS:
            up, down = up + (score.value >= 0.5), down + (score.value < 0.5)
        else:
            others.append(score)
    names = {score.name for score in others}
    alone = len(names) == 1
    values = [score.value for score in others if score.value is not None]
    return {
        "up": up, "down": down, "comments": comments, "corrections": corrections,
        "others": len(others), "name": others[0].name if alone else "",
        "mean": sum(values) / len(values) if alone else None,
    }  # fmt: skip
