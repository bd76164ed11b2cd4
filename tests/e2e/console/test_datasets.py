"""Data sets: made from traces and files, looked through, changed into versions, compared."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from playwright.async_api import expect

from tests.e2e.console.traffic import chat

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


async def test_a_data_set_is_filled_from_traces_changed_and_compared(
    open_page: Open, instance: Instance
) -> None:
    page = await open_page("/datasets?create=1")
    dialog = page.get_by_role("dialog", name="New data set")
    await dialog.get_by_label("Name").fill("counter")
    await dialog.get_by_role("button", name="Create").click()
    await expect(page.get_by_role("heading", name="No rows yet")).to_be_visible()
    await page.get_by_role("button", name="Take them from traces").click()
    dialog = page.get_by_role("dialog", name="Rows from traces")
    await dialog.get_by_label("Words in it").fill("baked spaghetti")
    await dialog.get_by_role("button", name="Add rows").click()
    await expect(dialog).to_have_count(0)
    first = page.get_by_role("button", name=re.compile("baked spaghetti")).first
    await first.click()
    pane = page.get_by_role("complementary", name="Row")
    await pane.get_by_label("Expected").fill("Spaghetti, baked with cheese.")
    await pane.get_by_role("button", name="Save").click()
    await expect(page.get_by_text("Version 2: 1 changed.")).to_be_visible()
    await page.get_by_role("tab", name="Versions").click()
    await page.get_by_role("button", name="What changed").click()
    changes = page.get_by_role("list", name="Differences")
    await expect(changes).to_contain_text("Spaghetti, baked with cheese.")
    await page.get_by_role("tab", name="Checks").click()
    await expect(page.get_by_text("MinHash")).to_be_visible()


async def test_a_file_is_imported_or_its_faulty_lines_are_told(
    open_page: Open, instance: Instance, tmp_path: Path
) -> None:
    instance.command("datasets", "create", "imported")
    page = await open_page("/datasets?set=imported&project=default&add=file")
    dialog = page.get_by_role("dialog", name="Import rows into imported")
    file = tmp_path / "cases.csv"
    file.write_text("question,answer\nsoup?,leek\nbroken\n")
    await dialog.get_by_label("File").set_input_files(file)
    await dialog.get_by_label("question").fill("input.question")
    await dialog.get_by_label("answer").fill("expected")
    await dialog.get_by_role("button", name="Import", exact=True).click()
    await expect(dialog.get_by_role("alert")).to_contain_text("line 3: 1 cells")
    file.write_text("question,answer\nsoup?,leek\ncake?,apple\n")
    await dialog.get_by_label("File").set_input_files(file)
    await expect(dialog.get_by_role("alert")).to_have_count(0)
    await expect(dialog.get_by_label("question")).to_have_value("input.question")
    await dialog.get_by_role("button", name="Import", exact=True).click()
    table = page.get_by_role("table", name="Rows")
    await expect(table.get_by_role("button", name="cake?")).to_be_visible()
    await page.keyboard.press("j")
    await expect(page.get_by_role("complementary", name="Row")).to_contain_text("soup?")


async def test_a_trace_becomes_a_row_that_leads_back_to_it(
    open_page: Open, instance: Instance
) -> None:
    instance.command("datasets", "create", "from-pane")
    trace = chat(instance, "Do you have oat milk?").headers["x-stockpot-trace-id"]
    page = await open_page(f"/traces/{trace}")
    feedback = page.get_by_role("region", name="Feedback")
    await feedback.get_by_role("button", name="Add to data set").click()
    dialog = page.get_by_role("dialog", name="Add to data set")
    await dialog.get_by_role("combobox", name="Data set").click()
    await page.get_by_role("option", name="from-pane").click()
    await dialog.get_by_role("button", name="Add", exact=True).click()
    await feedback.get_by_role("link", name="from-pane").click()
    pane = page.get_by_role("complementary", name="Row")
    await expect(pane).to_contain_text("Do you have oat milk?")
    await pane.get_by_role("link", name="Its trace").click()
    await expect(page).to_have_url(re.compile(trace))
