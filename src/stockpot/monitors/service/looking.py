"""Fetching what a rule needs: from the span log's rollups, or from scores.

Knows where figures live; judges nothing.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from stockpot.core.errors import Unavailable
from stockpot.monitors.figures import (
    Part,
    Scored,
    Window,
    about_scores,
    part_of,
    part_of_scores,
)
from stockpot.monitors.history import Plan, history, history_of_runs, looks, plan_of
from stockpot.monitors.models import (
    BurnRateRule,
    CheckRule,
    FigureRule,
    MonitorHistory,
    MonitorSlice,
    MonitorTrial,
    Reading,
    Rule,
)
from stockpot.monitors.rules import Ran, read, read_runs, windows_of
from stockpot.traces import Badge, Measure

MINUTE_S = 60


class SpanFigures(Protocol):
    """What monitors ask of the span log."""

    def measures(
        self, where: Mapping[str, str], windows: Sequence[tuple[int, int]]
    ) -> list[Measure]:
        """What happened in each window of whole minutes."""
        ...

    def stepped(
        self, where: Mapping[str, str], start: int, end: int, step: int
    ) -> dict[int, Measure]:
        """The same step by step."""
        ...


class ScoreFigures(Protocol):
    """What monitors ask of scores; `where` is a slice, `bound` what `Scored.below` counts by."""

    async def scored(
        self, name: str, where: Mapping[str, str], windows: Sequence[tuple[int, int]], bound: float
    ) -> list[Scored]:
        """The scores of a name in each window, in Unix seconds."""
        ...

    async def judges(
        self, name: str, where: Mapping[str, str], window: tuple[int, int]
    ) -> tuple[Badge, ...]:
        """The certificates of the judges among those who gave these scores."""
        ...


def marked(said: Reading, badges: tuple[Badge, ...]) -> Reading:
    """A reading of judges' scores with their certificates. A judge without a valid one may inform
    and no more: what it says pages nobody."""
    weak = [badge for badge in badges if not badge.may_gate]
    if not weak:
        return said._replace(badges=badges)
    told = "; ".join(f"{badge.judge} is {badge.state}: {badge.words}" for badge in weak[:3])
    reason = f"{said.reason} (for information only: {told})"
    return said._replace(badges=badges, severity="ticket", reason=reason)


class RunFigures(Protocol):
    """What monitors ask of checks."""

    async def ran(
        self, project: str, kind: str, name: str, since_ms: float | None
    ) -> list[tuple[float, Ran]]:
        """The finished runs of a check since a time, or its last few; newest first, with when they
        ended."""
        ...


class Looking:
    """Reads rules. `clock` gives Unix seconds."""

    def __init__(
        self,
        spans: SpanFigures,
        scores: ScoreFigures | None = None,
        clock: Callable[[], float] = time.time,
        runs: RunFigures | None = None,
    ) -> None:
        self._spans = spans
        self._scores = scores
        self._runs = runs
        self.clock = clock

    async def reading(self, rule: Rule, cut: MonitorSlice, project: str) -> Reading:
        """What a rule says now. A window reaches from whole minute to whole minute, the present one
        included."""
        if isinstance(rule, CheckRule):
            return read_runs(rule, [ran for _, ran in await self._ran(rule, project)])
        end = -int(-self.clock() // MINUTE_S) * MINUTE_S
        lengths = windows_of(rule)
        spans = [(end - seconds, end) for seconds in lengths]
        found = await self._parts(rule, cut.where(project), spans)
        windows = {s: Window(part) for s, part in zip(lengths, found, strict=True)}
        said = read(rule, windows)
        if not about_scores(rule):
            return said
        return marked(said, await self._judges(rule, cut.where(project), (min(spans)[0], end)))

    async def history(self, trial: MonitorTrial) -> MonitorHistory:
        """What a rule's metric did, and when it would have fired."""
        if isinstance(trial.rule, CheckRule):
            now_ms = self.clock() * 1000
            runs = await self._ran(trial.rule, trial.project, now_ms - trial.hours * 3_600_000)
            return history_of_runs(trial.rule, trial.no_data, runs[::-1], trial.hours, now_ms)
        plan = plan_of(trial.rule, trial.hours, self.clock())
        where = trial.slice.where(trial.project)
        parts = await self._grains(trial.rule, where, plan)
        told = await asyncio.to_thread(history, trial.rule, trial.no_data, plan, parts)
        if not about_scores(trial.rule):
            return told
        badges = await self._judges(trial.rule, where, (plan.since, plan.end))
        return told.model_copy(update={"badges": badges})

    async def last_hour(
        self, rule: Rule, cut: MonitorSlice, project: str
    ) -> list[tuple[float, float | None]]:
        """Instants and values of the last hour, minute by minute."""
        if isinstance(rule, CheckRule):
            return []
        plan = plan_of(rule, 1, self.clock())
        parts = await self._grains(rule, cut.where(project), plan)
        return [(look.at_ms, look.reading.value) for look in looks(rule, plan, parts)]

    async def _parts(
        self, rule: FigureRule, where: Mapping[str, str], spans: Sequence[tuple[int, int]]
    ) -> list[Part]:
        if about_scores(rule):
            scored = await self._scored(rule, where, spans)
            return [part_of_scores(rule, one) for one in scored]
        measured = await asyncio.to_thread(self._spans.measures, where, spans)
        return [part_of(rule, measure) for measure in measured]

    async def _grains(
        self, rule: FigureRule, where: Mapping[str, str], plan: Plan
    ) -> dict[int, Part]:
        if about_scores(rule):
            starts = range(plan.since, plan.end, plan.grain)
            spans = [(at, at + plan.grain) for at in starts]
            scored = await self._scored(rule, where, spans)
            return {
                at: part_of_scores(rule, one)
                for at, one in zip(starts, scored, strict=True)
                if one.number
            }
        found = await asyncio.to_thread(
            self._spans.stepped, where, plan.since, plan.end, plan.grain
        )
        return {at: part_of(rule, measure) for at, measure in found.items()}

    async def _judges(
        self, rule: FigureRule, where: Mapping[str, str], window: tuple[int, int]
    ) -> tuple[Badge, ...]:
        return () if self._scores is None else (
            await self._scores.judges(rule.score, where, window)
        )  # fmt: skip

    async def _scored(
        self, rule: FigureRule, where: Mapping[str, str], spans: Sequence[tuple[int, int]]
    ) -> list[Scored]:
        if self._scores is None:
            raise Unavailable("scores cannot be read here")
        bound = (rule.bound or 0.0) if isinstance(rule, BurnRateRule) else 0.0
        return await self._scores.scored(rule.score, where, spans, bound)

    async def _ran(
        self, rule: CheckRule, project: str, since_ms: float | None = None
    ) -> list[tuple[float, Ran]]:
        if self._runs is None:
            raise Unavailable("checks cannot be read here")
        return await self._runs.ran(project, *rule.named, since_ms)
