"""Monitors: written with their preview, told of, silenced, and looked at."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from playwright.async_api import Page, expect

from tests.integration.monitors.receiver import Receiver, receiving

if TYPE_CHECKING:
    from tests.e2e.console.conftest import Open
    from tests.running import Instance

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.needs("chromium", "console"),
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.timeout(300),
]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as started:
        yield started


async def add_channel(page: Page, receiver: Receiver) -> str:
    """Adds a webhook, sends it a test, and gives the secret that was shown once."""
    await page.get_by_role("button", name="Add a channel").click()
    dialog = page.get_by_role("dialog", name="Add a channel")
    await dialog.get_by_label("Name").fill("ops")
    await dialog.get_by_label("URL").fill(receiver.url)
    await dialog.get_by_role("button", name="Add", exact=True).click()
    secret = await page.get_by_test_id("secret").inner_text()
    await page.get_by_role("button", name="I have stored it").click()
    await expect(page.get_by_role("table", name="Channels")).not_to_contain_text("s3cret-path")
    await page.get_by_role("button", name="Send a test to ops").click()
    await expect(page.get_by_text("ops took it: 200")).to_be_visible()
    return secret


async def write_monitor(page: Page) -> None:
    """Writes a monitor that any call makes fire, with its preview."""
    await page.get_by_role("button", name="Monitors", exact=True).click()
    await page.keyboard.press("n")
    dialog = page.get_by_role("dialog", name="New monitor")
    await dialog.get_by_label("Name").fill("any call")
    await dialog.get_by_label("Metric").click()
    await page.get_by_role("option", name="Calls", exact=True).click()
    await dialog.get_by_label("Threshold").fill("1")
    await dialog.get_by_label("Over the last").click()
    await page.get_by_role("option", name="1 d", exact=True).click()
    preview = dialog.get_by_role("region", name="Preview")
    await expect(preview).to_contain_text("It would have fired")
    await dialog.get_by_role("checkbox", name=re.compile("ops")).check()
    await dialog.get_by_role("button", name="Create").click()


async def test_a_monitor_is_written_and_tells_its_channel(
    open_page: Open, receiver: Receiver
) -> None:
    page = await open_page("/monitors?show=channels")
    secret = await add_channel(page, receiver)
    assert secret.startswith("whsec_")
    assert receiver.said == ["monitor.test"]
    await write_monitor(page)
    row = page.get_by_role("row", name=re.compile("any call"))
    await expect(row).to_contain_text("firing", timeout=30_000)
    await row.get_by_role("link", name="any call").click()
    await expect(page.get_by_role("table", name="Alerts")).to_contain_text("firing")
    await expect(page.get_by_role("region", name="History").get_by_role("img")).to_be_visible()
    await page.goto("/monitors?show=channels")
    messages = page.get_by_role("region", name="Messages")
    await expect(messages).to_contain_text("delivered", timeout=30_000)
    assert receiver.said[1] == "monitor.firing"
    assert receiver.signed_by(secret)


async def test_a_monitor_is_silenced_with_a_reason_and_speaks_again(
    open_page: Open, instance: Instance
) -> None:
    name = ("monitors", "create", "quiet", "--metric", "calls", "--below", "0")
    await asyncio.to_thread(instance.command, *name)
    page = await open_page("/monitors")
    await page.get_by_role("button", name="Silence quiet").click()
    dialog = page.get_by_role("dialog", name="Silence quiet")
    await dialog.get_by_role("button", name="Silence", exact=True).click()
    await expect(dialog).to_contain_text("why?")
    await dialog.get_by_label("Reason").fill("a test of the quiet")
    await dialog.get_by_role("button", name="Silence", exact=True).click()
    await page.get_by_role("link", name="quiet", exact=True).click()
    note = page.get_by_text("a test of the quiet")
    await expect(note).to_be_visible()
    await page.get_by_role("button", name="End it now").click()
    await expect(note).to_have_count(0)
    await page.get_by_role("link", name="Monitors", exact=True).last.click()
    await page.get_by_role("button", name="Silence a project").click()
    dialog = page.get_by_role("dialog", name=re.compile("^Silence a"))
    await dialog.get_by_label("Reason").fill("the whole house is mended")
    await dialog.get_by_role("button", name="Silence", exact=True).click()
    note = page.get_by_text("the whole house is mended")
    await expect(note).to_contain_text("all monitors of")
    await page.get_by_role("button", name="End it now").click()
    await expect(note).to_have_count(0)


async def test_a_rule_that_makes_no_sense_says_so_before_it_is_sent(open_page: Open) -> None:
    page = await open_page("/monitors?form=new")
    dialog = page.get_by_role("dialog", name="New monitor")
    await dialog.get_by_label("Good again at").fill("9000")
    await expect(dialog).to_contain_text("Must lie on the good side.")
    await dialog.get_by_role("button", name="Create").click()
    await expect(dialog).to_contain_text("Give it a name.")
    await dialog.get_by_role("button", name="An error budget").click()
    await dialog.get_by_label("Good calls, percent").fill("100")
    await expect(dialog).to_contain_text("From 50 to 99.999.")
