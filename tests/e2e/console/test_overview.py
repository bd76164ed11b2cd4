"""The overview: figures of the window, and each a link to the calls behind it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from playwright.async_api import expect

if TYPE_CHECKING:
    from tests.e2e.console.conftest import Open

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.needs("chromium", "console"),
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.timeout(300),
]


async def test_it_shows_traffic_spend_latency_and_errors(open_page: Open) -> None:
    page = await open_page("/overview?range=1h")
    totals = page.get_by_role("region", name="Totals")
    for label in ("Calls", "Errors", "Spend", "Tokens", "Latency p50", "TTFT p50", "TPOT p50"):
        await expect(totals.get_by_text(label, exact=True)).to_be_visible()
    await expect(totals.get_by_role("link", name=re.compile("^Spend"))).to_contain_text("$0.0")
    for title in ("Traffic", "Spend", "Tokens", "Latency", "Time to first token"):
        figure = page.get_by_role("figure").filter(has_text=title).first
        await expect(figure.locator("canvas")).to_be_visible()
    models = page.get_by_role("region", name="Models")
    await expect(models.get_by_role("link", name="gpt-4o-mini")).to_be_visible()


async def test_the_number_of_errors_is_the_number_of_traces_behind_it(open_page: Open) -> None:
    page = await open_page("/overview?range=1h")
    link = page.get_by_role("region", name="Totals").get_by_role("link", name=re.compile("^Errors"))
    await expect(link).to_contain_text(re.compile(r"Errors\d"))
    told = int(re.findall(r"\d+", await link.inner_text())[0])
    assert told >= 4
    await link.click()
    await expect(page).to_have_url(re.compile(r"/traces\?.*failed=1"))
    await expect(page).to_have_url(re.compile("range=1h"))
    await expect(page.get_by_text(f"{told} traces, that is all")).to_be_visible()


async def test_an_error_class_leads_to_its_calls(open_page: Open) -> None:
    page = await open_page("/overview?range=1h")
    errors = page.get_by_role("region", name="Errors")
    await errors.get_by_role("link", name="model_not_found").click()
    await expect(page.get_by_role("cell", name="no-such-model").first).to_be_visible()
    await expect(page.get_by_text("error: model_not_found")).to_be_visible()


async def test_a_chosen_range_is_in_the_address_and_survives_a_change_of_page(
    open_page: Open,
) -> None:
    page = await open_page("/overview")
    await page.get_by_label("Time range").select_option("Last 6 hours")
    await expect(page).to_have_url(re.compile("range=6h"))
    await page.get_by_role("link", name="Traces", exact=True).click()
    await expect(page).to_have_url(re.compile(r"/traces\?range=6h"))
    await expect(page.get_by_label("Time range")).to_have_value("6h")


async def test_dragging_over_a_chart_chooses_its_window(open_page: Open) -> None:
    page = await open_page("/overview?range=6h")
    chart = page.get_by_role("figure").filter(has_text="Traffic").locator(".u-over")
    box = await chart.bounding_box()
    assert box is not None
    y = box["y"] + box["height"] / 2
    await page.mouse.move(box["x"] + box["width"] * 0.4, y)
    await page.mouse.down()
    await page.mouse.move(box["x"] + box["width"] * 0.8, y, steps=6)
    await page.mouse.up()
    await expect(page).to_have_url(re.compile(r"from_ms=\d+&to_ms=\d+"))
    await expect(page.get_by_label("Time range")).to_have_value("fixed")
