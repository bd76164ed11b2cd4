"""Providers: the vendor table, connecting, testing, a new secret, disconnecting."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.async_api import expect

from tests.e2e.console.conftest import sign_in
from tests.e2e.console.traffic import echo_server

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.async_api import Browser

    from tests.e2e.console.conftest import Open, Watched
    from tests.running import Instance

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.needs("chromium", "console"),
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.timeout(300),
]


async def test_a_vendor_is_found_by_typing_and_an_unverified_one_says_so(open_page: Open) -> None:
    page = await open_page("/providers?connect=")
    box = page.get_by_role("combobox", name="Find a vendor")
    await box.fill("mistr")
    option = page.get_by_role("option")
    await expect(option).to_have_count(1)
    await expect(option).to_contain_text("unverified")
    await box.press("Enter")
    dialog = page.get_by_role("dialog", name="Connect Mistral AI")
    await expect(dialog).to_contain_text("Unverified: its wire was never checked")
    await dialog.get_by_role("button", name="Another vendor").click()
    await expect(box).to_be_visible()


async def test_a_server_is_connected_tested_given_a_new_secret_and_disconnected(
    open_page: Open, tmp_path: Path
) -> None:
    with echo_server(tmp_path / "server", "radish") as url:
        page = await open_page("/providers?connect=vllm")
        dialog = page.get_by_role("dialog", name="Connect vLLM")
        await dialog.get_by_label("Name").fill("pantry")
        await dialog.get_by_label("Base URL").fill(url)
        await dialog.get_by_label("Secret (optional)").fill("sk-pantry-1111")
        await dialog.get_by_role("button", name="Connect", exact=True).click()
        await expect(page.get_by_text("pantry is connected with 1 model")).to_be_visible()
        row = page.get_by_role("row").filter(has_text="pantry")
        await expect(row).to_contain_text("····1111")
        await page.get_by_role("button", name="Test pantry").click()
        await expect(row.get_by_role("status")).to_contain_text("Lists 1 models")

        await page.get_by_role("button", name="Change pantry").click()
        change = page.get_by_role("dialog", name="Change pantry")
        await change.get_by_label("New secret").fill("sk-pantry-2222")
        await change.get_by_role("button", name="Save").click()
        await expect(row).to_contain_text("····2222")
        assert "sk-pantry" not in await page.content()
        await page.get_by_role("button", name="Disconnect pantry").click()
        await page.get_by_role("alertdialog").get_by_role("button", name="Disconnect").click()
        await expect(page.get_by_text("Provider pantry disconnected.")).to_be_visible()


async def test_a_refused_provider_says_why_and_keeps_what_was_typed(open_page: Open) -> None:
    page = await open_page("/providers?connect=vllm")
    dialog = page.get_by_role("dialog", name="Connect vLLM")
    await dialog.get_by_label("Name").fill("nowhere")
    await dialog.get_by_label("Base URL").fill("ftp://example.org/v1")
    await dialog.get_by_label("Secret (optional)").fill("sk-1")
    await dialog.get_by_role("button", name="Connect", exact=True).click()
    await expect(dialog.get_by_role("alert")).to_contain_text("ftp")
    await expect(dialog.get_by_label("Name")).to_have_value("nowhere")


async def test_an_instance_without_providers_teaches_how_to_connect_one(
    watched: Watched, chromium: Browser, fresh: Instance
) -> None:
    page = await watched.page(fresh, await sign_in(chromium, fresh))
    await page.goto("/providers")
    await expect(page.get_by_role("heading", name="No vendor or server of yours")).to_be_visible()
    await expect(page.locator("pre")).to_contain_text("stockpot providers connect")
