"""Models and providers: health, prices, tests, connecting, aliases."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from playwright.async_api import Page, expect

from tests.e2e.console.traffic import chat, echo_server
from tests.running import free_ports

if TYPE_CHECKING:
    from pathlib import Path

    from tests.e2e.console.conftest import Open
    from tests.running import Instance

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.needs("chromium", "console"),
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.timeout(240),
]


async def test_a_model_shows_its_price_and_a_test_calls_it_for_real(open_page: Open) -> None:
    page = await open_page("/models")
    row = page.get_by_role("row").filter(
        has=page.get_by_role("link", name="gpt-4o-mini", exact=True)
    )
    await expect(row).to_contain_text(re.compile(r"\$0\.\d+"))
    await page.get_by_role("button", name="Test gpt-4o-mini", exact=True).click()
    result = page.get_by_role("status").filter(has_text="Answered")
    await expect(result).to_contain_text("Say hello.")
    await result.get_by_role("link", name="Open trace").click()
    await expect(page).to_have_url(re.compile(r"/traces/[0-9a-f]{32}"))
    await expect(page.get_by_role("heading", name="assistant")).to_be_visible()


async def test_a_server_can_be_connected_tried_and_disconnected(
    open_page: Open, tmp_path: Path, instance: Instance
) -> None:
    with echo_server(tmp_path / "server", "turnip") as url:
        page = await open_page("/models")
        await page.get_by_role("button", name="Connect a provider").click()
        dialog = page.get_by_role("dialog", name="Connect a provider")
        await dialog.get_by_label("Vendor or server").click()
        await page.get_by_role("option", name=re.compile("vLLM", re.I)).click()
        await dialog.get_by_label("Name").fill("root-cellar")
        await dialog.get_by_label("Base URL").fill(url)
        await dialog.get_by_label("Secret").fill("sk-cellar-9876")
        await dialog.get_by_role("button", name="Connect").click()
        await expect(page.get_by_text("root-cellar is connected with 1 model")).to_be_visible()
        await page.get_by_role("button", name="Test turnip", exact=True).click()
        await expect(page.get_by_role("status").filter(has_text="Answered")).to_be_visible()
        providers = page.get_by_role("region", name="Providers")
        await expect(providers).to_contain_text("····9876")
        assert "sk-cellar" not in await page.content()
        await page.get_by_role("button", name="Disconnect root-cellar").click()
        await page.get_by_role("alertdialog").get_by_role("button", name="Disconnect").click()
        await expect(page.get_by_text("Provider root-cellar disconnected.")).to_be_visible()
        await expect(page.get_by_role("button", name="Test turnip")).to_have_count(0)


async def test_a_refused_provider_says_why_and_keeps_what_was_typed(open_page: Open) -> None:
    page = await open_page("/models?connect=")
    dialog = page.get_by_role("dialog", name="Connect a provider")
    await dialog.get_by_label("Name").fill("nowhere")
    await dialog.get_by_label("Base URL").fill("ftp://example.org/v1")
    await dialog.get_by_label("Secret").fill("sk-1")
    await dialog.get_by_role("button", name="Connect").click()
    await expect(dialog.get_by_role("alert")).to_contain_text("ftp")
    await expect(dialog.get_by_label("Name")).to_have_value("nowhere")


async def define_with_fallback(page: Page) -> None:
    """An alias whose first target is `gone`, with `openai` behind it."""
    await page.get_by_role("button", name="Define an alias").click()
    dialog = page.get_by_role("dialog", name="Define an alias")
    await dialog.get_by_label("Name").fill("support-chat")
    await dialog.get_by_role("combobox", name="Provider", exact=True).click()
    await page.get_by_role("option", name="gone").click()
    await dialog.get_by_role("button", name="Add a target").click()
    await dialog.get_by_role("combobox", name="Provider", exact=True).nth(1).click()
    await page.get_by_role("option", name="openai").click()
    await dialog.get_by_label("Tier").nth(1).fill("1")
    await dialog.get_by_role("button", name="Save").click()
    await expect(page.get_by_text("Applications can ask for support-chat now.")).to_be_visible()


async def test_an_alias_falls_back_from_a_dead_target_and_shows_its_error(
    open_page: Open, instance: Instance
) -> None:
    dead = f"http://127.0.0.1:{free_ports()[0]}/v1"
    instance.command(
        "providers", "connect", "gone", "--vendor", "vllm", "--base-url", dead, "--model", "echo"
    )
    page = await open_page("/models")
    await define_with_fallback(page)
    row = page.get_by_role("row").filter(has=page.get_by_role("link", name="support-chat"))
    await expect(row).to_contain_text("2 targets")
    await page.get_by_role("button", name="Test support-chat").click()
    result = page.get_by_role("status").filter(has_text="Answered")
    await expect(result).to_be_visible()
    await result.get_by_role("link", name="Open trace").click()
    timeline = page.get_by_role("region", name="Timeline")
    await expect(timeline.get_by_role("button", name=re.compile("gone.*error"))).to_be_visible()
    await expect(timeline.get_by_role("button", name=re.compile("openai.*ok"))).to_be_visible()

    await page.goto("/models")
    await expect(page.get_by_text("Last error:").first).to_be_visible(timeout=30_000)
    await page.get_by_role("button", name="Edit support-chat").click()
    change = page.get_by_role("dialog", name="Change support-chat")
    await expect(change.get_by_label("Tier").nth(1)).to_have_value("1")
    await change.get_by_role("button", name="Cancel").click()
    await page.get_by_role("button", name="Remove support-chat").click()
    await page.get_by_role("alertdialog").get_by_role("button", name="Remove").click()
    await expect(page.get_by_text("Alias support-chat removed.")).to_be_visible()
    assert chat(instance, "hi", "support-chat").status_code == 404
