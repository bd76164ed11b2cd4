"""Routes: the drawing, editing with a plan, releasing, and targets whose provider is away."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

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


async def test_a_route_is_written_planned_applied_drawn_changed_and_removed(
    open_page: Open, instance: Instance
) -> None:
    page = await open_page("/routes?fresh=1")
    await page.get_by_label("Name").fill("kitchen-chat")
    await page.get_by_role("combobox", name="Provider", exact=True).click()
    await page.get_by_role("option", name="openai").click()
    await page.get_by_role("button", name="Add a target").click()
    await page.get_by_role("combobox", name="Provider", exact=True).nth(1).click()
    await page.get_by_role("option", name="lab").click()
    await page.get_by_role("spinbutton", name="Tier").nth(1).fill("1")
    await page.get_by_role("button", name="Plan").click()
    plan = page.get_by_role("region", name="Plan")
    changes = plan.get_by_role("list", name="Changes")
    await expect(changes).to_contain_text("openai/gpt-4o-mini, then lab/slow")
    await expect(plan.get_by_role("region", name="Dry run")).to_contain_text("of the last")
    await plan.get_by_label("all at once").check()
    await plan.get_by_role("button", name="Apply").click()
    await expect(page).to_have_url(re.compile(r"route=kitchen-chat.*release=\d+|release=\d+"))
    release = page.get_by_role("region", name=re.compile("Release of"))
    await expect(release).to_contain_text("released")

    assert chat(instance, "hello", "kitchen-chat").status_code == 200
    await page.goto("/routes?route=kitchen-chat")
    targets = page.get_by_role("region", name="Targets")
    await expect(targets.get_by_role("listitem")).to_have_count(2)
    await expect(targets.get_by_role("listitem").first).to_contain_text("100%", timeout=30_000)

    await page.keyboard.press("e")
    await expect(page).to_have_url(re.compile("edit=1"))
    await page.get_by_role("combobox", name="Choice within a tier").click()
    await page.get_by_role("option", name="least cost").click()
    await page.get_by_role("button", name="Plan").click()
    await expect(page.get_by_role("list", name="Changes")).to_contain_text("least_cost")
    await page.get_by_role("button", name="Cancel").click()
    await page.get_by_role("button", name="Remove kitchen-chat").click()
    await page.get_by_role("alertdialog").get_by_role("button", name="Remove").click()
    await expect(page.get_by_text("Alias kitchen-chat removed.")).to_be_visible()


async def test_a_watched_release_shows_its_first_worker_and_ends_with_a_verdict(
    open_page: Open, instance: Instance
) -> None:
    instance.command("aliases", "set", "soup-chat", "--target", "openai/gpt-4o-mini")
    page = await open_page("/routes?route=soup-chat&edit=1")
    await page.get_by_label("Attempts").fill("2")
    await page.get_by_role("button", name="Plan").click()
    plan = page.get_by_role("region", name="Plan")
    await plan.get_by_label("Watch, seconds").fill("1")
    await plan.get_by_label("Watch, calls").fill("1")
    await plan.get_by_role("button", name="Apply").click()
    release = page.get_by_role("region", name=re.compile("Release of"))
    await expect(release).to_contain_text("canary")
    await expect(release).to_contain_text("released", timeout=60_000)
    await expect(page.get_by_role("region", name="Policy")).to_contain_text("up to 2")
    instance.command("aliases", "remove", "soup-chat")


async def test_a_target_whose_provider_is_disconnected_stays_and_can_be_edited_around(
    open_page: Open, instance: Instance
) -> None:
    away = ("--base-url", "http://127.0.0.1:9/v1", "--model", "leek")
    instance.command("providers", "connect", "leaving", "--vendor", "vllm", *away)
    both = ("--target", "leaving/leek", "--target", "openai/gpt-4o-mini")
    instance.command("aliases", "set", "stew-chat", *both)
    instance.command("providers", "remove", "leaving")
    page = await open_page("/routes?route=stew-chat")
    row = page.get_by_role("region", name="Targets").get_by_role("listitem")
    await expect(row.filter(has_text="leaving")).to_contain_text("not connected")
    await page.get_by_role("button", name="Edit").click()
    await page.get_by_label("Attempts").fill("4")
    await page.get_by_role("button", name="Plan").click()
    changes = page.get_by_role("list", name="Changes")
    await expect(changes.get_by_role("listitem")).to_have_count(1)
    await expect(changes).to_contain_text("attempts")
    instance.command("aliases", "remove", "stew-chat")


async def test_an_unknown_route_says_so_and_a_refused_plan_says_why(open_page: Open) -> None:
    page = await open_page("/routes?route=no-such-route")
    await expect(page.get_by_role("heading", name="No route is called")).to_be_visible()
    await page.get_by_role("main").get_by_role("button", name="Define an alias").last.click()
    await page.get_by_role("button", name="Plan").click()
    await expect(page.get_by_role("alert")).to_contain_text("A name begins with")
