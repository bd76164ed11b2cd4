"""Taking feedback and summing it up. Knows scores and the span log; knows no HTTP."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Iterator, Sequence
from typing import Any

from stockpot import stats
from stockpot.access import Principal
from stockpot.core.errors import NotFound
from stockpot.core.ids import record_id
from stockpot.feedback.models import (
    Accepted,
    FeedbackItem,
    Interval,
    Satisfaction,
    SatisfactionBy,
    Signal,
)
from stockpot.traces import (
    NewScore,
    ScoreFilter,
    ScoreService,
    ScoreSummary,
    Sight,
    SpanLog,
    TraceFilter,
)

THUMBS, CSAT, CORRECTION, COMMENT = "thumbs", "csat", "correction", "comment"
SIGNALS: tuple[str, ...] = Signal.__args__  # type: ignore[attr-defined]
SHARES = ("grounded", "refused")
_ARRIVES_WITHIN_S = 2.0
_LOOK_EVERY_S = 0.1
_MONTH_MS = 30 * 86_400_000


class FeedbackService:
    """The public face of scores."""

    def __init__(self, scores: ScoreService, spans: SpanLog) -> None:
        self._scores = scores
        self._spans = spans

    async def give(
        self,
        project: str,
        items: Sequence[FeedbackItem],
        *,
        actor: Principal | None = None,
        only_known: bool = False,
    ) -> Accepted:
        """Write items down as scores of a project, all or none. `only_known` refuses what is about
        no trace of the project that the span log has; a trace that was just answered is waited
        for."""
        if only_known:
            for item in items:
                await self._wait_for(project, item)
        human = actor is not None and actor.via == "session"
        who = {"source": "human" if human else "end_user"}
        if human and actor is not None:
            who["author"] = actor.label
        new = [score for item in items for score in scores_of(project, item, who)]
        written = await self._scores.write(new, actor)
        return Accepted(ids=written.ids, repeated=written.repeated)

    async def _wait_for(self, project: str, item: FeedbackItem) -> None:
        until = time.monotonic() + _ARRIVES_WITHIN_S
        while not await asyncio.to_thread(self._known, project, item):
            if time.monotonic() > until:
                what = f"trace {item.trace_id!r}" if item.trace_id else f"session {item.session!r}"
                raise NotFound(
                    f"the project has no {what}, or not yet",
                    hint="the answer's header x-stockpot-trace-id names its trace",
                )
            await asyncio.sleep(_LOOK_EVERY_S)

    def _known(self, project: str, item: FeedbackItem) -> bool:
        if not item.trace_id:
            where = TraceFilter(project=project, session=item.session)
            return bool(self._spans.traces(where, limit=1).items)
        try:
            spans = self._spans.trace(item.trace_id, project).spans
        except NotFound:
            return False
        named = item.span_id.lower() if item.span_id else None
        return named is None or any(span.span_id == named for span in spans)

    async def satisfaction(
        self, where: ScoreFilter, by: SatisfactionBy, sight: Sight | None = None
    ) -> tuple[Satisfaction, ...]:
        """How content people are, group by group; those with most feedback first."""
        if where.from_ms is None:
            where = where.model_copy(update={"from_ms": time.time() * 1000 - _MONTH_MS})
        where = where.model_copy(update={"annotated": False, "item": ""})
        said = where.model_copy(update={"by_people": True})
        groups: dict[tuple[str, ...], list[ScoreSummary]] = {}
        for row in await self._scores.summary(said, by, sight):
            groups.setdefault(tuple(row.key.values()), []).append(row)
        for name in SHARES:  # a judge's word counts here as a person's does
            found = await self._scores.summary(where.model_copy(update={"name": name}), by, sight)
            for row in found:
                groups.setdefault(tuple(row.key.values()), []).append(row)
        rated = await self._scores.rated(said, by, sight)
        made = await asyncio.to_thread(
            lambda: [self._of_group(rows, rated, where, by) for rows in groups.values()]
        )
        return tuple(sorted(made, key=lambda one: -one.rated))

    def _of_group(
        self,
        rows: Sequence[ScoreSummary],
        rated: dict[tuple[str, ...], int],
        where: ScoreFilter,
        by: SatisfactionBy,
    ) -> Satisfaction:
        key = rows[0].key
        named = {row.name: row for row in rows}
        about = rated.get(tuple(key.values()), 0)
        corrected = named.get(CORRECTION)
        signals = {
            name: _share(min(named[name].traces, about), about)
            for name in SIGNALS
            if name in named and about
        }
        known = {THUMBS, CORRECTION, COMMENT, *SHARES, *SIGNALS}
        return Satisfaction(
            key=key,
            calls=self._calls(where, key) if by == "prompt" else None,
            rated=about,
            satisfied=_share_of(named.get(THUMBS)),
            csat=_mean_of(named.get(CSAT)),
            edited=_edited(corrected),
            comments=sum(row.comments for row in rows),
            corrections=corrected.n if corrected else 0,
            grounded=_share_of(named.get("grounded")),
            refused=_share_of(named.get("refused")),
            signals=signals,
            ratings={
                name: mean
                for name, row in sorted(named.items())
                if name not in known and (mean := _mean_of(row)) is not None
            },
        )

    def _calls(self, where: ScoreFilter, key: dict[str, str]) -> int | None:
        """How often this prompt version was called in the window, out of rollups."""
        if where.project is None or not key["prompt_name"]:
            return None
        start = int((where.from_ms or 0) // 60_000) * 60
        end = int((where.to_ms or time.time() * 1000) // 60_000 + 1) * 60
        slice_ = {"project": where.project, **key}
        return self._spans.measures(slice_, [(start, end)])[0].calls


def scores_of(project: str, item: FeedbackItem, who: dict[str, str]) -> Iterator[NewScore]:
    """What an item says, as scores: a thumb, a rating, a correction and a signal are one each; a
    comment goes with the first of them."""
    ident = item.id or record_id("fbk")
    about: dict[str, Any] = {
        "project": project,
        "trace_id": item.trace_id or "",
        "span_id": item.span_id,
        "session": item.session if not item.trace_id else None,
        "source": who["source"],
        "author": who.get("author") or item.user,
    }
    comment = item.comment
    for name, said in _said(item):
        yield NewScore(id=f"{ident}:{name}", name=name, comment=comment, **about, **said)
        comment = ""


def _said(item: FeedbackItem) -> Iterator[tuple[str, dict[str, Any]]]:
    if item.thumb == "none":
        yield THUMBS, {"retracted": True}
    elif item.thumb:
        yield THUMBS, {"value": float(item.thumb == "up"), "label": item.thumb}
    if item.value is not None or item.label:
        yield item.name, {"value": item.value, "label": item.label}
    if item.correction is not None:
        yield CORRECTION, {"correction": item.correction}
    if item.signal:
        yield item.signal, {"value": 1.0}
    alone = item.thumb or item.signal or item.value is not None or item.label
    if not alone and item.correction is None:
        yield COMMENT, {}


def _share(hits: int, n: int) -> Interval:
    found = stats.wilson(hits, n)
    return Interval(value=found.value, low=found.low, high=found.high, n=n)


def _share_of(row: ScoreSummary | None) -> Interval | None:
    if row is None or not row.numbers:
        return None
    return _share(row.positive, row.numbers).model_copy(update={"badges": row.badges})


def _mean_of(row: ScoreSummary | None) -> Interval | None:
    if row is None or row.mean is None:
        return None
    return _interval(row.mean, row.sd, row.numbers).model_copy(update={"badges": row.badges})


def _edited(row: ScoreSummary | None) -> Interval | None:
    if row is None or row.mean_edit_share is None:
        return None
    return _interval(row.mean_edit_share, row.sd_edit_share, row.edits)


def _interval(mean: float, sd: float | None, n: int) -> Interval:
    if sd is None or n < 2:
        return Interval(value=mean, low=None, high=None, n=n)
    half = stats.quantile_of_t(n - 1, 0.975) * sd / math.sqrt(n)
    return Interval(value=mean, low=mean - half, high=mean + half, n=n)
