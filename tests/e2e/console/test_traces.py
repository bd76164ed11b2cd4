"""Traces: the list, its filters, the live tail, and one trace in full."""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING

import pytest
from playwright.async_api import expect

from tests.e2e.console.traffic import chat

if TYPE_CHECKING:
    from tests.e2e.console.conftest import Open
    from tests.running import Instance

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.needs("chromium", "console"),
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.timeout(300),
]


async def test_the_list_tells_what_was_asked_answered_spent_and_how_long_it_took(
    open_page: Open,
) -> None:
    page = await open_page("/traces?requested_model=gpt-4o-mini&user=guest-0")
    row = page.get_by_role("row").nth(1)
    await expect(row.get_by_role("cell").nth(0)).to_contain_text(re.compile(r"\d\d:\d\d:\d\d"))
    await expect(row.get_by_role("link", name="gpt-4o-mini")).to_be_visible()
    await expect(row.get_by_role("cell").nth(5)).to_contain_text("$0.0")
    await expect(row.get_by_role("cell").nth(7)).to_contain_text("ms")
    await expect(row.get_by_role("cell").nth(8)).to_contain_text("quickstart")


async def test_words_and_conditions_typed_into_the_search_box_become_filters_in_the_address(
    open_page: Open,
) -> None:
    page = await open_page("/traces")
    await expect(page.get_by_role("row").nth(1)).to_be_visible()
    await page.keyboard.press("/")
    await page.keyboard.type("user:guest-1 status:ok refund")
    await page.keyboard.press("Enter")
    await expect(page).to_have_url(re.compile("user=guest-1"))
    await expect(page).to_have_url(re.compile("q=refund"))
    filters = page.get_by_role("list", name="Active filters")
    await expect(filters.get_by_role("listitem")).to_have_count(4)
    await expect(page.get_by_role("row").nth(1)).to_contain_text("refund policy")
    await filters.get_by_role("button", name="Remove the filter text").click()
    await expect(page).not_to_have_url(re.compile("q=refund"))
    await page.go_back()
    await expect(page).to_have_url(re.compile("q=refund"))


async def test_a_filter_without_matches_says_how_to_widen_it(open_page: Open) -> None:
    page = await open_page("/traces?q=zanzibar")
    await expect(page.get_by_role("heading", name="No trace matches")).to_be_visible()
    await page.get_by_role("button", name="clear all filters").click()
    await expect(page.get_by_role("row").nth(1)).to_be_visible()


async def test_keys_walk_through_the_list_and_escape_closes_the_trace(open_page: Open) -> None:
    page = await open_page("/traces")
    await expect(page.get_by_role("row").nth(1)).to_be_visible()
    await page.keyboard.press("j")
    await expect(page).to_have_url(re.compile(r"/traces/[0-9a-f]{32}"))
    first = page.url
    await page.keyboard.press("j")
    await expect(page).not_to_have_url(first)
    await page.keyboard.press("k")
    await expect(page).to_have_url(first)
    await page.keyboard.press("Escape")
    await expect(page).to_have_url(re.compile(r"/traces$"))


async def test_a_trace_shows_conversation_bodies_timeline_cost_and_details(
    open_page: Open, instance: Instance
) -> None:
    answer = await asyncio.to_thread(
        chat, instance, "Tell me about leeks", "gpt-4o-mini", stream=True, user="guest-leek"
    )
    trace_id = answer.headers["x-stockpot-trace-id"]
    page = await open_page(f"/traces/{trace_id}")
    trace = page.get_by_role("complementary", name="Trace")
    await expect(trace.get_by_role("heading", name="assistant")).to_be_visible()
    await expect(trace.get_by_text("Tell me about leeks")).to_have_count(2)
    await expect(
        trace.get_by_role("region", name="Timeline").locator("svg rect").first
    ).to_be_visible()
    await expect(trace.get_by_role("region", name="Stage timings")).to_contain_text("upstream")

    await trace.get_by_role("tab", name="Request").click()
    await expect(page).to_have_url(re.compile("tab=request"))
    await expect(trace.locator("pre")).to_contain_text('"user": "guest-leek"')

    await trace.get_by_role("tab", name="Response").click()
    await expect(trace.locator("pre")).to_contain_text('"content": "Tell me about leeks"')
    await trace.get_by_role("button", name="Raw").click()
    await expect(trace.locator("pre")).to_contain_text("data: [DONE]")

    await trace.get_by_role("tab", name="Cost").click()
    await expect(trace.get_by_role("row", name=re.compile("^Output"))).to_contain_text("$0.0")
    await expect(trace.get_by_role("row", name=re.compile("^Total"))).to_contain_text("$0.0")

    await trace.get_by_role("tab", name="Details").click()
    await trace.get_by_role("link", name="guest-leek").click()
    await expect(page).to_have_url(re.compile(r"/traces\?.*user=guest-leek"))


async def test_a_refused_call_says_why(open_page: Open) -> None:
    page = await open_page("/traces?requested_model=no-such-model")
    await page.get_by_role("row").nth(1).get_by_role("link").click()
    await expect(page.get_by_role("alert")).to_contain_text("no-such-model")


async def test_a_trace_that_does_not_exist_says_so_and_offers_another_try(open_page: Open) -> None:
    page = await open_page(f"/traces/{'0' * 31}1")
    trace = page.get_by_role("complementary", name="Trace")
    await expect(trace.get_by_role("alert")).to_contain_text("not_found")
    await expect(trace.get_by_role("button", name="Try again")).to_be_visible()


async def test_the_live_tail_shows_a_call_as_it_happens(
    open_page: Open, instance: Instance
) -> None:
    page = await open_page("/traces")
    await expect(page.get_by_role("row").nth(1)).to_be_visible()
    await page.get_by_role("button", name="Live").click()
    await expect(page).to_have_url(re.compile("live=1"))
    await expect(page.get_by_text("Live tail is on")).to_be_attached()
    await asyncio.to_thread(chat, instance, "Fresh from the market")
    await expect(page.get_by_role("row").nth(1)).to_contain_text("Fresh from the market")
