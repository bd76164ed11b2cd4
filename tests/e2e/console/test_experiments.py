"""Experiments in a browser: an empty page that teaches, a plan, and a draft that is started,
ramped, stopped and removed."""

from __future__ import annotations

import asyncio
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from playwright.async_api import Page, expect

if TYPE_CHECKING:
    from tests.e2e.console.conftest import Open
    from tests.running import Instance

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.needs("chromium", "console"),
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.timeout(300),
]

FILE = """
hypothesis = "A cheaper model is good enough"
kind = "route"
subject = "gpt-4o-mini"
unit = "session"
share = 2500
arms = [{ name = "now", weight = 5000 }, { name = "slow", weight = 5000, target = "slow" }]
metrics = [{ name = "latency_ms", role = "primary" },
           { name = "error", role = "guardrail", margin = 0.05 }]
"""


async def test_an_experiment_is_planned_started_ramped_and_stopped(
    instance: Instance, open_page: Open, tmp_path: Path
) -> None:
    page = await open_page("/experiments?project=nothing-here")
    await expect(page.get_by_text("stockpot experiments create tone.toml --start")).to_be_visible()
    await page.get_by_role("link", name="See first how long it takes").click()
    plan = page.get_by_role("dialog", name="How long would an experiment take?")
    await expect(plan).to_contain_text("28,000 units in 14 days show a difference of")
    await plan.get_by_label("Units a day").fill("10")
    await expect(plan).to_contain_text("too few to see anything")
    await plan.get_by_role("button", name="Close").click()

    file = tmp_path / "cheaper.toml"
    file.write_text(FILE)
    made = await asyncio.to_thread(instance.command, "experiments", "create", str(file), "--json")
    await page.goto("/experiments")
    try:
        await moved(page)
    finally:
        told = await asyncio.to_thread(instance.command, "experiments", "list", "--json")
        for one in json.loads(told):
            if one["id"] == json.loads(made)["id"]:
                await asyncio.to_thread(instance.command, "experiments", "stop", one["name"])
                await asyncio.to_thread(instance.command, "experiments", "remove", one["name"])


async def moved(page: Page) -> None:
    """Starts, ramps, stops and removes the experiment."""
    await page.get_by_role("link", name="cheaper").click()
    await expect(page.get_by_role("region", name="Decides on")).to_contain_text("margin 5%")
    await page.get_by_role("button", name="Start").click()
    arms = page.get_by_role("table", name="Arms")
    await expect(arms).to_contain_text("slow")
    decisions = page.get_by_role("list", name="Decisions")
    await expect(decisions).to_contain_text("started")
    await page.get_by_role("button", name="Ramp").click()
    dialog = page.get_by_role("dialog", name="Ramp cheaper")
    await dialog.get_by_label("Taking part, in %").fill("60")
    await dialog.get_by_label("Reason").fill("a quiet day")
    await dialog.get_by_role("button", name="Ramp").click()
    await expect(decisions).to_contain_text("25% → 60%")
    await expect(decisions).to_contain_text("a quiet day")
    await page.get_by_role("button", name="Stop").click()
    await page.get_by_role("dialog").get_by_role("button", name="Stop").click()
    await expect(decisions).to_contain_text("60% → 0%")
    await page.get_by_role("button", name="Remove this experiment").click()
    await page.get_by_role("alertdialog").get_by_role("button", name="Remove").click()
    await expect(page).to_have_url(re.compile("/experiments(\\?|$)"))
    await expect(page.get_by_role("link", name="cheaper", exact=True)).to_have_count(0)
