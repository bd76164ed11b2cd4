"""The frame around every page: keys, palette, themes, lost connections, accessibility."""

from __future__ import annotations

import asyncio
import json
import re
from typing import TYPE_CHECKING

import pytest
from playwright.async_api import expect

from tests.e2e.console.accessibility import faults_of

if TYPE_CHECKING:
    from tests.e2e.console.conftest import Open, Theme

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.needs("chromium", "console"),
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.timeout(300),
]

HAS_THE_PALETTE = """async () => {
  const scripts = performance.getEntriesByType("resource").filter((one) => /\\.js$/.test(one.name));
  for (const { name } of scripts) {
    const text = await (await fetch(name)).text();
    if (text.includes("or a trace id")) return Boolean(await import(name));
  }
  return false;
}"""
"""Whether the page has fetched the palette by itself, waiting until it is evaluated."""

PAGES = (
    "/overview?range=1h",
    "/traces",
    "/sessions",
    "/playground",
    "/prompts",
    "/models",
    "/keys",
    "/routes",
    "/providers",
    "/revisions",
    "/cost?range=1h",
    "/judges",
    "/guardrails",
    "/monitors",
    "/pipelines",
    "/readiness",
    "/evals",
    "/rightsize",
    "/experiments",
    "/feedback",
    "/datasets",
    "/annotation",
    "/requests",
    "/people",
    "/audit",
    "/settings",
)


async def test_two_keys_lead_to_each_page(open_page: Open) -> None:
    page = await open_page("/overview")
    await expect(page.get_by_role("heading", name="Overview", level=1)).to_be_visible()
    for letter, path in (("t", "traces"), ("p", "playground"), ("m", "models"), ("k", "keys")):
        await page.keyboard.press("g")
        await page.keyboard.press(letter)
        await expect(page).to_have_url(re.compile(f"/{path}"))
    await page.keyboard.press("?")
    await expect(page.get_by_role("dialog", name="Keyboard shortcuts")).to_be_visible()


async def test_the_palette_finds_pages_actions_and_traces(open_page: Open) -> None:
    page = await open_page("/traces")
    row = page.get_by_role("row").nth(1).get_by_role("link")
    trace_id = re.findall(r"[0-9a-f]{32}", await row.get_attribute("href") or "")[0]
    await page.keyboard.press("Control+k")
    box = page.get_by_role("combobox", name="Search or jump to")
    await box.fill("create key")
    await expect(page.get_by_role("option").first).to_contain_text("Create a key")
    await box.fill(trace_id[:10])
    await expect(page.get_by_role("option", name=re.compile(trace_id))).to_be_visible()
    await page.keyboard.press("Enter")
    await expect(page).to_have_url(re.compile(trace_id))


async def test_a_chosen_theme_outlives_the_page(open_page: Open) -> None:
    page = await open_page("/models", theme="light")
    await expect(page.locator("html")).to_have_attribute("data-theme", "light")
    await page.get_by_role("button", name="Dark theme").click()
    await expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    await page.reload()
    await expect(page.locator("html")).to_have_attribute("data-theme", "dark")


async def test_an_unknown_address_leads_back(open_page: Open) -> None:
    page = await open_page("/no/such/page")
    await expect(page.get_by_role("heading", name="There is no page")).to_be_visible()
    await page.get_by_role("link", name="Go to the overview").click()
    await expect(page).to_have_url(re.compile("/overview"))


async def test_a_lost_connection_is_said_and_so_is_its_return(open_page: Open) -> None:
    page = await open_page("/models")
    await expect(page.get_by_role("button", name="Test echo")).to_be_visible()
    async with asyncio.timeout(60):
        while not await page.evaluate(HAS_THE_PALETTE):
            await asyncio.sleep(0.5)
    await page.context.set_offline(True)
    await page.keyboard.press("Control+k")
    await expect(page.get_by_role("combobox", name="Search or jump to")).to_be_visible()
    await page.keyboard.press("Escape")
    banner = page.get_by_role("alert").filter(has_text="Connection lost")
    await expect(banner).to_be_visible(timeout=20_000)
    await expect(page.get_by_role("button", name="Test echo")).to_be_visible()
    await page.get_by_role("link", name="Audit log", exact=True).click()
    away = page.get_by_role("main").get_by_role("alert")
    await expect(away).to_contain_text("The control plane does not answer.")
    await page.context.set_offline(False)
    await expect(banner).to_have_count(0, timeout=20_000)
    await expect(away).to_have_count(0)
    await expect(page.get_by_role("link", name="Export", exact=True)).to_be_visible()


async def test_a_failing_read_shows_its_hint_and_can_be_tried_again(open_page: Open) -> None:
    page = await open_page("/traces")
    broken = {
        "error": {"code": "unavailable", "message": "the log is away", "hint": "stockpot doctor"}
    }

    async def fail(route: object) -> None:
        await route.fulfill(status=422, body=json.dumps(broken))  # type: ignore[attr-defined]

    await page.route("**/api/v1/overview?*", fail)
    await page.get_by_role("link", name="Overview", exact=True).click()
    alert = page.get_by_role("alert")
    await expect(alert).to_contain_text("the log is away")
    await expect(alert).to_contain_text("stockpot doctor")
    await page.unroute("**/api/v1/overview?*")
    await alert.get_by_role("button", name="Try again").click()
    await expect(page.get_by_role("region", name="Totals")).to_be_visible()


@pytest.mark.parametrize("path", PAGES)
async def test_a_page_fits_nine_hundred_pixels(open_page: Open, path: str) -> None:
    page = await open_page(path, width=900)
    await expect(page.get_by_role("heading", level=1)).to_be_visible()
    await page.wait_for_load_state("networkidle")
    wide = await page.evaluate("() => document.documentElement.scrollWidth")
    assert wide <= 900


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("path", PAGES)
async def test_a_page_keeps_the_rules_of_accessibility(
    open_page: Open, axe: str, path: str, theme: Theme
) -> None:
    page = await open_page(path, theme=theme)
    await expect(page.get_by_role("heading", level=1)).to_be_visible()
    await page.wait_for_timeout(800)
    assert await faults_of(page, axe) == []
