"""Monitors: written with their preview, told of, silenced, and looked at."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from playwright.async_api import expect

from tests.integration.monitors.receiver import Receiver, receiving

if TYPE_CHECKING:
    from tests.e2e.console.conftest import Open

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.needs("chromium", "console"),
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.timeout(240),
]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as started:
        yield started


async def test_a_monitor_is_written_tells_a_channel_and_is_silenced(
    open_page: Open, receiver: Receiver
) -> None:
    page = await open_page("/monitors?show=channels")
    await page.get_by_role("button", name="Add a channel").click()
    dialog = page.get_by_role("dialog", name="Add a channel")
    await dialog.get_by_label("Name").fill("ops")
    await dialog.get_by_label("URL").fill(receiver.url)
    await dialog.get_by_role("button", name="Add", exact=True).click()
    secret = await page.get_by_test_id("secret").inner_text()
    assert secret.startswith("whsec_")
    await page.get_by_role("button", name="I have stored it").click()
    await expect(page.get_by_role("table", name="Channels")).not_to_contain_text("s3cret-path")
    await page.get_by_role("button", name="Send a test to ops").click()
    await expect(page.get_by_text("ops took it: 200")).to_be_visible()
    assert receiver.said == ["monitor.test"]
    assert receiver.signed_by(secret)

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
    await dialog.get_by_label("ops").check()
    await dialog.get_by_role("button", name="Create").click()
    row = page.get_by_role("row", name=re.compile("any call"))
    await expect(row).to_contain_text("firing", timeout=30_000)
    await row.get_by_role("link", name="any call").click()
    await expect(page.get_by_role("table", name="Alerts")).to_contain_text("firing")
    await expect(page.get_by_role("region", name="History").get_by_role("img")).to_be_visible()

    await page.get_by_role("button", name="Silence", exact=True).click()
    dialog = page.get_by_role("dialog", name="Silence any call")
    await dialog.get_by_role("button", name="Silence", exact=True).click()
    await expect(dialog).to_contain_text("why?")
    await dialog.get_by_label("Reason").fill("a test of the quiet")
    await dialog.get_by_role("button", name="Silence", exact=True).click()
    await expect(page.get_by_text("a test of the quiet")).to_be_visible()
    await page.get_by_role("link", name="Monitors", exact=True).first.click()
    await page.goto("/monitors?show=channels")
    messages = page.get_by_role("region", name="Messages")
    await expect(messages).to_contain_text("delivered", timeout=30_000)
    assert receiver.said[1] == "monitor.firing"


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
