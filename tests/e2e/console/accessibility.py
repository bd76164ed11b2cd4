"""What a checker of accessibility rules finds on a page."""

from __future__ import annotations

from playwright.async_api import Page


async def faults_of(page: Page, axe: str, within: str = "html") -> list[str]:
    """The rules of accessibility that a part of the page breaks."""
    await page.evaluate(axe)
    found = await page.evaluate(
        "(part) => axe.run(part, {runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa']})", within
    )
    return [
        f"{fault['id']}: {node['html'][:160]} {node['failureSummary'][:240]}"
        for fault in found["violations"]
        for node in fault["nodes"]
    ]
