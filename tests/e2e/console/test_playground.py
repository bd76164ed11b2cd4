"""The playground: real streams through the gateway, and their figures."""

from __future__ import annotations

import asyncio
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
    pytest.mark.timeout(240),
]

LONG = " ".join(f"word{number}" for number in range(150))


async def test_an_answer_comes_with_its_figures_and_its_trace(open_page: Open) -> None:
    page = await open_page("/playground?model=gpt-4o-mini")
    await page.get_by_label("Message").fill("Say hello to the pot")
    await page.keyboard.press("Enter")
    turn = page.get_by_role("article", name="assistant turn")
    await expect(turn).to_contain_text("Say hello to the pot")
    await expect(turn).to_contain_text(re.compile(r"\d+ in, \d+ out"))
    await expect(turn).to_contain_text(re.compile(r"cost \$0\.0"))
    await expect(turn).to_contain_text("first token")
    await turn.get_by_role("link", name="Open trace").click()
    trace = page.get_by_role("complementary", name="Trace")
    await expect(trace.get_by_text("Say hello to the pot")).to_have_count(2)
    await page.go_back()
    await expect(page.get_by_role("article", name="assistant turn")).to_be_visible()


async def test_a_long_answer_can_be_stopped(open_page: Open) -> None:
    page = await open_page("/playground?model=slow")
    await page.get_by_label("Message").fill(LONG)
    await page.keyboard.press("Enter")
    turn = page.get_by_role("article", name="assistant turn")
    await expect(turn).to_contain_text("word2")
    await page.get_by_role("button", name="Stop").click()
    await expect(turn).to_contain_text("stopped")
    await expect(turn).not_to_contain_text("word149")
    await expect(page.get_by_role("button", name="Send")).to_be_visible()


async def test_an_edited_turn_is_answered_anew(open_page: Open) -> None:
    page = await open_page("/playground?model=echo")
    await page.get_by_label("Message").fill("First version")
    await page.keyboard.press("Enter")
    answer = page.get_by_role("article", name="assistant turn")
    await expect(answer).to_contain_text("First version")
    await page.get_by_role("article", name="user turn").hover()
    await page.get_by_role("button", name="Edit and run again").click()
    await page.get_by_label("Edit the turn").fill("Second version")
    await page.get_by_role("button", name="Run again from here").click()
    await expect(answer).to_contain_text("Second version")
    await expect(page.get_by_role("article")).to_have_count(2)


async def test_settings_are_in_the_address_and_in_the_request(open_page: Open) -> None:
    page = await open_page("/playground?model=echo&temperature=0.5&system=Be+brief.&stop=STOP")
    await expect(page.get_by_label("Temperature")).to_have_value("0.5")
    await expect(page.get_by_label("System prompt")).to_have_value("Be brief.")
    await page.get_by_label("Seed").fill("7")
    await expect(page).to_have_url(re.compile("seed=7"))
    await page.get_by_label("Message").fill("one STOP two")
    await page.keyboard.press("Enter")
    turn = page.get_by_role("article", name="assistant turn")
    await expect(turn).to_contain_text("one")
    await turn.get_by_role("link", name="Open trace").click()
    await page.get_by_role("tab", name="Request").click()
    sent = page.get_by_role("complementary", name="Trace").locator("pre")
    for part in ('"temperature": 0.5', '"seed": 7', '"stop": "STOP"', '"content": "Be brief."'):
        await expect(sent).to_contain_text(part)


async def test_a_refusal_of_the_gateway_is_shown_in_its_turn(open_page: Open) -> None:
    page = await open_page("/playground?model=no-such-model")
    await page.get_by_label("Message").fill("Anybody?")
    await page.keyboard.press("Enter")
    turn = page.get_by_role("article", name="assistant turn")
    await expect(turn.get_by_role("alert")).to_contain_text("no-such-model")
    await expect(turn.get_by_role("link", name="Open trace")).to_be_visible()


async def test_a_call_of_an_application_opens_with_its_settings(
    open_page: Open, instance: Instance
) -> None:
    answer = await asyncio.to_thread(
        chat, instance, "From the application", temperature=0.25, user="guest-replay"
    )
    page = await open_page(f"/traces/{answer.headers['x-stockpot-trace-id']}")
    await page.get_by_role("link", name="Open in playground").click()
    await expect(page.get_by_role("article", name="user turn")).to_contain_text("From the app")
    await expect(page.get_by_label("Temperature")).to_have_value("0.25")
    await expect(page.get_by_text("Also sent, as in the trace")).to_be_visible()
    await page.get_by_role("article", name="assistant turn").hover()
    await page.get_by_role("button", name="Run again", exact=True).click()
    await expect(page.get_by_role("article", name="assistant turn")).to_contain_text("From the app")
