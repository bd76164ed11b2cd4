"""Saved views of a page, and what changed between two windows of calls."""

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


async def test_a_look_is_saved_by_name_found_again_and_forgotten(open_page: Open) -> None:
    page = await open_page("/traces?requested_model=gpt-4o-mini&range=7d")
    await page.get_by_role("button", name="Views").click()
    await expect(page.get_by_text("None yet.")).to_be_visible()
    await page.get_by_label("Name of the view").fill("paid calls")
    await page.get_by_role("button", name="Save", exact=True).click()
    saved = page.get_by_role("list", name="Saved views")
    await expect(saved.get_by_role("button", name="paid calls shown")).to_be_visible()

    other = await open_page("/traces?status=error")
    await other.get_by_role("button", name="Views").click()
    await other.get_by_role("button", name="paid calls").first.click()
    await expect(other).to_have_url(re.compile("requested_model=gpt-4o-mini"))
    await expect(other).not_to_have_url(re.compile("status=error"))
    await other.get_by_role("button", name="Views").click()
    await other.get_by_role("button", name="Forget the view paid calls").click()
    await expect(other.get_by_text("None yet.")).to_be_visible()


async def test_what_changed_tells_what_calls_are_made_of_and_leads_to_their_traces(
    open_page: Open,
) -> None:
    page = await open_page("/traces?range=1h")
    await page.get_by_role("button", name="Changes").click()
    await expect(page.get_by_role("heading", name="What changed")).to_be_visible()
    totals = page.get_by_role("table", name="All calls")
    await expect(totals).to_contain_text("→")
    await totals.get_by_role("link", name="now").click()
    await expect(page).to_have_url(re.compile("from_ms="))
    await expect(page.get_by_role("row").nth(1)).to_be_visible()
