"""A trace of ten thousand spans opens with one page, holds few rows at a time; all are reached."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from playwright.async_api import Locator, Page, expect

if TYPE_CHECKING:
    from tests.e2e.console.conftest import Open
    from tests.running import Instance

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.needs("chromium", "console"),
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.timeout(300),
]

SPANS = 10_000
BRANCHES = 9
PER_BATCH = 2_000
TRACE = "5" * 32
PER_PAGE = 200
DAY_NS = 86_400 * 10**9


def span(number: int, start: int) -> dict[str, Any]:
    """Number 0 is the root, 1 to BRANCHES hang below it, the others below one of these each."""
    parent = 0 if number <= BRANCHES else 1 + (number - BRANCHES - 1) * BRANCHES // SPANS
    begins = start + number * 10**6
    return {
        "traceId": TRACE,
        "spanId": f"{number + 1:016x}",
        **({"parentSpanId": f"{parent + 1:016x}"} if number else {}),
        "name": "kitchen" if number == 0 else f"{'station' if parent == 0 else 'step'} {number}",
        "kind": 1,
        "startTimeUnixNano": str(begins),
        "endTimeUnixNano": str(begins + (SPANS * 10**6 if number == 0 else 10**6)),
    }


def send(instance: Instance) -> None:
    """All spans of the trace, of two days ago so that no other list shows it."""
    start = time.time_ns() - 2 * DAY_NS
    spans = [span(number, start) for number in range(SPANS)]
    for first in range(0, SPANS, PER_BATCH):
        answer = httpx.post(
            f"{instance.gateway}/v1/traces",
            headers={"authorization": f"Bearer {instance.key}"},
            json={"resourceSpans": [{"scopeSpans": [{"spans": spans[first : first + PER_BATCH]}]}]},
            timeout=30,
        )
        assert answer.status_code == 200, answer.text
        assert not answer.json().get("partialSuccess")


async def tree(page: Page) -> dict[str, Any]:
    """What the API says of the trace's tree, as far as it is there."""
    answer = await page.request.get(f"/api/v1/traces/{TRACE}/tree")
    return await answer.json() if answer.ok else {}


async def until_whole(page: Page) -> None:
    deadline = time.monotonic() + 120
    while (await tree(page)).get("total") != SPANS:
        assert time.monotonic() < deadline, "the log did not take all spans"
        await asyncio.sleep(0.2)


async def test_a_trace_of_ten_thousand_spans_opens_scrolls_to_its_end_and_folds(
    open_page: Open, instance: Instance
) -> None:
    await asyncio.to_thread(send, instance)
    page = await open_page("/overview")
    await until_whole(page)
    assert len((await tree(page))["rows"]) == PER_PAGE

    asked: list[str] = []
    page.on("request", lambda sent: asked.append(sent.url) if f"{TRACE}/" in sent.url else None)
    await page.goto(f"/traces/{TRACE}")
    timeline = page.get_by_role("region", name="Timeline")
    await expect(timeline).to_contain_text("10,000 spans")
    await expect(timeline.get_by_role("button", name="kitchen", exact=True)).to_be_visible()
    rows = timeline.locator("[data-waterfall] > div > div")
    assert await rows.count() < 80
    assert len([url for url in asked if "/tree" in url]) == 1, asked

    scroller = timeline.locator("[data-waterfall]")
    await scroller.evaluate("element => { element.scrollTop = element.scrollHeight }")
    last = timeline.get_by_role("button", name=f"step {SPANS - 1}", exact=True)
    await expect(last).to_be_visible()
    assert await rows.count() < 80
    await last.click()
    await expect(last).to_have_attribute("aria-pressed", "true")
    await folds(page, timeline, scroller)


async def folds(page: Page, timeline: Locator, scroller: Locator) -> None:
    """A subtree closes and opens again, and what comes into sight is fetched."""
    await scroller.evaluate("element => { element.scrollTop = 0 }")
    below = timeline.get_by_role("button", name="step 10", exact=True)
    second = timeline.get_by_role("button", name="station 2", exact=True)
    await expect(below).to_be_visible()
    await expect(second).to_have_count(0)
    async with page.expect_response("**/tree?**cursor=**"):  # what comes into sight is far below
        await timeline.get_by_role("button", name="Close station 1,").click()
    await expect(below).to_have_count(0)
    await expect(second).to_be_visible()
    async with page.expect_response("**/tree?**cursor=**"):
        await scroller.evaluate("element => { element.scrollTop = 26 * 700 }")
    await scroller.evaluate("element => { element.scrollTop = 0 }")
    await timeline.get_by_role("button", name="Open station 1,").click()
    await expect(below).to_be_visible()
