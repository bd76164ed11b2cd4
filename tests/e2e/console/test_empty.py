"""An instance without calls: each page teaches the next step, ready to paste."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import pytest_asyncio
from playwright.async_api import expect

from tests.e2e.console.conftest import sign_in

if TYPE_CHECKING:
    from playwright.async_api import Browser, Page

    from tests.e2e.console.conftest import Watched
    from tests.running import Instance

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.needs("chromium", "console"),
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.timeout(300),
]


@pytest_asyncio.fixture(loop_scope="session")
async def page(chromium: Browser, watched: Watched, fresh: Instance) -> Page:
    return await watched.page(fresh, await sign_in(chromium, fresh))


@pytest.mark.parametrize("path", ["/overview", "/traces"])
async def test_a_page_without_calls_shows_the_call_that_changes_that(
    page: Page, fresh: Instance, path: str
) -> None:
    await page.goto(path)
    await expect(page.get_by_role("heading", name="No calls yet")).to_be_visible()
    await expect(page.locator("pre")).to_contain_text(f"{fresh.gateway}/v1/chat/completions")
    await page.get_by_role("button", name="Python").click()
    await expect(page.locator("pre")).to_contain_text(f'base_url="{fresh.gateway}/v1"')
    await page.get_by_role("button", name="TypeScript").click()
    await expect(page.locator("pre")).to_contain_text(f'baseURL: "{fresh.gateway}/v1"')
    await page.get_by_role("link", name="Create a key").click()
    await expect(page.get_by_role("dialog", name="Create a key")).to_be_visible()


async def test_the_playground_says_what_it_is_for(page: Page) -> None:
    await page.goto("/playground")
    await expect(page.get_by_role("heading", name="Ask a model something")).to_be_visible()


async def test_a_live_tail_without_calls_says_that_it_listens(page: Page) -> None:
    await page.goto("/traces?live=1")
    await expect(page.get_by_role("heading", name="Listening")).to_be_visible()
