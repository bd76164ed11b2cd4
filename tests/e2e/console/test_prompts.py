"""Prompts: writing, comparing, moving labels, approval, and what each version did."""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING

import httpx
import pytest
from playwright.async_api import expect

from stockpot.core.client import Client
from stockpot.core.instance import Instance as Home
from tests.running import eventually

if TYPE_CHECKING:
    from playwright.async_api import Browser

    from tests.e2e.console.conftest import Open, Watched
    from tests.running import Instance

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.needs("chromium", "console"),
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.timeout(300),
]

CONTENT = {
    "kind": "chat",
    "messages": [{"role": "user", "content": "Describe {{ dish }} in one sentence."}],
    "variables_schema": {
        "type": "object",
        "properties": {"dish": {"type": "string"}},
        "required": ["dish"],
    },
    "model": "echo",
}


def prompt(instance: Instance, name: str, versions: int = 1) -> None:
    """A prompt with versions, the first of which is live."""
    control = Client(instance.console, Home(instance.home).derive("cli"))
    new = {"name": name, "folder": "menu", "tags": ["e2e"], "content": CONTENT, "message": "first"}
    control.post("/api/v1/prompts", new)
    for number in range(2, versions + 1):
        said = [{"role": "user", "content": f"Describe {{{{ dish }}}}, take {number}."}]
        body = {"content": {**CONTENT, "messages": said}, "message": f"take {number}"}
        control.post(f"/api/v1/prompts/{name}/versions", body)
    control.put(f"/api/v1/prompts/{name}/labels/production", {"version": 1})
    control.close()


async def test_an_edited_prompt_is_rendered_live_and_saved_as_the_next_version(
    open_page: Open, instance: Instance
) -> None:
    await asyncio.to_thread(prompt, instance, "edited")
    page = await open_page("/prompts")
    await page.get_by_role("searchbox", name="Find prompts").fill("edited sentence")
    await expect(page.get_by_text("in its name and text")).to_be_visible()
    await expect(page.get_by_text("Found by words alone: no embedding model")).to_be_visible()
    await page.get_by_role("link", name=re.compile("^edited")).click()
    preview = page.get_by_role("complementary", name="Preview")
    await expect(preview.get_by_role("alert")).to_contain_text("dish")
    await preview.get_by_label("dish").fill("tomato soup")
    await expect(preview).to_contain_text("Describe tomato soup in one sentence.")
    template = page.get_by_role("textbox", name="Template of message 1")
    await template.click()
    await page.keyboard.press("Control+End")
    await page.keyboard.type(" Name its allergens.")
    await expect(preview).to_contain_text("tomato soup in one sentence. Name its allergens.")
    await page.get_by_role("button", name="Save as version 2").click()
    await page.get_by_label("What changed, and why").fill("Allergens")
    await page.get_by_role("button", name="Save version 2").click()
    await expect(page.get_by_text("Version 2 is saved")).to_be_visible()
    await page.get_by_role("tab", name="Versions (2)").click()
    await expect(page.get_by_role("table", name="Versions")).to_contain_text("Allergens")
    difference = page.get_by_role("region", name="Difference")
    await expect(difference).to_contain_text("Describe {{ dish }} in one sentence. Name its")


async def test_a_label_moves_is_in_force_and_rolls_back(
    open_page: Open, instance: Instance
) -> None:
    await asyncio.to_thread(prompt, instance, "moved", 2)
    page = await open_page("/prompts/moved?prompt_part=labels")
    await page.get_by_role("button", name="Move production").click()
    await page.get_by_label("Why").fill("It passed")
    await page.get_by_role("button", name="Move", exact=True).last.click()
    await expect(page.get_by_text("production points at version 2 now")).to_be_visible()
    assert await asyncio.to_thread(said, instance, "moved") == "Describe soup, take 2."
    await page.get_by_role("button", name="Roll production back").click()
    await page.get_by_role("alertdialog").get_by_role("button", name="Roll back").click()
    await expect(page.get_by_text("production points at version 1 again")).to_be_visible()
    history = page.get_by_role("region", name="History of labels")
    await expect(history).to_contain_text("It passed")
    page = await open_page("/prompts/moved?prompt_part=usage")
    row = page.get_by_role("table", name="Use by version").get_by_role("row").nth(1)
    await expect(row).to_contain_text("v2")


def said(instance: Instance, name: str) -> str:
    """What the gateway makes of the prompt's live version, as soon as it is the new one."""

    def asked() -> str | None:
        answer = httpx.post(
            f"{instance.gateway}/v1/chat/completions",
            headers={"authorization": f"Bearer {instance.key}"},
            json={"model": f"prompt:{name}", "prompt_variables": {"dish": "soup"}},
            timeout=30,
        )
        text = str(answer.json()["choices"][0]["message"]["content"])
        return text if "take 2" in text else None

    return str(eventually(asked))


async def test_a_protected_label_waits_for_somebody_else(
    open_page: Open, instance: Instance, watched: Watched, chromium: Browser
) -> None:
    await asyncio.to_thread(prompt, instance, "guarded", 2)
    page = await open_page("/prompts/guarded?prompt_part=labels")
    await page.get_by_role("button", name="Protect production").click()
    await page.get_by_role("dialog").get_by_role("button", name="Protect").click()
    await expect(page.get_by_role("button", name="Do not protect production")).to_be_visible()
    await page.get_by_role("button", name="Move production").click()
    await page.get_by_role("button", name="Propose the move").click()
    waiting = page.get_by_role("region", name="Waiting for approval")
    await expect(waiting).to_contain_text("at version 2")
    await expect(waiting.get_by_role("button", name="Approve")).to_have_count(0)
    url = await asyncio.to_thread(invited, instance)
    other = await watched.page(instance, None)
    await other.goto(url)
    await other.wait_for_url("**/overview")
    await other.goto("/prompts/guarded?prompt_part=labels")
    await other.get_by_role("button", name="Approve").click()
    await expect(other.get_by_text("production points at version 2 now")).to_be_visible()


def invited(instance: Instance) -> str:
    """The sign-in link of a second editor."""
    control = Client(instance.console, Home(instance.home).derive("cli"))
    new = {"email": "second@example.org", "name": "Second", "role": "editor"}
    made = control.post("/api/v1/users", new)
    control.close()
    return str(made["link"]["url"])


async def test_a_comment_stays_with_its_version_and_the_playground_opens_the_prompt(
    open_page: Open, instance: Instance
) -> None:
    await asyncio.to_thread(prompt, instance, "discussed")
    page = await open_page("/prompts/discussed?prompt_part=comments")
    await page.get_by_label("Comment", exact=True).fill("Why one sentence?")
    await page.get_by_role("combobox", name="About").select_option("version 1")
    await page.get_by_role("button", name="Comment", exact=True).click()
    await expect(page.get_by_role("listitem").filter(has_text="Why one sentence?")).to_contain_text(
        "v1"
    )
    await page.get_by_role("link", name="Open in playground").click()
    await page.get_by_label("dish").fill("apple pie")
    filled = page.get_by_role("group", name="The prompt, filled in")
    await expect(filled).to_contain_text("Describe apple pie in one sentence.")
    await page.get_by_role("button", name="Run all").click()
    turn = page.get_by_role("article", name="assistant turn")
    await expect(turn).to_contain_text("Describe apple pie in one sentence.")


async def test_without_a_prompt_the_page_teaches_the_first_one(
    watched: Watched, chromium: Browser, fresh: Instance
) -> None:
    from tests.e2e.console.conftest import sign_in

    page = await watched.page(fresh, await sign_in(chromium, fresh))
    await page.goto("/prompts")
    await expect(page.get_by_role("heading", name="No prompts yet")).to_be_visible()
    await expect(page.get_by_text("stockpot prompts push")).to_be_visible()
    await page.get_by_role("button", name="New prompt").click()
    await page.get_by_label("Name").fill("first")
    await page.get_by_role("textbox", name="Template").click()
    await page.keyboard.type("Say hello to {{ guest }}.")
    await page.get_by_role("button", name="Create", exact=True).click()
    await expect(page.get_by_role("article", name="Prompt first")).to_be_visible()


async def test_a_prompt_is_filed_under_a_folder_with_tags_and_archived(
    open_page: Open, instance: Instance
) -> None:
    await asyncio.to_thread(prompt, instance, "filed", 1)
    page = await open_page("/prompts/filed")
    await page.get_by_role("button", name="Settings").click()
    dialog = page.get_by_role("dialog", name="Settings of filed")
    await dialog.get_by_label("Folder").fill("kitchen/menu")
    await dialog.get_by_label("Tags").fill("menu, spring, menu")
    await dialog.get_by_label("Owner").fill("team-menu")
    await dialog.get_by_role("button", name="Save").click()
    head = page.get_by_role("heading", name="filed")
    await expect(head).to_contain_text("kitchen/menu /")
    await expect(head).to_contain_text("spring")
    await page.get_by_role("button", name="Settings").click()
    await dialog.get_by_role("button", name="Archive").click()
    await expect(head).to_contain_text("archived")
