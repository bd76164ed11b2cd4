"""Traces compared: two of them span by span, and two windows by what calls are made of."""

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
    pytest.mark.timeout(300),
]


def trace_of(instance: Instance, question: str, **more: object) -> str:
    answer = chat(instance, question, "gpt-4o-mini", **more)
    assert answer.status_code == 200, answer.text
    return answer.headers["x-stockpot-trace-id"]


async def test_two_traces_are_compared_at_an_address_of_their_own(
    open_page: Open, instance: Instance
) -> None:
    before = await asyncio.to_thread(trace_of, instance, "Boil the leek", temperature=0.25)
    after = await asyncio.to_thread(
        trace_of, instance, "Boil the leek for an hour in salted water", temperature=0.75
    )
    page = await open_page(f"/traces/{after}")
    trace = page.get_by_role("complementary", name="Trace")
    await trace.get_by_role("button", name="Compare with").click()
    dialog = page.get_by_role("dialog")
    await dialog.get_by_label("Trace id").fill("of yesterday")
    await dialog.get_by_role("button", name="Compare", exact=True).click()
    await expect(dialog).to_contain_text("32 letters and digits, 0 to 9")
    await dialog.get_by_label("Trace id").fill(before)
    await dialog.get_by_role("button", name="Compare", exact=True).click()
    await expect(page).to_have_url(re.compile(f"/traces/{after}.*versus={before}"))
    pairs = trace.get_by_role("list", name="Pairs of spans")
    await expect(pairs.locator("dl")).to_contain_text(re.compile(r"temperature\s*0\.25\s*0\.75"))
    await expect(pairs.locator("dl")).to_contain_text("for an hour in salted water")
    await expect(pairs.locator("dl")).to_contain_text(re.compile(r"input tokens.*\+\d"))
    await expect(pairs.locator("dl")).to_contain_text("cost")

    await trace.get_by_role("button", name="Swap").click()
    await expect(page).to_have_url(re.compile(f"/traces/{before}.*versus={after}"))
    await expect(pairs.locator("dl")).to_contain_text(re.compile(r"temperature\s*0\.75\s*0\.25"))
    await trace.get_by_role("button", name="Close the comparison").click()
    await expect(page).not_to_have_url(re.compile("versus="))
    await expect(trace.get_by_text("Boil the leek").first).to_be_visible()


async def test_a_comparison_with_a_trace_that_does_not_exist_says_so(
    open_page: Open, instance: Instance
) -> None:
    known = await asyncio.to_thread(trace_of, instance, "Peel the leek")
    page = await open_page(f"/traces/{known}?versus={'0' * 31}2")
    await expect(page.get_by_role("alert")).to_contain_text("no trace")
