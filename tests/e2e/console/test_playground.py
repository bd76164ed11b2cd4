"""The playground: real streams through the gateway, and their figures."""

from __future__ import annotations

import asyncio
import base64
import json
import re
import subprocess
from typing import TYPE_CHECKING

import pytest
from playwright.async_api import Page, Route, expect

from stockpot.core.client import Client
from stockpot.core.instance import Instance as Home
from tests.e2e.console.traffic import chat
from tests.running import BIN, eventually

if TYPE_CHECKING:
    from tests.e2e.console.conftest import Open
    from tests.running import Instance

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.needs("chromium", "console"),
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.timeout(300),
]

PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJg"
    "gg=="
)
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
    await page.get_by_role("button", name="Stop", exact=True).click()
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


async def test_columns_stream_at_once_with_variables_filled_in_once(open_page: Open) -> None:
    page = await open_page("/playground?model=gpt-4o-mini")
    await page.get_by_label("Message").fill("Describe {{dish}} please")
    await page.get_by_role("button", name="Add a column").click()
    await choose(page, "Model", "slow")
    await page.get_by_label("dish").fill("tomato soup")
    await page.get_by_label("Message").press("Enter")
    first, second = (page.get_by_role("region", name=f"Column {n}") for n in (1, 2))
    for column in (first, second):
        turn = column.get_by_role("article", name="assistant turn")
        await expect(turn).to_contain_text("Describe tomato soup please")
    await expect(page.get_by_label("Used so far").first).to_contain_text(re.compile(r"\d+ in"))
    await page.get_by_label("dish").fill("apple pie")
    await page.keyboard.press("Control+Enter")
    for column in (first, second):
        await expect(column.get_by_role("article")).to_have_count(2)
        turn = column.get_by_role("article", name="assistant turn")
        await expect(turn).to_contain_text("Describe apple pie please")
    await page.get_by_role("button", name="Remove column 2").click()
    await expect(second).to_have_count(0)


async def test_an_answer_is_checked_against_its_schema(open_page: Open) -> None:
    page = await open_page("/playground?model=echo")
    await page.get_by_role("button", name="Answer schema").click()
    await page.get_by_label("JSON Schema").fill(
        '{"type": "object", "required": ["price"], "properties": {"price": {"type": "number"}}}'
    )
    await page.get_by_role("button", name="Use this schema").click()
    await page.get_by_label("Message").fill('{"price": "seven"}')
    await page.get_by_label("Message").press("Enter")
    turn = page.get_by_role("article", name="assistant turn")
    await expect(turn).to_contain_text("breaks its schema")
    await expect(turn).to_contain_text("$.price")
    await page.get_by_role("article", name="user turn").hover()
    await page.get_by_role("button", name="Edit and run again").click()
    await page.get_by_label("Edit the turn").fill('{"price": 7}')
    await page.get_by_role("button", name="Run again from here").click()
    await expect(turn).to_contain_text("keeps its schema")


LOOK = {"name": "look", "arguments": '{"dish": "soup"}'}
CALLS = "".join(
    f"data: {json.dumps({'model': 'echo', 'choices': [{'index': 0, **choice}]})}\n\n"
    for choice in (
        {"delta": {"tool_calls": [{"index": 0, "id": "c1", "type": "function", "function": LOOK}]}},
        {"delta": {}, "finish_reason": "tool_calls"},
    )
)
"""The stream of a model that wants a tool; the test model never does."""


async def test_a_tools_call_is_answered_by_its_text_and_the_model_goes_on(open_page: Open) -> None:
    page = await open_page("/playground?model=echo")
    asked: list[str] = []

    async def answer(route: Route) -> None:
        asked.append(route.request.post_data or "")
        if len(asked) == 1:
            await route.fulfill(body=CALLS, headers={"content-type": "text/event-stream"})
        else:
            await route.continue_()

    await page.route("**/api/v1/playground/chat", answer)
    await page.get_by_role("button", name="Tools").click()
    await page.get_by_label("Name", exact=True).fill("look")
    await page.get_by_label("Result").fill('{"dish": "{{dish}}", "price": 7}')
    await page.get_by_role("button", name="Use these tools").click()
    await page.get_by_label("Message").fill("What is the soup?")
    await page.get_by_label("Message").press("Enter")
    await expect(page.get_by_role("article", name="tool turn")).to_contain_text('"dish": "soup"')
    turns = page.get_by_role("article", name="assistant turn")
    await expect(turns.first).to_contain_text('look({"dish": "soup"})')
    await expect(turns.last).to_contain_text("What is the soup?")
    assert [json.loads(one)["tools"][0]["function"]["name"] for one in asked] == ["look"] * 2
    last = json.loads(asked[1])["messages"][-1]
    assert last == {
        "role": "tool", "tool_call_id": "c1", "content": '{"dish": "soup", "price": 7}',
    }  # fmt: skip


async def test_an_image_goes_along_and_is_in_the_trace(open_page: Open) -> None:
    page = await open_page("/playground?model=echo")
    await page.locator("input[type=file]").set_input_files(
        {"name": "pot.png", "mimeType": "image/png", "buffer": PIXEL}
    )
    await expect(page.get_by_role("img", name="pot.png")).to_be_visible()
    await page.get_by_label("Message").fill("What is it?")
    await page.get_by_label("Message").press("Enter")
    turn = page.get_by_role("article", name="assistant turn")
    await expect(turn).to_contain_text("[image_url]")
    await turn.get_by_role("link", name="Open trace").click()
    await page.get_by_role("tab", name="Request").click()
    sent = page.get_by_role("complementary", name="Trace").locator("pre")
    await expect(sent).to_contain_text("data:image/png;base64,")


async def test_a_board_is_shared_by_its_link(open_page: Open) -> None:
    page = await open_page("/playground?model=echo")
    await page.get_by_label("Message").fill("Hand this on to {{guest}}")
    await page.get_by_label("Message").press("Enter")
    await expect(page.get_by_role("article", name="assistant turn")).to_be_visible()
    await page.get_by_label("guest").fill("Ana")
    async with page.expect_response("**/api/v1/playground/shares") as made:
        await page.get_by_role("button", name="Copy link").click()
    share = (await (await made.value).json())["id"]
    other = await open_page(f"/playground?share={share}")
    await expect(other.get_by_label("guest")).to_have_value("Ana")
    await expect(other.get_by_role("article", name="user turn")).to_contain_text("Hand this on")


async def test_a_trace_is_replayed_and_a_call_saved_as_version_and_row(
    open_page: Open, instance: Instance
) -> None:
    answer = await asyncio.to_thread(chat, instance, "Describe the stew")
    trace = answer.headers["x-stockpot-trace-id"]
    await asyncio.to_thread(arrived, instance, trace)
    page = await open_page(f"/playground?trace={trace}")
    await page.get_by_role("button", name="Replay it").click()
    dialog = page.get_by_role("dialog", name="Run the whole trace again")
    await expect(dialog).to_contain_text("1 of 1 steps said the same")
    await dialog.get_by_role("button", name="Close").click()
    await page.get_by_role("button", name="Save version").click()
    version = page.get_by_role("dialog", name="Save as a prompt version")
    await version.get_by_label("Prompt", exact=True).fill("from-the-playground")
    await version.get_by_role("button", name="Create the prompt").click()
    await expect(page.get_by_text("from-the-playground has version 1 now")).to_be_visible()
    await page.get_by_role("button", name="Save row").click()
    row = page.get_by_role("dialog", name="Save as a data set row")
    await row.get_by_label("Data set").fill("from-the-playground")
    await row.get_by_role("button", name="Save the row").click()
    await expect(page.get_by_text("The row is in from-the-playground")).to_be_visible()


async def test_every_column_runs_over_the_rows_of_a_data_set(
    open_page: Open, instance: Instance
) -> None:
    await asyncio.to_thread(rows_for_the_playground, instance)
    page = await open_page("/playground?model=echo&dataset=dishes")
    await expect(page.get_by_label("dish")).to_have_value("tomato soup")
    await page.get_by_label("Message").fill("Describe {{dish}}")
    await page.get_by_label("Message").press("Enter")
    await expect(page.get_by_role("article", name="assistant turn")).to_contain_text("soup")
    await page.get_by_role("button", name="Next row").click()
    await expect(page.get_by_label("dish")).to_have_value("apple pie")
    await page.get_by_role("button", name="Run over rows").click()
    table = page.get_by_role("table", name="Answers by row")
    for dish in ("tomato soup", "apple pie"):
        await expect(table).to_contain_text(f"Describe {dish}")
    await expect(page.get_by_role("region", name="Run over rows")).to_contain_text("2 of 2")
    await page.get_by_role("button", name="Back to the columns").click()
    await expect(page.get_by_role("article", name="user turn")).to_be_visible()


async def choose(page: Page, label: str, option: str) -> None:
    await page.get_by_role("combobox", name=label, exact=True).first.click()
    await page.get_by_role("option", name=re.compile(rf"^{option}\b")).click()


def arrived(instance: Instance, trace: str) -> None:
    """Wait until the span log has a trace."""

    def there() -> bool:
        found = subprocess.run(
            [str(BIN / "stockpot"), "traces", "show", trace],
            env=instance.environ, capture_output=True,
        )  # fmt: skip
        return found.returncode == 0

    eventually(there)


def product(instance: Instance) -> Client:
    """The API of a running instance, as its command line."""
    return Client(instance.console, Home(instance.home).derive("cli"))


def rows_for_the_playground(instance: Instance) -> None:
    """A data set of two rows, in the project that the page starts with."""
    control = product(instance)
    control.post("/api/v1/datasets", {"name": "dishes"})
    rows = [{"input": {"dish": dish}} for dish in ("tomato soup", "apple pie")]
    control.post("/api/v1/datasets/dishes/rows", {"rows": rows})
    control.close()
