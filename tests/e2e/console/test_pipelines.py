"""Scheduled work and readiness: declared on the terminal, done by the jobs' process, looked at."""

from __future__ import annotations

import asyncio
import re
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

DECLARED = """
[[canary]]
name = "vendor"
model = "gpt-4o-mini"
embedding = ""
references = 1
prompts = ["Name three soups.", "What is in a minestrone?", "Is it vegan?"]

[[online]]
name = "brief"
delay_s = 0
rate = 1.0
scorer = { use = "regex", name = "brief", options = { pattern = "^.{1,400}$" } }

[[pipeline]]
name = "nightly"
schedule.cron = "0 3 * * *"
[[pipeline.step]]
id = "same-model"
use = "canary"
options = { name = "vendor" }
[[pipeline.step]]
id = "scores"
use = "online"
options = { name = "brief" }
"""


async def test_a_pipeline_is_declared_runs_and_shows_its_steps(
    instance: Instance, open_page: Open, tmp_path: Path
) -> None:
    file = tmp_path / "pipeline.toml"
    file.write_text(DECLARED)
    told = await asyncio.to_thread(instance.command, "pipelines", "apply", str(file))
    assert "put the pipeline nightly" in told
    page = await open_page("/pipelines")
    table = page.get_by_role("table", name="Scheduled work")
    await expect(table.get_by_text("cron 0 3 * * *")).to_be_visible()
    await table.get_by_role("link", name="nightly").click()
    await expect(page.get_by_text("It has not run yet")).to_be_visible()
    await page.get_by_role("button", name="Run now").click()
    steps = page.get_by_role("table", name="Steps")
    await expect(steps.get_by_role("row")).to_have_count(3, timeout=60_000)
    await expect(steps.get_by_text("done", exact=True)).to_have_count(2, timeout=60_000)
    await expect(steps.get_by_text("reference 1 of 1 taken")).to_be_visible()
    await steps.get_by_role("link", name=re.compile("reference 1 of 1")).click()
    await expect(page.get_by_role("heading", name="vendor", level=2)).to_be_visible()
    await page.get_by_role("button", name="Run now").click()
    tests = page.get_by_role("table", name="Tests")
    await expect(tests.get_by_role("row", name=re.compile("same text no"))).to_be_visible(
        timeout=60_000
    )
    await page.get_by_role("button", name="Accept as baseline").click()
    await page.get_by_label("Reason").fill("the vendor said so")
    await page.get_by_role("button", name="Accept", exact=True).click()
    found = page.get_by_role("region", name="What it found")
    await expect(found).to_contain_text("accepted: the answers to 3 prompts", timeout=30_000)
    scores = await asyncio.to_thread(instance.command, "scores", "list", "--name", "brief")
    assert "brief" in scores


async def test_readiness_says_where_a_project_stands_and_what_blocks_it(open_page: Open) -> None:
    page = await open_page("/readiness?project=default")
    await expect(page.get_by_role("heading", name=re.compile("default"), level=2)).to_be_visible()
    blocks = page.get_by_role("region", name="What blocks the next rung")
    await expect(blocks).to_contain_text("stockpot projects change default --owner EMAIL")
    rungs = page.get_by_role("list", name="Rungs, the highest first")
    await expect(rungs.get_by_role("heading", level=3)).to_have_text(
        ["Production", "Guarded", "Measured", "Accountable", "Demo"]
    )
    await page.get_by_role("link", name="Evidence: Calls are recorded").click()
    await expect(page.get_by_role("heading", name="Traces", level=1)).to_be_visible()
