"""Production is scored within a budget, dislikes are looked at, a falling score alarms."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest
import sqlalchemy as sa

from stockpot.monitors.checks.store import check_by_id, runs, set_check
from stockpot.traces.scores.store import scores
from tests.integration.control.plane import Plane, running
from tests.integration.evals.checks import called, ok, ran
from tests.integration.evals.stand_in import StandIn
from tests.integration.evals.test_jobs_process import LAB
from tests.integration.evals.test_watching import PRICE, SAYS, told
from tests.integration.monitors.receiver import receiving

pytestmark = pytest.mark.integration
POLITE, RUDE = ("go", "please sit"), ("go", "go away")
EACH = 20_000
"""Nano-dollars of a judgement: 10 tokens at $1 and 5 at $2 per million."""
TWO_DAYS_MS = 2 * 86_400_000
"""Before the day of the budget, on whichever side of midnight a run was."""


class House(NamedTuple):
    plane: Plane
    gateway: StandIn
    admin: httpx.AsyncClient
    folder: Path

    async def ran(self, check: dict[str, Any]) -> dict[str, Any]:
        return await ran(self.plane, self.gateway, self.admin, check, self.folder)

    async def earlier(self, table: sa.Table, by_ms: int) -> None:
        """What is in a table happened so much earlier."""
        moved = sa.update(table).values(created_ms=table.c.created_ms - by_ms)
        await self.plane.app.state.control.db.write(lambda c: c.execute(moved))


@pytest.fixture
async def house(stand_in: StandIn, tmp_path: Path) -> AsyncIterator[House]:
    async with running(tmp_path / "home") as plane:
        yield House(plane, stand_in, await plane.admin(), tmp_path)


async def judged(house: House) -> dict[str, Any]:
    """A rule that has a judge look at every answer, for thirty judgements a day."""
    admin = house.admin
    house.gateway.says = lambda body: (
        '{"reason": "seen", "verdict": "%s"}'
        % ("pass" if "please" in body["messages"][-1]["content"] else "fail")
    )
    await ok(admin, "PUT", "/providers/lab", LAB)
    judge = {"name": "polite", "model": "m", "criteria": "The answer is polite."}
    await ok(admin, "POST", "/evals/judges", judge)
    rule = {"name": "polite", "rate": 1.0, "delay_s": 0, "max_usd_day": 30 * EACH / 1e9,
            "scorer": {"use": "judge:polite"}}  # fmt: skip
    refused = await admin.put("/api/v1/online", json=rule)
    assert "no price is known of 'm'" in refused.json()["error"]["message"]
    await ok(admin, "POST", "/prices", {"provider": "lab", "model": "m", **PRICE})
    made: dict[str, Any] = await ok(admin, "PUT", "/online", rule)
    return made


async def test_a_judge_stops_at_the_days_budget_says_so_and_goes_on_the_next_day(
    house: House,
) -> None:
    rule = await judged(house)
    done = []
    for number in range(4):
        called(house.plane, [(f"{number}", POLITE[1]), (f"{number}", RUDE[1])] * 50)
        done.append(await house.ran(rule))
        assert sum(run["cost_nano"] for run in done) <= 30 * EACH
    assert [run["result"]["seen"] for run in done] == [100] * 4
    drawn = sum(run["result"]["drawn"] for run in done)
    assert 15 < drawn == house.gateway.calls <= 30
    assert done[-1]["result"]["uncovered"] > 0
    assert "not covered: the day's budget is spent" in done[-1]["words"]
    assert done[1]["result"]["cost"]["limit_nano"] == 30 * EACH
    page = await ok(house.admin, "GET", "/scores?project=default&name=polite&limit=200")
    assert len(page["items"]) == drawn
    assert {one["badge"]["state"] for one in page["items"]} == {"uncertified"}
    (listed,) = await ok(house.admin, "GET", "/checks")
    assert [badge["judge"] for badge in listed["badges"]] == ["judge:polite@1"]

    await house.earlier(runs, TWO_DAYS_MS)
    called(house.plane, [("next day", POLITE[1])] * 100)
    next_day = await house.ran(rule)
    assert next_day["result"]["seen"] == 100, "what was passed over is not gone back to"
    assert 0 < next_day["cost_nano"] <= 30 * EACH
    assert next_day["result"]["estimate"]["mean"] == 1.0

    await house.earlier(runs, TWO_DAYS_MS)
    called(house.plane, [("mumbled", POLITE[1])] * 100)
    house.gateway.says = lambda _: "It is hard to say."
    mumbled = await house.ran(rule)
    unread = mumbled["result"]["drawn"]
    assert sum(mumbled["result"]["missing"].values()) == unread > 0
    assert mumbled["words"].startswith("0 of 100 spans scored")
    assert f"without a verdict: {unread} parse" in mumbled["words"]


async def test_what_users_dislike_is_all_looked_at_and_counts_once(house: House) -> None:
    rule = await ok(house.admin, "PUT", "/online", {
        "name": "polite", "scorer": SAYS, "rate": 0.2, "delay_s": 0,
        "strata": [{"when": "low_feedback", "rate": 1.0}],
    })  # fmt: skip
    disliked = set(called(house.plane, [RUDE] * 60)[:12])
    for trace in disliked:
        said = {"project": "default", "trace_id": trace, "thumb": "down"}
        await ok(house.admin, "POST", "/feedback", said)
    run = await house.ran(rule)
    page = await ok(house.admin, "GET", "/scores?project=default&name=polite&limit=200")
    weights = {one["trace_id"]: one["weight"] for one in page["items"]}
    assert disliked < weights.keys()
    assert {weights[trace] for trace in disliked} == {1.0}
    assert {weight for trace, weight in weights.items() if trace not in disliked} == {5.0}
    assert run["result"]["seen"] == 60
    await what_was_begun_and_is_gone_holds_nothing_up(house, rule)


async def what_was_begun_and_is_gone_holds_nothing_up(house: House, rule: dict[str, Any]) -> None:
    """A run was killed in the midst of calls that have been erased since."""
    db = house.plane.app.state.control.db

    async def state() -> dict[str, Any]:
        kept = await db.read(lambda c: check_by_id(c, rule["id"]))
        return dict(kept.state)

    before = await state()
    end = before["position"] + 5
    begun = {**before, "pending": {"end": end, "thinned": 1.0}}
    await db.write(lambda c: set_check(c, rule["id"], state=begun))
    await house.ran(rule)
    after = await state()
    assert (after["position"], after["pending"]) == (end, None)


async def test_a_falling_score_alarms_once_with_its_figures_and_a_steady_one_never(
    house: House,
) -> None:
    admin = house.admin
    rule = await ok(admin, "PUT", "/online", {
        "name": "polite", "scorer": SAYS, "rate": 1.0, "delay_s": 0,
    })  # fmt: skip
    called(house.plane, [POLITE, POLITE, POLITE, POLITE, RUDE] * 20)
    await house.ran(rule)
    await house.earlier(scores, 3 * 3_600_000)
    with receiving() as receiver:
        hook = {"name": "ops", "project": "default", "url": receiver.url}
        await ok(admin, "POST", "/channels", hook)
        check = await ok(admin, "PUT", "/drift", {
            "name": "falls", "of": "score", "score": "polite", "window_h": 1, "reference_h": 5,
            "alert": ["ops"],
        })  # fmt: skip
        called(house.plane, [POLITE, POLITE, POLITE, POLITE, RUDE] * 8)
        await house.ran(rule)
        steady = await house.ran(check)
        assert (steady["alarm"], steady["result"]["now"]["n"]) == (False, 40), steady["words"]
        assert await told(house.plane, admin, receiver) == []
        called(house.plane, [POLITE, RUDE, RUDE] * 20)
        await house.ran(rule)
        for _ in range(2):
            fallen = await house.ran(check)
            assert fallen["alarm"], fallen["words"]
            assert await told(house.plane, admin, receiver) == ["monitor.firing"]
        moved = fallen["result"]["features"]["mean"]
        assert moved["statistic"] == pytest.approx(0.52 - 0.8)
        assert moved["p_adjusted"] < 0.01
        reason = receiver.messages[0]["data"]["alert"]["reason"]
        assert reason == fallen["words"]
        assert "score polite drifted: mean (Welch" in reason
