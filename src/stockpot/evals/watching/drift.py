"""Whether scores or texts are other than they were: two windows, stated tests, effects beside
p-values. Knows the span log, scores and embeddings; knows no schedule."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from stockpot.evals.clients import run_header
from stockpot.evals.judges.tools import GatewayTools
from stockpot.evals.watching.languages import language_of
from stockpot.evals.watching.models import DriftSpec
from stockpot.evals.watching.reading import sample, texts_of
from stockpot.evals.watching.tools import Bench
from stockpot.monitors import KeptCheck, Outcome, Underway
from stockpot.stats import Shift, classes_shift, energy, holm, mean_shift, mmd
from stockpot.traces import Score, ScoreFilter

_HOUR_MS = 3_600_000
_PAGE = 500
_EMBEDDED_AT_ONCE = 32
_SHOWN = 5


class Windows(NamedTuple):
    """Two stretches of time, in Unix milliseconds."""

    reference: tuple[float, float]
    now: tuple[float, float]


def windows_of(spec: DriftSpec, at_ms: float) -> Windows:
    """What is compared at a time."""
    start = at_ms - spec.window_h * _HOUR_MS
    begin = spec.reference_from_ms
    if begin is None:
        begin = start - spec.reference_h * _HOUR_MS
        return Windows((begin, start), (start, at_ms))
    return Windows((begin, min(start, begin + spec.reference_h * _HOUR_MS)), (start, at_ms))


def texts_drift(
    spec: DriftSpec, reference: Sequence[str], now: Sequence[str],
    vectors: tuple[Any, Any] | None,
) -> dict[str, Shift]:  # fmt: skip
    """Every feature's test."""
    found: dict[str, Shift] = {}
    rounds = _rounds(spec)
    if "embedding" in spec.features and vectors is not None:
        test = mmd if spec.test == "mmd" else energy
        found["embedding"] = test(vectors[0], vectors[1], spec.seed, rounds)
    if "length" in spec.features:
        sizes = [[math.log1p(len(text)) for text in texts] for texts in (reference, now)]
        found["length"] = energy(np.array(sizes[0]), np.array(sizes[1]), spec.seed, rounds)
    if "language" in spec.features:
        spoken = [[language_of(text) for text in texts] for texts in (reference, now)]
        found["language"] = classes_shift(spoken[0], spoken[1], spec.seed, rounds)
    return found


def scores_drift(
    spec: DriftSpec, values: Sequence[Sequence[float]], weights: Sequence[Sequence[float]]
) -> Shift:
    """The test of a score's mean; each pair is reference and now."""
    return mean_shift(values[0], values[1], weights[0], weights[1], spec.seed, _rounds(spec))


def _rounds(spec: DriftSpec) -> int:
    """Fewer permutations could not show a p-value below `alpha` for every feature."""
    return max(999, int(15 / spec.alpha) - 1)


def decided(
    spec: DriftSpec, found: dict[str, Shift], sizes: tuple[int, int], at: Windows
) -> Outcome:
    """What the tests say together."""
    adjusted = dict(zip(found, holm([one.p for one in found.values()]), strict=True))
    moved = [
        name
        for name, one in found.items()
        if adjusted[name] < spec.alpha and one.effect >= spec.min_effect
    ]
    features = {
        name: {**_plain(one), "p_adjusted": adjusted[name], "moved": name in moved}
        for name, one in found.items()
    }
    least = min(adjusted, key=lambda name: adjusted[name])
    what = f"score {spec.score}" if spec.of == "score" else spec.of
    one = found[least]
    told = f"{one.test}: p {adjusted[least]:.2g}, effect {one.effect:.2g}"
    words = f"{what} drifted: {', '.join(moved)} ({told})" if moved else f"{what}: none ({told})"
    result = {
        "features": features, "reference": {"n": sizes[0], "from_ms": at.reference[0],
        "to_ms": at.reference[1]}, "now": {"n": sizes[1], "from_ms": at.now[0],
        "to_ms": at.now[1]}, "alpha": spec.alpha, "min_effect": spec.min_effect,
    }  # fmt: skip
    return Outcome(words, result, bool(moved), adjusted[least], sizes[1])


class DriftDoer:
    """Does drift checks. `clock` gives Unix seconds."""

    def __init__(self, bench: Bench, clock: Callable[[], float] = time.time) -> None:
        self._bench = bench
        self._clock = clock

    async def do(self, check: KeptCheck, underway: Underway) -> Outcome:
        """Both windows, now."""
        spec = DriftSpec.model_validate(check.spec)
        at = windows_of(spec, self._clock() * 1000)
        if spec.of == "score":
            return await self._scores(check.project, spec, at)
        return await self._texts(check, spec, at)

    async def _scores(self, project: str, spec: DriftSpec, at: Windows) -> Outcome:
        before = await self._read(project, spec, at.reference)
        after = await self._read(project, spec, at.now)
        if (few := _few(spec, len(before), len(after))) is not None:
            return few
        values = [[score.value or 0.0 for score in side] for side in (before, after)]
        weights = [[score.weight for score in side] for side in (before, after)]
        shift = await asyncio.to_thread(scores_drift, spec, values, weights)
        return decided(spec, {"mean": shift}, (len(before), len(after)), at)

    async def _read(
        self, project: str, spec: DriftSpec, window: tuple[float, float]
    ) -> list[Score]:
        cut = {
            name: getattr(spec.cut, name)
            for name in ("environment", "model", "prompt_name", "prompt_version")
        }
        where = ScoreFilter(
            project=project, name=spec.score, from_ms=window[0], to_ms=window[1], **cut
        )
        found: list[Score] = []
        cursor: str | None = None
        while len(found) < 20 * spec.most:
            page = await self._bench.scores.query(where, cursor, _PAGE)
            found += [score for score in page.items if score.value is not None]
            cursor = page.next_cursor
            if cursor is None:
                break
        return found

    async def _texts(self, check: KeptCheck, spec: DriftSpec, at: Windows) -> Outcome:
        project = check.project
        own = await self._bench.own_keys(project)

        def read() -> list[list[str]]:
            sides = []
            for window in (at.reference, at.now):
                where = spec.cut.where(project, from_ms=window[0], to_ms=window[1])
                spans = sample(self._bench.spans, where, spec.cut, own, spec.most, spec.seed)
                sides.append(texts_of(self._bench.spans, spans, spec.of))
            return sides

        before, after = await asyncio.to_thread(read)
        if (few := _few(spec, len(before), len(after))) is not None:
            return few
        vectors = None
        if "embedding" in spec.features:
            client = await self._bench.client_of(project)
            client.headers.update(run_header(check.id))
            try:
                vectors = await embedded(GatewayTools(client), spec.model, before, after)
            finally:
                await client.aclose()
        found = await asyncio.to_thread(texts_drift, spec, before, after, vectors)
        outcome = decided(spec, found, (len(before), len(after)), at)
        examples = {"examples": [text[:300] for text in after[:_SHOWN]]}
        return outcome._replace(result={**outcome.result, **examples})


async def embedded(tools: GatewayTools, model: str, *sides: Sequence[str]) -> tuple[Any, ...]:
    """A matrix of vectors for each list of texts; the same text is asked for once."""
    texts = list(dict.fromkeys(text for side in sides for text in side))
    vectors: dict[str, list[float]] = {}
    for start in range(0, len(texts), _EMBEDDED_AT_ONCE):
        part = texts[start : start + _EMBEDDED_AT_ONCE]
        vectors.update(zip(part, await tools.embed(part, model), strict=True))
    return tuple(np.array([vectors[text] for text in side]) for side in sides)


def _few(spec: DriftSpec, before: int, after: int) -> Outcome | None:
    if min(before, after) >= spec.least:
        return None
    words = f"{before} before and {after} now, each side needs {spec.least}"
    return Outcome(words, {"reference": {"n": before}, "now": {"n": after}}, None, None, after)


def _plain(one: Shift) -> dict[str, Any]:
    """JSON knows no infinity."""
    told = one._asdict()
    return {
        name: None if isinstance(value, float) and not math.isfinite(value) else value
        for name, value in told.items()
    }
