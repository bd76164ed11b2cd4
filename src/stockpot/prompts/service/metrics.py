"""What each version of a prompt did: traffic, cost, latency, tokens, errors, feedback and scores.

Knows the span log's rollups and the scores; keeps no figure itself. Every figure comes with the
filter that finds the spans behind it.
"""

from __future__ import annotations

import asyncio
import time

from stockpot.access import Principal
from stockpot.core.errors import InvalidInput
from stockpot.prompts.models import PromptFigures, PromptMetrics
from stockpot.prompts.service.prompts import PromptService
from stockpot.traces import Measure, Quantiles, ScoreFilter, ScoreService, ScoreSummary, SpanLog

DAY_MS = 86_400_000
_VERSIONS = 100


class MetricsService:
    """Figures by version, from what calls and scores left behind."""

    def __init__(self, prompts: PromptService, spans: SpanLog, scores: ScoreService) -> None:
        self._prompts = prompts
        self._spans = spans
        self._scores = scores

    async def of(
        self,
        actor: Principal,
        project: str | None,
        name: str,
        from_ms: float | None,
        to_ms: float | None,
    ) -> PromptMetrics:
        """Each version that was called or scored in a window (the last day when not given), newest
        first."""
        shown = await self._prompts.shown(actor, project, name)
        owner = shown.prompt.project
        end = time.time() * 1000 if to_ms is None else to_ms
        start = max(0.0, end - DAY_MS) if from_ms is None else from_ms
        if start >= end:
            raise InvalidInput(f"the window from {start:.0f} to {end:.0f} ms is empty")
        about = {"project": owner, "prompt_name": name}
        where = ScoreFilter(project=owner, prompt_name=name, from_ms=start, to_ms=end)
        summaries = await self._scores.summary(where, "prompt")
        window = (int(start // 60_000) * 60, -int(-end // 60_000) * 60)
        numbers = [str(version.number) for version in shown.versions[:_VERSIONS]]

        def measured() -> list[Measure]:
            asked = [about, *({**about, "prompt_version": number} for number in numbers)]
            return [self._spans.measures(slice_, [window])[0] for slice_ in asked]

        whole, *each = await asyncio.to_thread(measured)
        first, last = window[0] * 1000.0, window[1] * 1000.0
        behind: dict[str, str | float] = {**about, "from_ms": first, "to_ms": last}
        found = []
        for number, measure in zip(numbers, each, strict=True):
            scores = tuple(s for s in summaries if s.key.get("prompt_version") == number)
            if measure.calls or scores:
                mine = {**behind, "prompt_version": number}
                found.append(_figures(int(number), measure, scores, mine))
        return PromptMetrics(
            prompt=name, project=owner, from_ms=first, to_ms=last,
            total=_figures(0, whole, (), behind), versions=tuple(found),
        )  # fmt: skip


def _figures(
    number: int,
    measure: Measure,
    scores: tuple[ScoreSummary, ...],
    behind: dict[str, str | float],
) -> PromptFigures:
    return PromptFigures(
        version=number,
        calls=measure.calls,
        errors=measure.errors,
        unpriced=measure.unpriced,
        cost_nano=measure.cost_nano,
        input_tokens=measure.input_tokens,
        output_tokens=measure.output_tokens,
        latency_ms=_quantiles(measure.latency.quantiles(0.5, 0.95, 0.99)),
        ttft_ms=_quantiles(measure.ttft.quantiles(0.5, 0.95, 0.99)),
        tpot_ms=_quantiles(measure.tpot.quantiles(0.5, 0.95, 0.99)),
        scores=scores,
        traces=behind,
    )


def _quantiles(found: list[float | None]) -> Quantiles:
    p50, p95, p99 = (None if ns is None else round(ns / 1e6, 4) for ns in found)
    return Quantiles(p50=p50, p95=p95, p99=p99)
