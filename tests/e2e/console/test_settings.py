"""Settings: what the instance runs with, and the name of what would change it."""

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


async def test_a_setting_is_found_with_its_variable_and_its_value(open_page: Open) -> None:
    page = await open_page("/settings")
    await expect(page.get_by_role("region", name="This instance")).to_contain_text("Workers")
    await page.get_by_label("Find a setting").fill("engines")
    await expect(page).to_have_url(re.compile("find=engines"))
    row = page.get_by_role("row", name=re.compile("STOCKPOT_ENGINES"))
    await expect(row).to_contain_text("none")
    await page.reload()
    await expect(row).to_be_visible()


async def test_the_secret_of_the_instance_is_rotated_after_a_question(open_page: Open) -> None:
    page = await open_page("/settings")
    await page.get_by_role("button", name="Rotate").click()
    question = page.get_by_role("alertdialog")
    await question.get_by_role("button", name="Rotate").click()
    await expect(page.get_by_text(re.compile("Rotated. .* sealed anew"))).to_be_visible()


async def test_a_price_is_stated_with_its_source_changed_and_taken_back(open_page: Open) -> None:
    page = await open_page("/settings?price=lab%2Fslow")
    dialog = page.get_by_role("dialog", name="Price of lab/slow")
    await dialog.get_by_label("Input").fill("0.5")
    await dialog.get_by_role("button", name="Save").click()
    await expect(dialog.get_by_text("Say where it comes from")).to_be_visible()
    await dialog.get_by_label("Source").fill("a measured hour of the machine")
    await dialog.get_by_role("button", name="Save").click()
    row = page.get_by_role("row").filter(has_text="lab/slow")
    await expect(row).to_contain_text("input $0.50")
    await row.get_by_role("button", name="Change the price of lab/slow").click()
    await dialog.get_by_label("Output").fill("2")
    await dialog.get_by_role("button", name="Save").click()
    await expect(row).to_contain_text("input $0.50, output $2.00")
    await row.get_by_role("button", name="Remove the price of lab/slow").click()
    await page.get_by_role("alertdialog").get_by_role("button", name="Remove").click()
    await expect(row).to_have_count(0)
