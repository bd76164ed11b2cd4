"""Who gets in, and how."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from playwright.async_api import expect

from tests.e2e.console.conftest import link_of

if TYPE_CHECKING:
    from tests.e2e.console.conftest import Watched
    from tests.running import Instance

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.needs("chromium", "console"),
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.timeout(240),
]


async def test_a_link_signs_in_once_and_its_token_leaves_the_address_bar(
    watched: Watched, fresh: Instance
) -> None:
    link = await link_of(fresh)
    page = await watched.page(fresh, None)
    await page.goto(link)
    await expect(page).to_have_url(re.compile(r"/overview$"))
    history = await page.evaluate("() => [history.length, location.href]")
    assert "token" not in str(history)

    again = await watched.page(fresh, None)
    await again.goto(link)
    await expect(again.get_by_role("alert")).to_contain_text(re.compile("link|token", re.I))
    await expect(again.get_by_label("Password")).to_be_visible()
    assert "token" not in again.url


async def test_a_page_asks_to_sign_in_and_is_shown_after_it(
    watched: Watched, fresh: Instance
) -> None:
    page = await watched.page(fresh, None)
    await page.goto("/keys?project=default")
    await expect(page).to_have_url(re.compile(r"/sign-in\?next="))
    token = (await link_of(fresh)).partition("#")[2]
    await page.goto(f"{page.url}#{token}")
    await page.reload()
    await expect(page).to_have_url(re.compile(r"/keys\?project=default$"))
    await expect(page.get_by_role("heading", name="Keys", exact=True)).to_be_visible()


async def test_a_password_set_in_the_console_signs_in(watched: Watched, fresh: Instance) -> None:
    page = await watched.page(fresh, None)
    await page.goto(await link_of(fresh))
    await page.get_by_role("navigation").get_by_role("button").last.click()
    await page.get_by_role("button", name="Set a password").click()
    await page.get_by_label("E-mail").fill("cook@example.org")
    await page.get_by_label("New password").fill("a long enough secret")
    await page.get_by_role("button", name="Save").click()
    await expect(page.get_by_text("Sign in as cook@example.org")).to_be_visible()
    await page.get_by_role("navigation").get_by_role("button").last.click()
    await page.get_by_role("button", name="Sign out").click()
    await expect(page).to_have_url(re.compile(r"/sign-in"))

    await page.get_by_label("E-mail").fill("cook@example.org")
    await page.get_by_label("Password").fill("not the secret")
    await page.get_by_role("button", name="Sign in").click()
    await expect(page.get_by_role("alert")).to_be_visible()
    await page.get_by_label("Password").fill("a long enough secret")
    await page.get_by_role("button", name="Sign in").click()
    await expect(page).to_have_url(re.compile(r"/overview"))
