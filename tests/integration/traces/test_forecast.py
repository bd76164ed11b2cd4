"""What a month will have cost, asked over HTTP of a real span log and told on a terminal."""

from __future__ import annotations

import json
import time
import zlib
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from click.testing import CliRunner

from stockpot.traces import TraceFilter
from stockpot.traces.cli import traces
from stockpot.traces.outlook import month_end
from tests.integration.traces.conftest import Asked
from tests.unit.traces.made import make_shipment, make_shipped

pytestmark = pytest.mark.integration
DAY_NS = 86_400 * 10**9
DOLLAR = 10**9


def spend(asked: Asked, project: str, noon: int, days: int, **more: Any) -> None:
    """A dollar at each noon of the days before the one of `noon`, and three at weekends."""
    made = []
    for back in range(days, 0, -1):
        at = noon - back * DAY_NS
        weekend = datetime.fromtimestamp(at / 1e9, UTC).weekday() >= 5
        cost = 3 * DOLLAR if weekend and more.get("weekly") else DOLLAR
        made.append(make_shipped(
            zlib.crc32(project.encode()) + back, project=project, start_ns=at, cost_nano=cost
        ))  # fmt: skip
    asked.log.ingest(make_shipment(*made, stream=f"{project}-0-1"))


def noon_of(now: datetime) -> int:
    return int(now.replace(hour=12, minute=0, second=0, microsecond=0).timestamp()) * 10**9


def test_a_month_is_told_from_its_days(asked: Asked) -> None:
    now = datetime.fromtimestamp(time.time(), UTC)
    spend(asked, "steady", noon_of(now), 12)
    found = asked.client.get("/api/v1/spending/forecast", project="steady")
    after = (now.replace(day=28) + timedelta(days=4)).replace(day=1)
    left = (after.replace(hour=0, minute=0, second=0, microsecond=0) - now) / timedelta(days=1)
    assert found["days"] == 11  # the first day may be a part of one
    assert found["spent_nano"] == min(12, now.day - 1) * DOLLAR
    assert found["forecast_nano"] == pytest.approx(
        found["spent_nano"] + left * DOLLAR, abs=0.01 * DOLLAR
    )
    assert found["low_nano"] == pytest.approx(found["high_nano"], abs=1000)
    ran = CliRunner().invoke(traces, ["forecast", "--project", "steady"], obj=asked.client)
    assert "with 90% between $" in ran.output
    assert asked.http.get("/api/v1/spending/forecast?projcet=x").status_code == 422


def test_too_few_days_are_said_to_be_too_few(asked: Asked) -> None:
    spend(asked, "young", noon_of(datetime.now(UTC)), 4)
    ran = CliRunner().invoke(traces, ["forecast", "--project", "young", "--json"], obj=asked.client)
    found = json.loads(ran.stdout)
    assert (found["forecast_nano"], found["days"], found["days_needed"]) == (None, 3, 7)
    assert "7 whole days" in found["note"]
    said = CliRunner().invoke(traces, ["forecast", "--project", "nobody"], obj=asked.client)
    assert "and there are 0" in said.output


def test_weekends_that_are_left_cost_what_weekends_did(asked: Asked) -> None:
    now = datetime(2026, 8, 28, 12, tzinfo=UTC)  # a Friday; Saturday to Monday are left
    spend(asked, "weekly", noon_of(now), 40, weekly=True)
    told = month_end(asked.followed, TraceFilter(project="weekly"), now.timestamp() * 1000)
    assert (told.method, told.days) == ("weekday means", 28)
    assert told.spent_nano == (27 + 2 * 8) * DOLLAR
    assert told.forecast_nano == told.spent_nano + 7.5 * DOLLAR
    assert told.low_nano == told.high_nano == told.forecast_nano
