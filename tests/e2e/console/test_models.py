"""Models and providers: health, prices, tests, connecting, aliases."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from playwright.async_api import expect

from tests.e2e.console.traffic import chat
from tests.running import free_ports

if TYPE_CHECKING:
    from tests.e2e.console.conftest import Open
    from tests.running import Instance

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.needs("chromium", "console"),
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.timeout(300),
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


async def test_an_alias_falls_back_from_a_dead_target_and_shows_its_error(
    open_page: Open, instance: Instance
) -> None:
    dead = f"http://127.0.0.1:{free_ports()[0]}/v1"
    instance.command(
        "providers", "connect", "gone", "--vendor", "vllm", "--base-url", dead, "--model", "echo"
    )
    way = ("--target", "gone/echo", "--fallback", "openai/gpt-4o-mini")
    instance.command("aliases", "set", "support-chat", *way)
    page = await open_page("/models")
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
    await page.get_by_role("link", name="Route of support-chat").click()
    await expect(page).to_have_url(re.compile("/routes.*route=support-chat"))
    await page.get_by_role("button", name="Edit", exact=True).click()
    await expect(page.get_by_role("spinbutton", name="Tier").nth(1)).to_have_value("1")
    await page.get_by_role("button", name="Cancel").click()
    await page.get_by_role("button", name="Remove support-chat").click()
    await page.get_by_role("alertdialog").get_by_role("button", name="Remove").click()
    await expect(page.get_by_text("Alias support-chat removed.")).to_be_visible()
    assert chat(instance, "hi", "support-chat").status_code == 404
