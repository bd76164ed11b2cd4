"""Scores beside other figures of a window. Knows scores; knows no span."""

from __future__ import annotations

from stockpot.traces.models import Sight, TraceFilter
from stockpot.traces.provenance import Feedback, FeedbackOf, Window
from stockpot.traces.scores.models import ScoreBy, ScoreFilter
from stockpot.traces.scores.service import ScoreService


class ScoresBeside:
    """What `traces.router` asks for to show feedback beside what changed."""

    def __init__(self, scores: ScoreService) -> None:
        self._scores = scores

    async def __call__(
        self, where: TraceFilter, window: Window, dimension: str, sight: Sight | None
    ) -> FeedbackOf:
        about = ScoreFilter(
            project=where.project, environment=where.environment, model=where.model,
            prompt_name=where.prompt_name, from_ms=window.from_ms, to_ms=window.to_ms,
        )  # fmt: skip
        by: ScoreBy = "prompt" if dimension == "prompt" else "model" if dimension else "name"
        found: dict[str, list[Feedback]] = {}
        for one in await self._scores.summary(about, by, sight):
            if one.numbers:
                told = Feedback(name=one.name, n=one.numbers, mean=one.mean, badges=one.badges)
                found.setdefault(_value(one.key, dimension), []).append(told)
        return {value: tuple(told) for value, told in found.items()}


def _value(key: dict[str, str], dimension: str) -> str:
    if dimension == "prompt":
        name, version = key.get("prompt_name", ""), key.get("prompt_version", "")
        return f"{name}@{version}" if name else ""
    return key.get(dimension, "") if dimension else ""
