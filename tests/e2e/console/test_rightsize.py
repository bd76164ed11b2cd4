"""Right-sizing: a run is started, watched, read, planned and applied."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from playwright.async_api import expect

if TYPE_CHECKING:
    from tests.e2e.console.conftest import Open
    from tests.running import Instance

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.needs("chromium", "console"),
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.timeout(300),
]


def prepared(instance: Instance, folder: Path) -> None:
    """A project with questions, and an alias that leads to a priced model."""
    rows = folder / "rows.jsonl"
    told = [{"input": {"question": f"say {n}"}, "expected": f"say {n}"} for n in range(90)]
    rows.write_text("\n".join(map(json.dumps, told)), "utf-8")
    instance.command("projects", "create", "sizes")
    instance.command("datasets", "create", "sayings", "--project", "sizes")
    instance.command("datasets", "import", "sayings", str(rows), "--project", "sizes")
    instance.command("aliases", "set", "served-now", "--target", "openai/gpt-4o-mini")


async def test_a_run_is_started_read_planned_and_applied(
    open_page: Open, instance: Instance, tmp_path: Path
) -> None:
    await asyncio.to_thread(prepared, instance, tmp_path)
    page = await open_page("/rightsize?project=sizes")
    await expect(page.get_by_role("heading", name="Nothing was held against")).to_be_visible()
    await page.keyboard.press("n")
    dialog = page.get_by_role("dialog", name="Find the cheapest model")
    await dialog.get_by_label("Baseline: what is served now").click()
    await page.get_by_role("option", name="served-now", exact=True).click()
    await dialog.get_by_role("checkbox", name="echo", exact=True).check()
    await dialog.get_by_label("Scorer, without a suite").fill("exact")
    await dialog.get_by_label("Data set", exact=True).fill("sayings")
    await dialog.get_by_role("button", name="Start", exact=True).click()
    table = page.get_by_role("table", name="Candidates")
    await expect(table).to_contain_text("passes", timeout=60_000)
    await expect(table.get_by_role("row", name="echo")).to_contain_text("100%")
    await expect(page.get_by_role("img", name="Difference in exact")).to_be_visible()
    await page.get_by_role("button", name="Plan", exact=True).click()
    plan = page.get_by_role("dialog", name="Move served-now to echo")
    await expect(plan).to_contain_text("aliases.served-now.targets")
    await plan.get_by_role("button", name="Close", exact=True).last.click()
    await page.get_by_role("button", name="Apply", exact=True).click()
    await page.get_by_role("button", name="Start the experiment").click()
    await expect(page.get_by_role("link", name="echo is in the experiment")).to_be_visible()


async def test_a_run_that_is_not_there_is_said_to_be_missing(open_page: Open) -> None:
    page = await open_page("/rightsize?size=size_nope")
    await expect(page.get_by_role("alert")).to_contain_text("no run 'size_nope'")
