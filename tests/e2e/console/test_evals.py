"""Evaluations: a run, its rows, its gate, two runs compared, and one started by hand."""

from __future__ import annotations

import asyncio
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import pytest_asyncio
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

RECORDED = """
name = "dishes"
rows = "{rows}.jsonl"
slices = ["metadata.course"]
[target]
kind = "recorded"
[[scorers]]
use = "exact"
"""
ECHOED = """
name = "echoed"
rows = "base.jsonl"
[target]
kind = "model"
model = "echo"
[[scorers]]
use = "exact"
"""


def rows(wrong: set[int]) -> str:
    """Sixty dishes with recorded answers, some of them wrong."""
    made: list[dict[str, Any]] = []
    for number in range(60):
        text = f"soup {number} with bread"
        made.append({
            "id": f"dish-{number:02}", "input": {"text": text}, "expected": text,
            "metadata": {"course": ("starter", "main")[number % 2]},
            "output": text.replace("bread", "rice") if number in wrong else text,
        })  # fmt: skip
    return "".join(json.dumps(row) + "\n" for row in made)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def runs(instance: Instance, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The ids of a good run and of a worse one; beside them a run of the echo model."""
    folder: Path = tmp_path_factory.mktemp("suites")
    (folder / "base.jsonl").write_text(rows({5, 40}))
    (folder / "worse.jsonl").write_text(rows({5, *range(10, 36)}))
    for name in ("base", "worse"):
        (folder / f"{name}.toml").write_text(RECORDED.format(rows=name))
    (folder / "echoed.toml").write_text(ECHOED)

    def run() -> dict[str, str]:
        instance.command("eval", "run", str(folder / "base.toml"), "--message", "as it is")
        good = json.loads(instance.command("eval", "runs", "--json"))[0]["id"]
        instance.command("eval", "gate", good)
        instance.command("eval", "run", str(folder / "worse.toml"), "--message", "shorter")
        worse = json.loads(instance.command("eval", "runs", "--json"))[0]["id"]
        instance.command("eval", "push", str(folder / "echoed.toml"))
        instance.command("eval", "run", str(folder / "echoed.toml"))
        return {"good": good, "worse": worse}

    return await asyncio.to_thread(run)


async def test_a_run_shows_its_metrics_and_its_failing_rows_first(
    open_page: Open, runs: dict[str, str]
) -> None:
    page = await open_page("/evals?suite=dishes")
    await page.get_by_role("row", name=re.compile("shorter")).get_by_role("link").click()
    metrics = page.get_by_role("table", name="Metrics")
    await expect(metrics).to_contain_text("55.0%")
    await page.get_by_role("button", name="Show slices").click()
    await expect(metrics.get_by_role("img")).to_have_count(3)
    table = page.get_by_role("table", name="Rows")
    first = table.get_by_role("row").nth(1)
    await expect(first).to_contain_text("rice")
    await expect(table).to_have_attribute("aria-rowcount", "60")
    await page.get_by_label("Find in rows").fill("soup 33")
    await expect(table).to_have_attribute("aria-rowcount", "1")
    await table.get_by_role("button", name="dish-33").click()
    dialog = page.get_by_role("dialog", name="dish-33")
    await expect(dialog).to_contain_text("soup 33 with bread")
    await expect(dialog).to_contain_text("soup 33 with rice")


async def test_two_runs_are_compared_and_a_gate_says_no(
    open_page: Open, runs: dict[str, str]
) -> None:
    page = await open_page("/evals?suite=dishes")
    for word in ("as it is", "shorter"):
        await page.get_by_role("row", name=re.compile(word)).get_by_role("checkbox").check()
    await page.get_by_role("button", name="Compare").click()
    await expect(page).to_have_url(re.compile(f"run={runs['worse']}&base={runs['good']}|base="))
    differences = page.get_by_role("table", name="Differences")
    await expect(differences).to_contain_text("worse")
    await expect(differences).to_contain_text("−41.7 pt")
    await expect(differences.get_by_role("img").first).to_be_visible()
    cases = page.get_by_role("region", name="Cases")
    await cases.get_by_role("button", name="Better", exact=True).click()
    await expect(cases.get_by_role("listitem")).to_have_count(1)
    await expect(cases).to_contain_text("dish-40")
    await cases.get_by_role("button", name="Worse", exact=True).click()
    await expect(cases.get_by_role("listitem")).to_have_count(26)
    await expect(page.get_by_role("img", name=re.compile("Quality against"))).to_be_visible()

    await page.goto(f"/evals?run={runs['worse']}")
    await page.get_by_role("button", name="Decide the gate").click()
    gate = page.get_by_role("region", name="Gate")
    await expect(gate).to_contain_text("failed")
    await expect(gate.get_by_role("table", name="Rules of the gate")).to_contain_text("broken")
    await expect(gate).to_contain_text("dish-10")


async def test_a_run_is_started_with_its_price_told_and_followed_to_its_end(
    open_page: Open, runs: dict[str, str]
) -> None:
    page = await open_page("/evals?begin=1&suite=echoed")
    dialog = page.get_by_role("dialog", name="Start a run")
    estimate = dialog.get_by_role("region", name="Estimate")
    await expect(estimate).to_contain_text("60 rows")
    await expect(estimate).to_contain_text("8 times in 10")
    await dialog.get_by_label("Why this run").fill("by hand")
    await dialog.get_by_role("button", name="Start", exact=True).click()
    await expect(page.get_by_role("heading", name=re.compile("echoed"))).to_contain_text("by hand")
    await expect(page.get_by_role("table", name="Metrics")).to_contain_text("exact", timeout=60_000)
    trace = page.get_by_role("table", name="Rows").get_by_role("link", name=re.compile("Trace of"))
    await trace.first.click()
    await expect(page).to_have_url(re.compile("/traces/[0-9a-f]{32}"))
