"""Sessions, users and tags: gathered, put in order, and leading to their traces."""

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


async def test_users_are_gathered_and_lead_to_their_traces(open_page: Open) -> None:
    page = await open_page("/sessions?show=users&find=guest-0")  # of the others there may be many
    await page.get_by_role("link", name="guest-0", exact=True).click()
    await expect(page).to_have_url(re.compile(r"/traces\?.*user=guest-0"))


async def test_what_comes_first_and_what_is_shown_stand_in_the_address(open_page: Open) -> None:
    page = await open_page("/sessions")
    await page.get_by_role("button", name="Dearest").click()
    await expect(page).to_have_url(re.compile("order=cost"))
    await page.get_by_role("button", name="Tags").click()
    await expect(page).to_have_url(re.compile("show=tags"))
