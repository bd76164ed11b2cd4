"""Scoring production spans by a rule. Knows the span log, scorers and judges; knows no schedule.

A run goes on where the last one ended, in the order of arrival. What is drawn, and with which
chance, is put down before anything is scored, so that a run that is cut off and repeated draws the
same; scores have ids that follow from rule and span, and one that is there is not paid for again.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from stockpot.evals.clients import run_header
from stockpot.evals.judges.keeping import KeptAnswers
from stockpot.evals.judges.tools import GatewayTools
from stockpot.evals.models import Verdict
from stockpot.evals.scorers import Case, made
from stockpot.evals.watching.drawing import Drawn, drawn
from stockpot.evals.watching.models import OnlineSpec
from stockpot.evals.watching.reading import Said, counts, said
from stockpot.evals.watching.spending import DAY_MS
from stockpot.evals.watching.tools import Bench
from stockpot.monitors import KeptCheck, Outcome, Underway
from stockpot.stats import weighted_mean
from stockpot.traces import NewScore, Span

_PAGE = 500
_AT_ONCE = 50
_PILOT = 10
"""So many are drawn at most while nobody knows what one costs and money is bounded."""


class Batch(NamedTuple):
    """Spans that came after a position, and where they end."""

    spans: list[Span]
    end: int
    more: bool


class OnlineDoer:
    """Does online rules. `clock` gives Unix seconds and says which day is paid for."""

    def __init__(self, bench: Bench, clock: Callable[[], float] = time.time) -> None:
        self._bench = bench
        self._clock = clock

    async def do(self, check: KeptCheck, underway: Underway) -> Outcome:
        """From where the rule is to now, as far as one run goes."""
        spec = OnlineSpec.model_validate(check.spec)
        tally = _Tally.of(underway)
        own = await self._bench.own_keys(check.project)
        while tally.drawn < spec.max_per_run and not underway.stop.is_set():
            upto = tally.pending["end"] if tally.pending else None
            batch = await asyncio.to_thread(self._batch, check, spec, (tally.position, upto), own)
            if not batch.spans and batch.end == tally.position:
                break
            await self._score(check, spec, underway, tally, batch)
            if not batch.more:
                break
        left = await self._left_nano(spec, underway)
        return self._told(spec, tally, left)

    async def _score(
        self, check: KeptCheck, spec: OnlineSpec, underway: Underway, tally: _Tally, batch: Batch
    ) -> None:
        """One batch: draw, score in small parts, go on."""
        disliked = await self._disliked(check.project, spec, batch.spans)
        if tally.pending is None or tally.pending["end"] != batch.end:
            thinned = await self._thinned(spec, underway, tally, batch, disliked, check.id)
            tally.pending = {"end": batch.end, "thinned": thinned}
            await tally.keep(underway)
        chosen = drawn(spec, check.id, batch.spans, disliked, tally.pending["thinned"])
        at = int(tally.pending.get("at", 0))
        while at < len(chosen) and (room := await self._room(spec, underway, tally)):
            if underway.stop.is_set():
                return
            await self._part(check, spec, tally, chosen[at : at + room])
            at += room
            tally.pending = {**tally.pending, "at": at}
            await tally.keep(underway)
        tally.seen += len(batch.spans)
        if tally.pending["thinned"] == 0:
            tally.uncovered += len(batch.spans)
        elif at < len(chosen):  # the money ended before what was drawn
            tally.uncovered += len(batch.spans) - batch.spans.index(chosen[at].span)
        tally.position, tally.pending = batch.end, None
        await tally.keep(underway)

    def _batch(
        self, check: KeptCheck, spec: OnlineSpec, between: tuple[int | None, int | None],
        own: frozenset[str],
    ) -> Batch:  # fmt: skip
        log = self._bench.spans
        position, upto = between
        if position is None:
            # A new rule looks at what comes from now on, and at the hour before it was made.
            where = spec.cut.where(check.project, from_ms=check.created_ms - 3_600_000)
            first = log.arrived(where, 0, 1)
            position = first[0][0] - 1 if first else log.newest()
        until = time.time() * 1000 - spec.delay_s * 1000
        page = log.arrived(spec.cut.where(check.project), position, _PAGE)
        ripe = [(number, span) for number, span in page if span.received_ms <= until]
        if upto is not None:  # what was begun is done as it was begun
            ripe = [(number, span) for number, span in ripe if number <= upto]
        found = [span for _, span in ripe if counts(span, spec.cut, own)]
        if upto is not None:  # to its end, also where the last of it are gone by now
            return Batch(found, upto, more=True)
        return Batch(found, ripe[-1][0] if ripe else position, more=len(ripe) == _PAGE)

    async def _disliked(
        self, project: str, spec: OnlineSpec, spans: Sequence[Span]
    ) -> frozenset[str]:
        if not any(stratum.when == "low_feedback" for stratum in spec.strata):
            return frozenset()
        ids = list(dict.fromkeys(span.trace_id for span in spans))
        found = await self._bench.scores.of_traces(project, ids)
        return frozenset(
            trace
            for trace, told in found.items()
            if any(s.source in ("human", "end_user") and _is_low(s.label, s.value) for s in told)
        )

    async def _thinned(
        self, spec: OnlineSpec, underway: Underway, tally: _Tally, batch: Batch,
        disliked: frozenset[str], salt: str,
    ) -> float:  # fmt: skip
        """By how much less is drawn than the rates say, so that the day's money lasts."""
        wanted = len(drawn(spec, salt, batch.spans, disliked))
        room = min(1.0, (spec.max_per_run - tally.drawn) / wanted) if wanted else 1.0
        left = await self._left_nano(spec, underway)
        if left is None or not wanted:
            return room
        if left <= (tally.each_nano or 0):
            return 0.0
        if tally.each_nano is None:
            return min(room, _PILOT / wanted)
        return min(room, left / (tally.each_nano * wanted)) if tally.each_nano else room

    async def _room(self, spec: OnlineSpec, underway: Underway, tally: _Tally) -> int:
        """How many are scored next: no more than the rest of the day's money pays for."""
        left = await self._left_nano(spec, underway)
        if left is None or not tally.each_nano:
            return _AT_ONCE if left is None or left > 0 else 0
        return max(0, min(_AT_ONCE, int(left / tally.each_nano)))

    async def _part(
        self, check: KeptCheck, spec: OnlineSpec, tally: _Tally, chosen: Sequence[Drawn]
    ) -> None:
        """Score some spans and write what was said."""
        ids = [one.span.trace_id for one in chosen]
        there = await self._bench.scores.of_traces(check.project, ids)
        known = {score.id for scores in there.values() for score in scores}
        fresh = [one for one in chosen if _id(check, one.span) not in known]
        bodies = await asyncio.to_thread(lambda: [said(self._bench.spans, o.span) for o in fresh])
        pairs = [(one, body) for one, body in zip(fresh, bodies, strict=True) if body is not None]
        tally.drawn += len(chosen)
        tally.unkept += len(fresh) - len(pairs)
        if not pairs:
            return
        verdicts = await self._verdicts(check, spec, pairs)
        tally.count(pairs, verdicts)
        new = [
            _score(check, spec, one, verdict)
            for (one, _), verdict in zip(pairs, verdicts, strict=True)
            if verdict.value is not None or verdict.label
        ]
        if new:
            await self._bench.scores.write(new)

    async def _verdicts(
        self, check: KeptCheck, spec: OnlineSpec, pairs: Sequence[tuple[Drawn, Said]]
    ) -> list[Verdict]:
        cases = [
            Case(
                item=f"{one.span.trace_id}/{one.span.span_id}", input=body.input,
                expected=None, metadata={},
                output=body.output, latency_ms=one.span.duration_ms, cost_nano=one.span.cost_nano,
            )
            for one, body in pairs
        ]  # fmt: skip
        client = await self._bench.client_of(check.project)
        client.headers.update(run_header(check.id))
        try:
            tools = GatewayTools(client, KeptAnswers(self._bench.db, check.project))
            verdicts = await made(spec.scorer).score_all(cases, tools)
        finally:
            await client.aclose()
        return verdicts

    def _told(self, spec: OnlineSpec, tally: _Tally, left: float | None) -> Outcome:
        found = weighted_mean(tally.values, tally.weights)
        words = f"{len(tally.values)} of {tally.seen} spans scored"
        if found is not None:
            words = f"{spec.metric} {found.mean:.3g} over {tally.seen} spans ({words})"
        if tally.uncovered:
            words += f"; {tally.uncovered} not covered: the day's budget is spent"
        if tally.missing:
            told = ", ".join(f"{number} {why}" for why, number in sorted(tally.missing.items()))
            words += f"; without a verdict: {told}"
        if tally.unkept:
            words += f"; {tally.unkept} drawn had no payload"
        estimate = found._asdict() if found is not None else None
        result = {**tally.result(), "estimate": estimate}
        if spec.judge:
            limit = None if left is None else round((spec.max_usd_day or 0) * 1e9)
            result["cost"] = {
                "nano": None if tally.unpriced else tally.cost_nano, "limit_nano": limit,
                "day_nano": None if limit is None or left is None else round(limit - left),
                "apart": "",
            }  # fmt: skip
        return Outcome(
            words, result, None, found.mean if found else None, len(tally.values),
            tally.cost_nano, tally.state(),
        )  # fmt: skip

    async def _left_nano(self, spec: OnlineSpec, underway: Underway) -> float | None:
        """What is left of the day's money; None where nothing bounds it or nothing costs."""
        if spec.max_usd_day is None or not spec.judge:
            return None
        now = int(self._clock() * 1000)
        return spec.max_usd_day * 1e9 - await underway.spent_since(now - now % DAY_MS)


class _Tally:
    """How far a run is, and what the rule knows from one run to the next."""

    def __init__(self, kept: dict[str, Any], known: dict[str, Any], cost_nano: int) -> None:
        self.position: int | None = known.get("position")
        self.each_nano: float | None = known.get("each_nano")
        self.pending: dict[str, Any] | None = known.get("pending")
        self.seen, self.drawn = int(kept.get("seen", 0)), int(kept.get("drawn", 0))
        self.uncovered, self.unkept = int(kept.get("uncovered", 0)), int(kept.get("unkept", 0))
        self.unpriced = int(kept.get("unpriced", 0))
        self.missing: dict[str, int] = dict(kept.get("missing", {}))
        self.values: list[float] = list(kept.get("values", ()))
        self.weights: list[float] = list(kept.get("weights", ()))
        self.cost_nano = cost_nano

    @classmethod
    def of(cls, underway: Underway) -> _Tally:
        return cls(underway.kept, underway.known, underway.run.cost_nano)

    def count(self, pairs: Sequence[tuple[Drawn, Said]], verdicts: Sequence[Verdict]) -> None:
        costs = [one.judgement.cost_nano for one in verdicts if one.judgement]
        cost_nano = sum(cost or 0 for cost in costs)
        self.unpriced += costs.count(None)
        for silent in verdicts:
            if silent.value is None and not silent.label:
                why = silent.missing or "no verdict"
                self.missing[why] = self.missing.get(why, 0) + 1
        for (one, _), verdict in zip(pairs, verdicts, strict=True):
            if verdict.value is not None:
                self.values.append(verdict.value)
                self.weights.append(one.weight)
        self.cost_nano += cost_nano
        each = cost_nano / len(pairs)
        self.each_nano = each if self.each_nano is None else 0.8 * self.each_nano + 0.2 * each

    def result(self) -> dict[str, Any]:
        names = ("seen", "drawn", "uncovered", "unkept", "unpriced", "missing", "values", "weights")
        return {name: getattr(self, name) for name in names}

    def state(self) -> dict[str, Any]:
        return {"position": self.position, "each_nano": self.each_nano, "pending": self.pending}

    async def keep(self, underway: Underway) -> None:
        await underway.keep(self.result(), cost_nano=self.cost_nano, known=self.state())


def _id(check: KeptCheck, span: Span) -> str:
    return f"{check.id}-{span.trace_id[:16]}-{span.span_id}"


def _score(check: KeptCheck, spec: OnlineSpec, one: Drawn, verdict: Verdict) -> NewScore:
    span = one.span
    return NewScore(
        id=_id(check, span), project=check.project, trace_id=span.trace_id,
        span_id=None if span.is_root else span.span_id, name=spec.metric, value=verdict.value,
        label=verdict.label, comment=verdict.reason, source="judge" if spec.judge else "code",
        author=f"online:{check.name}", evaluator=spec.scorer.use, weight=one.weight,
    )  # fmt: skip


def _is_low(label: str, value: float | None) -> bool:
    return label == "down" or (not label and value is not None and value < 0.5)
