"""What right-sizing saved: the candidate's calls, priced as if the baseline had answered them.

The counterfactual has two parts that are known (the tokens that went in, the baseline's price rows)
and one that is not: how much the baseline would have written. The run measured that on the same
questions, as tokens of the baseline for one of the candidate's; its interval is the saving's.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from typing import NamedTuple

from stockpot.access import Principal, demand_project
from stockpot.core.db import Database
from stockpot.pipelines.rightsize import store
from stockpot.pipelines.rightsize.models import RightsizeRun, Saved, Savings
from stockpot.pipelines.rightsize.ports import World
from stockpot.pipelines.rightsize.service.applying import CANDIDATE
from stockpot.prices import PriceRow, Usage, price_of
from stockpot.traces import Span, TraceFilter

_MONTH_MS = 30.4 * 86_400_000
_HOUR_MS = 3_600_000
Rows = tuple[PriceRow, ...]


class Call(NamedTuple):
    """What is recorded of a call of the candidate."""

    usage: Usage
    at_ms: int
    cost_nano: int | None


class Counted(NamedTuple):
    """What calls cost, and would have cost with the output as long as it was, or longer by each of
    several factors."""

    calls: int
    unpriced: int
    actual: int
    on_recorded: int
    at_lengths: tuple[float, ...]


class Saving:
    """Counts what experiments out of runs saved."""

    def __init__(self, db: Database, world: World) -> None:
        self._db = db
        self._world = world

    async def of_project(self, actor: Principal, project: str) -> Savings:
        """Every run of a project whose candidate was given traffic."""
        demand_project(actor, "viewer", project)
        runs = await self._db.read(lambda c: store.applied(c, project))
        found = [await self._of_run(run) for run in runs]
        notes = []
        if any(one.unpriced for one in found):
            notes.append(f"{sum(one.unpriced for one in found)} calls have no known price.")
        if any(run.report is not None and _ratio(run) is None for run in runs):
            notes.append("Where no tokens were told, the baseline is taken to write as much.")
        return Savings(
            project=project, saved=tuple(found), saved_nano=sum(one.saved_nano for one in found),
            low_nano=sum(one.low_nano for one in found),
            high_nano=sum(one.high_nano for one in found), notes=tuple(notes),
        )  # fmt: skip

    async def _of_run(self, run: RightsizeRun) -> Saved:
        rows = await self._baseline_prices(run.asked.baseline)
        ratio = _ratio(run) or (1.0, 1.0, 1.0)
        calls, since = await asyncio.to_thread(self._calls, run)
        told = counted(calls, rows, ratio)
        saved, *ends = (length - told.actual for length in told.at_lengths)
        per_month = None
        if since is not None:
            lasted = max(time.time() * 1000 - since, _HOUR_MS)
            per_month = saved / lasted * _MONTH_MS
        return Saved(
            run=run.id, experiment=run.experiment, candidate=run.applied,
            baseline=run.asked.baseline, calls=told.calls, unpriced=told.unpriced,
            actual_nano=told.actual, counterfactual_nano=told.at_lengths[0], saved_nano=saved,
            low_nano=min(ends), high_nano=max(ends),
            on_recorded_nano=told.on_recorded - told.actual, since_ms=since,
            per_month_nano=per_month,
        )  # fmt: skip

    async def _baseline_prices(self, baseline: str) -> Rows:
        """The price rows of the baseline's first target."""
        model = await self._world.catalog.models.named(baseline)
        published = await self._world.catalog.publisher.current()
        rows = {target.id: target.prices for target in published.compiled.part.targets}
        return next((rows[target.id] for target in model.targets if target.id in rows), ())

    def _calls(self, run: RightsizeRun) -> tuple[list[Call], float | None]:
        """The candidate's calls in the run's experiment, and when the first one was."""
        since = run.finished_ms or run.created_ms
        where = TraceFilter(project=run.project, from_ms=since)
        found: list[Call] = []
        first: float | None = None
        for span in self._world.spans.export(where):
            if span.experiment != run.experiment or span.variant != CANDIDATE:
                continue
            if span.cache == "hit" or span.kind != "llm":
                continue
            first = span.start_ms if first is None else min(first, span.start_ms)
            found.append(Call(_usage(span), int(span.start_ms), span.cost_nano))
        return found, first


def counted(calls: Sequence[Call], rows: Rows, lengths: Sequence[float]) -> Counted:
    """What calls cost and would have cost by these price rows. A call whose cost is not known in
    both worlds is counted as unpriced and in no figure."""
    priced = [
        (call, whole.total)
        for call in calls
        if call.cost_nano is not None and (whole := price_of(call.usage, rows, call.at_ms))
    ]
    return Counted(
        len(calls), len(calls) - len(priced),
        sum(call.cost_nano or 0 for call, _ in priced), sum(whole for _, whole in priced),
        tuple(_at_length([call for call, _ in priced], rows, length) for length in lengths),
    )  # fmt: skip


def _at_length(calls: Sequence[Call], rows: Rows, length: float) -> float:
    """Nano-dollars of all calls with the output so many times as long."""
    costs = (price_of(_longer(call.usage, length), rows, call.at_ms) for call in calls)
    return float(sum(cost.total for cost in costs if cost is not None))


def _longer(usage: Usage, length: float) -> Usage:
    return Usage(input=usage.input, output=round(usage.output * length),
                 cache_read=usage.cache_read, tier=usage.tier)  # fmt: skip


def _usage(span: Span) -> Usage:
    """The tokens that any model would be billed for: a vendor's cache is its own, so what was read
    from it counts as fresh input."""
    return Usage(input=span.tokens.input, output=span.tokens.output, tier=span.service_tier)


def _ratio(run: RightsizeRun) -> tuple[float, float, float] | None:
    if run.report is None:
        return None
    told = (one for one in run.report.candidates if one.figures.model == run.applied)
    return next((one.length_ratio for one in told), None)
