"""Annotation: answered by keys alone, told to nobody before its time, compared in the end."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from playwright.async_api import expect

if TYPE_CHECKING:
    from pathlib import Path

    from tests.e2e.console.conftest import Open
    from tests.running import Instance

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.needs("chromium", "console"),
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.timeout(300),
]


@pytest.fixture
def tasting(instance: Instance, tmp_path: Path) -> str:
    """A data set with two rows."""
    file = tmp_path / "rows.jsonl"
    file.write_text('{"input": {"q": "leek soup"}}\n{"input": {"q": "apple cake"}}\n')
    instance.command("datasets", "create", "tasting")
    instance.command("datasets", "import", "tasting", str(file))
    return "tasting"


async def test_a_queue_is_worked_through_by_keys_alone(
    open_page: Open, instance: Instance, tasting: str
) -> None:
    page = await open_page("/annotation?create=1&project=default")
    dialog = page.get_by_role("dialog", name="New annotation queue")
    await dialog.get_by_label("Name").fill("by-keys")
    await dialog.get_by_role("combobox", name="Annotate").click()
    await page.get_by_role("option", name=f"Rows of {tasting}").click()
    await dialog.get_by_label("Labels").fill("tasty, bland")
    await dialog.get_by_role("button", name="Create").click()
    item = page.get_by_role("region", name="Item")
    await expect(item).to_contain_text("leek soup")
    await page.keyboard.press("Enter")
    await expect(page.get_by_text("verdict needs an answer.")).to_be_visible()
    await page.keyboard.press("2")
    bland = page.get_by_role("button", name=re.compile("bland"))
    await expect(bland).to_have_attribute("aria-pressed", "true")
    await page.keyboard.press("Enter")
    await expect(item).to_contain_text("apple cake")
    await page.keyboard.press("k")
    await expect(item).to_contain_text("leek soup")
    await page.keyboard.press("j")
    await expect(item).to_contain_text("apple cake")
    await page.keyboard.press("1")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", name="All of it is answered")).to_be_visible()
    await page.get_by_role("tab", name="Items").click()
    table = page.get_by_role("table", name="Items")
    await expect(table.get_by_role("row", name=re.compile("verdict: bland"))).to_have_count(1)
    scores = instance.command("scores", "list", "--name", "verdict", "--json")
    assert '"tasty"' in scores
    assert '"bland"' in scores
