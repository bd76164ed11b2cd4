"""The audit log: every change, its filters, the state of the chain, an export."""

from __future__ import annotations

import re
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


async def test_a_change_stands_in_the_log_and_the_chain_holds(
    open_page: Open, instance: Instance
) -> None:
    instance.command("keys", "create", "--name", "audited")
    page = await open_page("/audit?action=key")
    await expect(page.get_by_role("button", name=re.compile("Chain intact"))).to_be_visible()
    table = page.get_by_role("table", name="Audit log")
    await table.get_by_role("button", name="key.create").first.click()
    await expect(page).to_have_url(re.compile("entry="))
    entry = page.get_by_role("complementary")
    await expect(entry).to_contain_text("The record was made.")
    await expect(entry).to_contain_text("Hash of this entry")
    await page.get_by_label("Only this action").fill("no.such")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", name="No entry matches")).to_be_visible()


async def test_the_log_can_be_kept_as_lines_of_json(open_page: Open) -> None:
    page = await open_page("/audit")
    async with page.expect_download() as started:
        await page.get_by_role("link", name="Export", exact=True).click()
    path = await (await started.value).path()
    assert '"hash":"' in path.read_text("utf-8").splitlines()[0]
