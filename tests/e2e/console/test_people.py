"""People: inviting by link, roles, deactivating, and tokens that are shown once."""

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


async def test_somebody_is_invited_by_a_link_and_can_be_deactivated(open_page: Open) -> None:
    page = await open_page("/people")
    await page.get_by_role("button", name="Invite somebody").click()
    dialog = page.get_by_role("dialog", name="Invite somebody")
    await dialog.get_by_role("button", name="Make a link").click()
    await expect(dialog.get_by_text("An e-mail address such as")).to_be_visible()
    await dialog.get_by_label("E-mail address").fill("ada@example.org")
    await dialog.get_by_role("button", name="Make a link").click()
    ready = page.get_by_role("dialog", name="A link for ada@example.org")
    await expect(ready.get_by_test_id("secret")).to_contain_text("/sign-in#")
    await ready.get_by_role("button", name="I have handed it over").click()
    row = page.get_by_role("row", name=re.compile("ada@example.org"))
    await row.get_by_role("button", name="Deactivate").click()
    await page.get_by_role("alertdialog").get_by_role("button", name="Deactivate").click()
    await expect(row).to_contain_text("deactivated")


async def test_an_api_token_is_shown_once_and_can_be_revoked(open_page: Open) -> None:
    page = await open_page("/people?part=tokens")
    await page.get_by_role("button", name="Create a token").click()
    dialog = page.get_by_role("dialog", name="Create an API token")
    await dialog.get_by_label("Name").fill("nightly-report")
    await dialog.get_by_role("button", name="Create").click()
    ready = page.get_by_role("dialog", name="nightly-report is ready")
    secret = await ready.get_by_test_id("secret").inner_text()
    assert secret.startswith("spt_")
    await ready.get_by_role("button", name="I have stored it").click()
    row = page.get_by_role("row", name=re.compile("nightly-report"))
    await expect(row).to_contain_text("read")
    await page.reload()
    await expect(row).to_be_visible()
    assert secret not in await page.content()
    await row.get_by_role("button", name="Revoke nightly-report").click()
    await page.get_by_role("alertdialog").get_by_role("button", name="Revoke").click()
    await expect(row).to_have_count(0)


async def test_a_project_is_made_and_its_budget_is_set_raised_and_taken_away(
    open_page: Open,
) -> None:
    page = await open_page("/people?part=projects")
    await page.get_by_role("button", name="Create a project").click()
    dialog = page.get_by_role("dialog", name="Create a project")
    await dialog.get_by_label("Name").fill("soup-desk")
    await dialog.get_by_label("Budget, dollars").fill("ten")
    await dialog.get_by_role("button", name="Create").click()
    await expect(dialog.get_by_text("An amount in dollars")).to_be_visible()
    await dialog.get_by_label("Budget, dollars").fill("10")
    each = dialog.get_by_label("each end user: requests per minute")
    await each.fill("-5")
    await expect(each).to_have_attribute("aria-invalid", "true")
    await each.fill("5")
    await dialog.get_by_label("Repeat an answer for, seconds").fill("60")
    await dialog.get_by_role("button", name="Create").click()
    shown = page.get_by_role("region", name="Project soup-desk")
    await expect(shown).to_contain_text("$0 of $10.00 a month")
    for amount, words in (("25", "$0 of $25.00 a month"), ("", "no budget")):
        await shown.get_by_role("button", name="Change soup-desk").click()
        known = page.get_by_role("dialog", name="Change soup-desk")
        await expect(known.get_by_label("each end user: requests per minute")).to_have_value("5")
        await expect(known.get_by_label("Repeat an answer for, seconds")).to_have_value("60")
        await known.get_by_label("Budget, dollars").fill(amount)
        await known.get_by_role("button", name="Save").click()
        await expect(shown).to_contain_text(words)
