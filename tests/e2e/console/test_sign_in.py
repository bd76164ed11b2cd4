"""Who gets in, and how."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest
from playwright.async_api import expect

from tests.e2e.console.conftest import link_of
from tests.running import running
from tests.vendors.oidc_provider import serving

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.async_api import Browser

    from tests.e2e.console.conftest import Watched
    from tests.running import Instance

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.needs("chromium", "console"),
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.timeout(300),
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
    asked, token = page.url, (await link_of(fresh)).partition("#")[2]
    # A page that is open already takes the token as well, and a reload of it would take it twice.
    page = await watched.page(fresh, None)
    await page.goto(f"{asked}#{token}")
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


async def test_a_provider_has_a_button_and_its_refusal_is_told(
    chromium: Browser, tmp_path: Path
) -> None:
    secret = tmp_path / "client-secret"
    with serving() as provider:
        secret.write_text(provider.client_secret)
        row = {"name": "staff", "title": "Our staff", "issuer": provider.issuer,
               "client_id": provider.client_id, "client_secret": f"file:{secret}",
               "domains": ["example.org"]}  # fmt: skip
        environ = {
            "STOCKPOT_ENGINES": "none",
            "STOCKPOT_OIDC": json.dumps([row]),
            "STOCKPOT_PASSWORD_SIGN_IN": "false",
        }
        with running(tmp_path / "home", environ=environ) as started:
            context = await chromium.new_context(base_url=started.console)
            page = await context.new_page()
            provider.lie = "nonce"
            await page.goto("/sign-in?next=%2Fkeys")
            await expect(page.get_by_label("Password")).to_have_count(0)
            await page.get_by_role("link", name="Continue with Our staff").click()
            await expect(page).to_have_url(re.compile(r"/sign-in$"))
            await expect(page.get_by_role("alert")).to_contain_text("'staff'")
            provider.lie = ""
            await page.goto("/sign-in?next=%2Fkeys")
            await expect(page.get_by_role("link", name="Continue with Our staff")).to_be_visible()
            await expect(page.get_by_role("alert")).to_have_count(0)
            await page.get_by_role("link", name="Continue with Our staff").click()
            await expect(page).to_have_url(re.compile(r"/keys"))
            await context.close()
