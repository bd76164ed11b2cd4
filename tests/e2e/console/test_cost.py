"""Cost: what was spent and on what, as a table, a chart, a file, and links to the calls."""

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


async def test_spending_is_told_apart_and_each_number_leads_to_its_calls(open_page: Open) -> None:
    page = await open_page("/cost?range=1h")
    await expect(page.get_by_role("region", name="Totals")).to_be_visible()
    said = page.get_by_role("note", name="Forecast")
    await expect(said).to_contain_text("A forecast needs 7 whole days after the first call")
    await page.get_by_role("button", name="Models", exact=True).click()
    await expect(page).to_have_url(re.compile("by=model"))
    row = page.get_by_role("table", name="Models").get_by_role(
        "row", name=re.compile("gpt-4o-mini")
    )
    await expect(row).to_contain_text("$0.")
    await row.get_by_role("link").nth(1).click()
    await expect(page).to_have_url(re.compile(r"/traces\?.*model=gpt-4o-mini"))
    await expect(page.get_by_role("row").nth(1)).to_be_visible()


async def test_spending_can_be_looked_into_and_kept_as_a_file(open_page: Open) -> None:
    page = await open_page("/cost?range=1h&by=provider")
    table = page.get_by_role("table", name="Providers")
    await table.get_by_role("link", name="openai", exact=True).click()
    await expect(page).to_have_url(re.compile("provider=openai"))
    await expect(page.get_by_role("table", name="Models")).to_contain_text("gpt-4o-mini")
    async with page.expect_download() as started:
        await page.get_by_role("button", name="Download CSV").click()
    path = await (await started.value).path()
    lines = path.read_text("utf-8").splitlines()
    assert lines[0].startswith("model,name,calls,")
    assert any(line.startswith("gpt-4o-mini,gpt-4o-mini,") for line in lines)
