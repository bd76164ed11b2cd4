"""Keys: creating one, using it, seeing its use, taking it away."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import httpx
import pytest
from playwright.async_api import expect

from tests.running import eventually

if TYPE_CHECKING:
    from playwright.async_api import Page

    from tests.e2e.console.conftest import Open
    from tests.running import Instance

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.needs("chromium", "console"),
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.timeout(300),
]


def call(instance: Instance, secret: str, model: str = "echo") -> int:
    answer = httpx.post(
        f"{instance.gateway}/v1/chat/completions",
        headers={"authorization": f"Bearer {secret}"},
        json={"model": model, "messages": [{"role": "user", "content": "hi"}]},
        timeout=60,
    )
    return answer.status_code


async def create(page: Page, name: str, **fields: str) -> str:
    """Create a key through the dialog; gives its secret."""
    await page.get_by_role("button", name="Create a key").click()
    dialog = page.get_by_role("dialog", name="Create a key")
    await dialog.get_by_label("Name").fill(name)
    for label, value in fields.items():
        await dialog.get_by_label(label).fill(value)
    await dialog.get_by_role("button", name="Create").click()
    ready = page.get_by_role("dialog", name=f"{name} is ready")
    secret = await ready.get_by_test_id("secret").inner_text()
    await expect(ready.locator("pre")).to_contain_text(secret)
    await ready.get_by_role("button", name="I have stored it").click()
    await expect(ready).to_have_count(0)
    return secret


async def test_a_created_key_works_at_once_and_its_secret_is_never_shown_again(
    open_page: Open, instance: Instance
) -> None:
    page = await open_page("/keys")
    secret = await create(page, "market-stall")
    eventually(lambda: call(instance, secret) == 200)
    await page.reload()
    await expect(page.get_by_role("row", name=re.compile("market-stall"))).to_be_visible()
    assert secret not in await page.content()
    link = page.get_by_role("link", name="calls of market-stall")
    await expect(link).to_contain_text(re.compile("^1 "), timeout=30_000)
    await link.click()
    await expect(page.get_by_text("key: market-stall")).to_be_visible()
    await expect(page.get_by_role("row")).to_have_count(2)


async def test_a_budget_that_is_spent_is_shown_as_spent_and_refuses(
    open_page: Open, instance: Instance
) -> None:
    page = await open_page("/keys")
    secret = await create(page, "tight-purse", **{"Budget, dollars": "0.000001"})
    eventually(lambda: call(instance, secret, "gpt-4o-mini") in {402, 403, 429})
    row = page.get_by_role("row", name=re.compile("tight-purse"))
    await expect(row.get_by_role("meter")).to_have_attribute("aria-valuenow", re.compile(r"\d+"))


async def test_a_disabled_key_is_refused_and_an_enabled_one_works_again(
    open_page: Open, instance: Instance
) -> None:
    page = await open_page("/keys")
    secret = await create(page, "night-shift")
    row = page.get_by_role("row", name=re.compile("night-shift"))
    await row.get_by_role("button", name="Disable").click()
    await expect(row).to_contain_text("disabled")
    eventually(lambda: call(instance, secret) in {401, 403})
    await row.get_by_role("button", name="Enable").click()
    await expect(row).to_contain_text("active")
    eventually(lambda: call(instance, secret) == 200)


async def test_a_revoked_key_is_gone_for_good(open_page: Open, instance: Instance) -> None:
    page = await open_page("/keys")
    secret = await create(page, "left-the-house")
    await page.get_by_role("button", name="Revoke left-the-house").click()
    confirm = page.get_by_role("alertdialog", name="Revoke left-the-house?")
    await confirm.get_by_role("button", name="Cancel").click()
    await expect(confirm).to_have_count(0)
    await page.get_by_role("button", name="Revoke left-the-house").click()
    await confirm.get_by_role("button", name="Revoke").click()
    await expect(page.get_by_text("Key left-the-house is revoked.")).to_be_visible()
    eventually(lambda: call(instance, secret) == 401)


async def test_limits_of_a_key_can_be_changed_and_wrong_ones_are_refused_in_place(
    open_page: Open,
) -> None:
    page = await open_page("/keys")
    await create(page, "canteen", **{"Calls a minute": "60"})
    row = page.get_by_role("row", name=re.compile("canteen"))
    await expect(row).to_contain_text("60 rpm")
    await row.get_by_role("button", name="Edit canteen").click()
    dialog = page.get_by_role("dialog", name="Change canteen")
    await dialog.get_by_label("Calls a minute").fill("many")
    await dialog.get_by_role("button", name="Save").click()
    await expect(dialog.get_by_text("A whole number, or empty for no limit.")).to_be_visible()
    await dialog.get_by_label("Calls a minute").fill("")
    await dialog.get_by_label("Calls at once").fill("4")
    await dialog.get_by_role("button", name="Save").click()
    await expect(row).to_contain_text("4 at once")
    await expect(row).not_to_contain_text("60 rpm")


async def test_a_rotated_key_has_a_new_secret_and_the_old_one_is_refused(
    open_page: Open, instance: Instance
) -> None:
    page = await open_page("/keys")
    old = await create(page, "turnstile")
    await page.get_by_role("button", name="Rotate turnstile").click()
    await page.get_by_role("alertdialog").get_by_role("button", name="Rotate").click()
    ready = page.get_by_role("dialog", name="turnstile is ready")
    new = await ready.get_by_test_id("secret").inner_text()
    assert new != old
    eventually(lambda: (call(instance, old), call(instance, new)) == (401, 200))


async def test_limits_apart_and_repeated_answers_of_a_key_are_kept(open_page: Open) -> None:
    page = await open_page("/keys")
    await create(page, "food-court")
    row = page.get_by_role("row", name=re.compile("food-court"))
    await row.get_by_role("button", name="Edit food-court").click()
    dialog = page.get_by_role("dialog", name="Change food-court")
    await dialog.get_by_label("each end user: requests per minute").fill("5")
    await dialog.get_by_label("Limit one model apart").select_option("echo")
    await dialog.get_by_label("echo: tokens per minute").fill("9000")
    await dialog.get_by_label("Repeat an answer for, seconds").fill("60")
    await dialog.get_by_role("button", name="Save").click()
    await expect(row).to_contain_text("a user 5 rpm, 1 model apart, repeats 60 s")
