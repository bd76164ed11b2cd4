"""Access requests: a member asks, an admin who did not ask decides, and it takes effect."""

from __future__ import annotations

import json
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


async def test_who_asks_says_why_does_not_decide_and_may_take_it_back(
    open_page: Open, instance: Instance
) -> None:
    instance.command("keys", "create", "--name", "narrow", "--model", "echo")
    page = await open_page("/requests")
    await page.get_by_role("button", name="Ask for access").click()
    dialog = page.get_by_role("dialog", name="Ask for access")
    await dialog.get_by_role("button", name="Ask", exact=True).click()
    await expect(dialog.get_by_text("Who decides needs a reason.")).to_be_visible()
    await dialog.get_by_role("combobox", name="For the key").click()
    await page.get_by_role("option", name="narrow").click()
    await dialog.get_by_role("combobox", name="Model").click()
    await page.get_by_role("option", name="gpt-4o-mini", exact=True).click()
    await dialog.get_by_label("Reason").fill("the menu needs better words")
    await dialog.get_by_role("button", name="Ask", exact=True).click()
    row = page.get_by_role("row", name=re.compile("the menu needs better words"))
    await expect(row).to_contain_text("yours: somebody else decides")
    await row.get_by_role("button", name="Take back").click()
    await expect(row).to_have_count(0)
    await page.get_by_role("button", name="Decided").click()
    await expect(row).to_contain_text("withdrawn")


async def test_a_request_of_another_is_approved_with_a_note_and_takes_effect(
    open_page: Open, instance: Instance
) -> None:
    made = instance.command("keys", "create", "--name", "bounded", "--model", "echo", "--json")
    key_id = json.loads(made)["record"]["id"]
    asked = ("--key", key_id, "--model", "gpt-4o-mini", "--reason", "a larger menu")
    instance.command("requests", "ask", *asked)
    page = await open_page("/requests")
    await page.get_by_role("button", name="Decide: Use gpt-4o-mini for bounded").click()
    dialog = page.get_by_role("dialog")
    await expect(dialog).to_contain_text("a larger menu")
    await dialog.get_by_label("Note to who asked").fill("until May")
    await dialog.get_by_role("button", name="Approve").click()
    await expect(page.get_by_text("Approved. It holds from the next call on.")).to_be_visible()
    await page.get_by_role("button", name="Decided").click()
    row = page.get_by_role("row", name=re.compile("a larger menu"))
    await expect(row).to_contain_text("approved")
    await expect(row).to_contain_text("until May")
    keys = json.loads(instance.command("keys", "list", "--json"))
    assert {"echo", "gpt-4o-mini"} == set(
        next(key["models"] for key in keys if key["id"] == key_id)
    )
