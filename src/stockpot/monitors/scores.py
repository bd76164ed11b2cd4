"""Scores as monitors read them: counts, sums and how many lay below a bound, by window.

Sums and what lay below weigh each score by the answers that it stands for, scaled to the count.

Knows the verbs of scores; knows no rule.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from stockpot.core.errors import InvalidInput, did_you_mean
from stockpot.monitors.figures import Scored
from stockpot.traces import Badge, ScoreFilter, ScoreService

SLICES = ("project", "environment", "model", "prompt_name", "prompt_version", "variant")
"""What scores are kept by."""

_FEW = 12
_PAGE = 500
_MOST = 50_000
"""More scores than these are not looked back over."""


def check_score_slice(where: Mapping[str, str]) -> None:
    """Raises InvalidInput for a slice that scores are not kept by."""
    for name in where:
        if name not in SLICES:
            raise InvalidInput(
                f"scores are not kept by {name!r}.{did_you_mean(name, SLICES)}",
                hint=f"a slice of scores is cut by {', '.join(SLICES)}",
            )


class ScoresOfLog:
    """Reads scores by window: a few windows by sums in the store, many by reading the scores."""

    def __init__(self, scores: ScoreService) -> None:
        self._scores = scores

    async def scored(
        self, name: str, where: Mapping[str, str], windows: Sequence[tuple[int, int]], bound: float
    ) -> list[Scored]:
        """See `ScoreFigures.scored`."""
        check_score_slice(where)
        if len(windows) > _FEW:
            return await self._read(name, where, windows, bound)
        return [await self._summed(_filter(name, where, window), bound) for window in windows]

    async def judges(
        self, name: str, where: Mapping[str, str], window: tuple[int, int]
    ) -> tuple[Badge, ...]:
        """See `ScoreFigures.judges`."""
        check_score_slice(where)
        return await self._scores.judges_behind(_filter(name, where, window))

    async def _summed(self, where: ScoreFilter, bound: float) -> Scored:
        found = await self._scores.summary(where, "name")
        if not found or not found[0].numbers:
            return Scored(0, 0.0, 0)
        below = where.model_copy(update={"max_value": math.nextafter(bound, -math.inf)})
        bad = await self._scores.summary(below, "name")
        number, stood_for = found[0].numbers, found[0].weight
        share = bad[0].weight / stood_for if bad and stood_for else 0.0
        return Scored(number, (found[0].mean or 0.0) * number, share * number)

    async def _read(
        self, name: str, where: Mapping[str, str], windows: Sequence[tuple[int, int]], bound: float
    ) -> list[Scored]:
        """`windows` follow each other without gaps, all of one length."""
        begin, width = windows[0][0], windows[0][1] - windows[0][0]
        sums = [[0, 0.0, 0.0, 0.0] for _ in windows]
        whole = _filter(name, where, (begin, windows[-1][1]))
        cursor: str | None = None
        for _ in range(_MOST // _PAGE):
            page = await self._scores.query(whole, cursor, _PAGE)
            for score in page.items:
                if score.value is None:
                    continue
                row = sums[int(score.created_ms / 1000 - begin) // width]
                row[0] += 1
                row[1] += score.value * score.weight
                row[2] += (score.value < bound) * score.weight
                row[3] += score.weight
            cursor = page.next_cursor
            if cursor is None:
                break
        return [
            Scored(int(n), total / weight * n, below / weight * n) if n else Scored(0, 0.0, 0.0)
            for n, total, below, weight in sums
        ]


def _filter(name: str, where: Mapping[str, str], window: tuple[int, int]) -> ScoreFilter:
    return ScoreFilter(name=name, from_ms=window[0] * 1000, to_ms=window[1] * 1000, **dict(where))
