"""Scores as a rule sees them, out of the real store of scores."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from stockpot.core.db import open_database
from stockpot.core.errors import InvalidInput
from stockpot.core.instance import Instance
from stockpot.monitors import BurnRateRule, MonitorSlice, ThresholdRule
from stockpot.monitors.scores import ScoresOfLog
from stockpot.monitors.service.looking import Looking
from stockpot.traces import NewScore, ScoreService, open_span_log
from tests.stores import migrated_file


@pytest.fixture
async def looking(tmp_path: Path) -> AsyncIterator[Looking]:
    """Forty thumbs of the last minute, a quarter of them down."""
    db = open_database(migrated_file(tmp_path))
    spans = open_span_log(Instance(tmp_path))
    scores = ScoreService(db, spans, lambda _: ("menu",))
    thumbs = [
        NewScore(project="menu", trace_id=f"{n:032x}", name="thumbs", value=float(n % 4 > 0))
        for n in range(1, 41)
    ]
    await scores.write(thumbs)
    yield Looking(spans, ScoresOfLog(scores), time.time)
    await db.close()
    spans.close()


async def test_the_mean_of_a_score_and_its_share_below_a_bound_are_read(looking: Looking) -> None:
    mean = ThresholdRule(metric="score_mean", score="thumbs", op="below", threshold=0.8)
    reading = await looking.reading(mean, MonitorSlice(), "menu")
    assert (reading.value, reading.samples, reading.beyond) == (0.75, 40, True)
    assert "the score 'thumbs' is 0.75" in reading.reason
    liked = BurnRateRule(
        indicator="score", score="thumbs", bound=0.5, objective=0.9, min_samples=10
    )
    burning = await looking.reading(liked, MonitorSlice(), "menu")
    assert burning.value == pytest.approx(2.5)
    other = await looking.reading(mean, MonitorSlice(), "elsewhere")
    assert other.beyond is None


async def test_a_look_back_over_scores_sees_them_too(looking: Looking) -> None:
    mean = ThresholdRule(metric="score_mean", score="thumbs", op="below", threshold=0.8)
    values = [value for _, value in await looking.last_hour(mean, MonitorSlice(), "menu")]
    assert values[-1] == 0.75
    assert values[0] is None


async def test_a_slice_that_scores_are_not_kept_by_is_refused(looking: Looking) -> None:
    mean = ThresholdRule(metric="score_mean", score="thumbs", threshold=0.8)
    with pytest.raises(InvalidInput, match="not kept by 'provider'"):
        await looking.reading(mean, MonitorSlice(provider="openai"), "menu")


async def test_a_judge_without_a_certificate_pages_nobody_and_is_told_so(tmp_path: Path) -> None:
    db = open_database(migrated_file(tmp_path))
    spans = open_span_log(Instance(tmp_path))
    scores = ScoreService(db, spans, lambda _: ("menu",))
    said = [
        NewScore(project="menu", trace_id=f"{n:032x}", name="polite", value=0.0, source="judge",
                 evaluator="judge:polite@1")
        for n in range(1, 41)
    ]  # fmt: skip
    await scores.write(said)
    rule = ThresholdRule(metric="score_mean", score="polite", op="below", threshold=0.8)
    reading = await Looking(spans, ScoresOfLog(scores), time.time).reading(
        rule, MonitorSlice(), "menu"
    )
    assert (reading.beyond, reading.severity) == (True, "ticket")
    assert "for information only: judge:polite@1 is uncertified" in reading.reason
    await db.close()
    spans.close()
