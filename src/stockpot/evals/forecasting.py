"""What a run will cost, and what it can show, before it is started. Pure."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from typing import Any

from stockpot.evals.comparing import Pairs, paired
from stockpot.evals.engine import slices_of
from stockpot.evals.judges.asking import judging_nano
from stockpot.evals.judges.models import Judge
from stockpot.evals.judges.subjects import subject_of
from stockpot.evals.measuring import values_of
from stockpot.evals.models import Detectable, Forecast, Result, Row, SuiteSpec
from stockpot.evals.scorers import PREFIX, made

_DISAGREE = 0.2
"""A share of rows on which two arms are taken to differ, where no earlier runs tell."""
_OUTPUT_TOKENS = 256


def forecast_of(
    spec: SuiteSpec, rows: Sequence[Row], asked: int, cached: int,
    prices: tuple[float, float] | None, last: Sequence[Result], older: Sequence[Result],
) -> Forecast:  # fmt: skip
    """The forecast of a run of `asked` calls, of which `cached` are known already. The tokens are
    those of the last run's rows, else counted in characters."""
    calls = asked - cached
    notes = []
    per_call = _tokens_of(last)
    if per_call is None:
        per_call = _tokens_guessed(spec, rows)
        if calls:
            notes.append("No run of this suite is there yet: tokens are counted in characters.")
    tokens = (round(calls * per_call[0]), round(calls * per_call[1]))
    cost = None
    if prices is not None:
        cost = round((tokens[0] * prices[0] + tokens[1] * prices[1]) * 1000)
    elif calls:
        notes.append("No price is known for what this run asks.")
    judges, judges_nano = _judging(spec, rows)
    if judges:
        notes.append(f"Judges take up to {judges} calls more; what they were asked before is free.")
    return Forecast(
        rows=len(rows) * spec.repeats, calls=calls, cached=cached, input_tokens=tokens[0],
        output_tokens=tokens[1], cost_nano=0 if not calls else cost, judges_calls=judges,
        judges_nano=judges_nano,
        detectable=tuple(_detectable(spec, rows, last, older)), notes=tuple(notes),
    )  # fmt: skip


def _judging(spec: SuiteSpec, rows: Sequence[Row]) -> tuple[int, int | None]:
    """How many calls judges take, and what they cost in nano-dollars; None without a price."""
    scorers = [one for one in spec.scorers if one.use.startswith(PREFIX)]
    pinned = [one.options for one in scorers if one.options.get("judge")]
    judges = [(Judge.model_validate(told["judge"]), told.get("prices") or {}) for told in pinned]
    calls = len(rows) * spec.repeats * sum(judge.calls for judge, _ in judges)
    answer = "word " * _OUTPUT_TOKENS
    found = [
        judging_nano(judge, prices, subject_of(judge, row, answer))
        for judge, prices in judges
        for row in rows
    ]
    return calls, None if None in found else spec.repeats * sum(nano or 0 for nano in found)


def _tokens_of(results: Sequence[Result]) -> tuple[float, float] | None:
    told = [one.usage for one in results if one.usage.input or one.usage.output]
    if not told:
        return None
    return sum(u.input for u in told) / len(told), sum(u.output for u in told) / len(told)


def _tokens_guessed(spec: SuiteSpec, rows: Sequence[Row]) -> tuple[float, float]:
    size = sum(len(json.dumps(row.input, ensure_ascii=False)) for row in rows) / max(1, len(rows))
    limit: Any = spec.target.params.get("max_tokens") or spec.target.params.get(
        "max_completion_tokens"
    )
    return (size + len(spec.target.system)) / 4, float(limit or _OUTPUT_TOKENS)


def _detectable(
    spec: SuiteSpec, rows: Sequence[Row], last: Sequence[Result], older: Sequence[Result]
) -> list[Detectable]:
    from stockpot.stats import minimum_detectable_effect

    size = _cluster_size(spec, rows)
    n = len(rows) * spec.repeats
    found = []
    for told in spec.scorers:
        spread = _spread(paired(older, last), told.metric) if last and older else None
        assumed = spread is None
        if spread is None and made(told).returns == "bool":
            spread = math.sqrt(_DISAGREE)
        if spread is None or n < 2:
            continue
        effect = minimum_detectable_effect(
            spread, n, cluster_size=size, icc=0.5 if size > 1 else 0.0,
            confidence=spec.gate.confidence,
        )  # fmt: skip
        if math.isfinite(effect):
            found.append(Detectable(metric=told.metric, effect=effect, spread=spread,
                                    assumed=assumed))  # fmt: skip
    return found


def _cluster_size(spec: SuiteSpec, rows: Sequence[Row]) -> float:
    if not spec.cluster:
        return float(spec.repeats)
    only = spec.model_copy(update={"slices": (spec.cluster,)})
    clusters = {slices_of(row, only) for row in rows}
    return len(rows) * spec.repeats / max(1, len(clusters))


def _spread(pairs: Pairs, metric: str) -> float | None:
    base, candidate = values_of(pairs.base, metric), values_of(pairs.candidate, metric)
    was = dict(zip(base.rows, base.values, strict=True))
    differences = [
        value - was[row]
        for row, value in zip(candidate.rows, candidate.values, strict=True)
        if row in was
    ]
    if len(differences) < 2:
        return None
    centre = sum(differences) / len(differences)
    spread = math.sqrt(sum((d - centre) ** 2 for d in differences) / (len(differences) - 1))
    return spread or None
