"""Revisions: the history in words, differences, going back, and the journal of pointers."""

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


async def test_a_revision_tells_what_changed_and_can_be_gone_back_from(
    open_page: Open, instance: Instance
) -> None:
    instance.command("aliases", "set", "broth-chat", "--target", "openai/gpt-4o-mini")
    listed = json.loads(instance.command("revisions", "list", "--json"))
    before = listed[0]["number"]
    instance.command("aliases", "set", "broth-chat", "--target", "lab/slow")
    page = await open_page("/revisions")
    detail = page.get_by_role("article")
    changes = detail.get_by_role("list", name="Changes")
    await expect(changes).to_contain_text("alias broth-chat · targets")
    await expect(changes.locator("del")).to_have_text("openai/gpt-4o-mini")
    await expect(changes.locator("ins")).to_have_text("lab/slow")

    await page.keyboard.press("j")
    await expect(page).to_have_url(re.compile(f"revision={before}"))
    await expect(changes).to_contain_text("alias broth-chat")
    await page.get_by_role("button", name="Roll back to this").click()
    plan = page.get_by_role("region", name="Plan of the rollback")
    await expect(plan.locator("ins")).to_have_text("openai/gpt-4o-mini")
    await plan.get_by_role("button", name="Roll back").click()
    await expect(page.get_by_text(f"has the state of revision {before}")).to_be_visible()
    await expect(page.get_by_role("article")).to_contain_text("in force")
    instance.command("aliases", "remove", "broth-chat")


async def test_any_two_revisions_are_compared_by_the_address_alone(open_page: Open) -> None:
    page = await open_page("/revisions?revision=1&against=2")
    difference = page.get_by_role("region", name="Difference")
    await expect(difference.get_by_label("Compare with")).to_have_value("2")
    await expect(difference.get_by_role("list", name="Changes")).to_be_visible()


async def test_a_moved_pointer_stands_in_the_journal(open_page: Open, instance: Instance) -> None:
    made = json.loads(instance.command("keys", "create", "--name", "spare-spoon", "--json"))
    instance.command("keys", "disable", made["record"]["id"])
    page = await open_page("/revisions?view=pointers")
    row = page.get_by_role("row").filter(has_text="spare-spoon")
    await expect(row).to_contain_text("disabled")
    await expect(row).to_contain_text("standing")
