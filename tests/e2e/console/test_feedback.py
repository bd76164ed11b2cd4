"""Feedback: given on a trace, seen in the stream and in the figures; keys for web pages."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import httpx
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


async def test_a_thumb_a_comment_and_a_correction_stand_on_the_trace_and_in_the_figures(
    open_page: Open, instance: Instance
) -> None:
    asked = chat(instance, "Which soup is it today?", session="table-9")
    trace = asked.headers["x-stockpot-trace-id"]
    page = await open_page(f"/traces/{trace}")
    feedback = page.get_by_role("region", name="Feedback")
    await feedback.get_by_role("button", name="Thumb down").click()
    await expect(feedback.get_by_role("button", name="Thumb down")).to_have_attribute(
        "aria-pressed", "true"
    )
    await feedback.get_by_role("button", name="Comment or correct").click()
    await feedback.get_by_label("Comment").fill("it says nothing of the soup")
    await feedback.get_by_label("What the answer should have been").fill("Leek soup.")
    await feedback.get_by_role("button", name="Write down").click()
    await expect(feedback).to_contain_text("it says nothing of the soup")
    await page.goto("/feedback?pane=stream&said=corrected")
    row = page.get_by_role("row", name=re.compile("Leek soup"))
    await expect(row).to_contain_text("of the answer changed")
    await row.get_by_role("link", name="Corrected").click()
    await expect(page).to_have_url(re.compile(trace))
    await page.goto("/sessions")
    session = page.get_by_role("row", name=re.compile("table-9"))
    await expect(session).to_contain_text("1 down")
    await session.get_by_role("link", name="table-9").click()
    await expect(page.get_by_role("list", name="Conversation")).to_contain_text("1 down")
    await page.goto("/feedback")
    group = page.get_by_role("table", name="Satisfaction").get_by_role("row").nth(1)
    await expect(group.get_by_role("img").first).to_have_accessible_name(
        re.compile("95 % interval")
    )


async def test_a_web_page_gives_feedback_with_a_public_key_made_here(
    open_page: Open, instance: Instance
) -> None:
    trace = chat(instance, "And the dessert?").headers["x-stockpot-trace-id"]
    page = await open_page("/feedback?pane=keys")
    await page.get_by_role("button", name="Create public key").click()
    dialog = page.get_by_role("dialog", name="Create public key")
    await dialog.get_by_label("Name").fill("menu-site")
    await dialog.get_by_role("button", name="Create").click()
    row = page.get_by_role("row", name=re.compile("menu-site"))
    await expect(row).to_contain_text("every page")
    keys = json.loads(instance.command("feedback", "keys", "list", "--json"))
    key = next(one["key"] for one in keys if one["name"] == "menu-site")
    given = httpx.post(
        f"{instance.console}/api/v1/feedback?key={key}",
        content=json.dumps({"trace_id": trace, "signal": "copied"}),
        headers={"content-type": "text/plain"},
        timeout=60,
    )
    assert given.status_code == 201, given.text
    await page.get_by_role("button", name="Stream").click()
    await expect(page.get_by_role("link", name="Copied the answer").first).to_be_visible()
    await page.get_by_role("button", name="Public keys").click()
    await row.get_by_role("button", name="Revoke menu-site").click()
    await page.get_by_role("alertdialog").get_by_role("button", name="Revoke").click()
    await expect(row).to_have_count(0)
