"""An experiment by forms alone: it is defined, its units decide it, its winner is released."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
from playwright.async_api import Page, expect

from stockpot.core.client import Client
from stockpot.core.instance import Instance as Home
from tests.e2e.console.accessibility import faults_of
from tests.e2e.console.test_prompts import prompt
from tests.e2e.console.traffic import chat
from tests.running import eventually

if TYPE_CHECKING:
    from tests.e2e.console.conftest import Open
    from tests.running import Instance

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.needs("chromium", "console"),
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.timeout(300),
]

ENOUGH = 50
"""Units in each arm that surely fail less than 30 percentage points more often, if none fails."""


async def test_an_experiment_is_defined_by_a_form_and_its_winner_is_released_by_another(
    open_page: Open, instance: Instance, axe: str
) -> None:
    await asyncio.to_thread(prompt, instance, "shorter", 2)
    page = await open_page("/experiments")
    await page.get_by_role("button", name="Define an experiment").first.click()
    dialog = page.get_by_role("dialog", name="Define an experiment")
    await filled(page)
    assert await faults_of(page, axe, "[role=dialog]") == []
    await dialog.get_by_role("button", name="Create the draft").click()
    await expect(dialog.get_by_role("alert")).to_contain_text("10000")
    await dialog.get_by_label("Weight, in %").last.fill("50")
    await dialog.get_by_role("button", name="Create the draft").click()
    await expect(dialog).to_have_count(0)
    await asyncio.to_thread(kept_as_filled, instance)

    await page.get_by_role("button", name="Start").click()
    await asyncio.to_thread(live, instance)
    await page.get_by_role("button", name="Make it permanent").click()
    release = page.get_by_role("dialog", name="Make new permanent")
    await expect(release).to_contain_text("prompts.shorter.labels.production")
    assert await faults_of(page, axe, "[role=dialog]") == []
    await release.get_by_label("Reason").fill("the cooks agree")
    await release.get_by_role("button", name="Make it permanent").click()
    await expect(release).to_have_count(0)
    told = page.get_by_role("list", name="Decisions")
    await expect(told).to_contain_text("shorter@production was moved to version 2: the cooks agree")
    answer = await asyncio.to_thread(served, instance)
    assert answer == "shorter@2"


async def filled(page: Page) -> None:
    """The form, by its labels; the weights are not right yet."""
    dialog = page.get_by_role("dialog", name="Define an experiment")
    await dialog.get_by_label("Name", exact=True).fill("by-a-form")
    await dialog.get_by_label("Hypothesis").fill("The second version fails no more often.")
    await dialog.get_by_label("Subject").fill("shorter@production")
    await dialog.get_by_label("Serves").last.fill("shorter@2")
    await dialog.get_by_label("Weight, in %").last.fill("40")
    await dialog.get_by_role("combobox", name="Metric", exact=True).first.fill("error")
    await dialog.get_by_label("Margin", exact=True).first.fill("0.3")
    await expect(dialog).to_contain_text("surely not worse by more than 30 percentage points")
    await dialog.get_by_role("combobox", name="Metric", exact=True).last.fill("feedback:thumbs")
    await dialog.get_by_label("Kind of metric 2").select_option("proportion")
    await dialog.get_by_label("Margin of metric 2 is").select_option("relative")
    await dialog.get_by_label("Margin", exact=True).last.fill("0.1")
    await expect(dialog).to_contain_text("worse by more than 10% of the control's mean")


def kept_as_filled(instance: Instance) -> None:
    """What the server has is what was filled in."""
    shown = json.loads(instance.command("experiments", "show", "by-a-form", "--json"))
    decides, guards = shown["experiment"]["metrics"]
    assert (decides["name"], decides["kind"], decides["margin"]) == ("error", "proportion", 0.3)
    assert (guards["role"], guards["kind"]) == ("guardrail", "proportion")
    assert (guards["relative"], guards["margin"]) == (True, 0.1)


def live(instance: Instance) -> None:
    """Calls of ever new users until both arms have enough, and until that has decided it."""
    eventually(lambda: arm_of(instance, "first"))
    arms: Counter[str] = Counter()
    for number in range(20 * ENOUGH):
        arms[arm_of(instance, f"diner-{number}")] += 1
        if min(arms["now"], arms["new"]) >= ENOUGH:
            break
    eventually(lambda: standing(instance)["state"] == "concluded", 60)
    assert standing(instance)["winner"] == "new"


def arm_of(instance: Instance, user: str) -> str:
    """The arm that served a user; '' for none."""
    answer = asked(instance, user)
    assert answer.status_code == 200, answer.text
    return str(answer.headers.get("x-stockpot-experiment", "")).rpartition("=")[2]


def asked(instance: Instance, user: str) -> Any:
    variables = {"prompt_variables": {"dish": "soup"}}
    return chat(instance, "", "prompt:shorter", user=user, **variables)


def served(instance: Instance) -> str:
    """The prompt's version that is served, once it is the second."""
    named = "x-stockpot-prompt"
    eventually(lambda: asked(instance, "late").headers[named] == "shorter@2")
    return str(asked(instance, "late").headers[named])


def standing(instance: Instance) -> dict[str, Any]:
    control = Client(instance.console, Home(instance.home).derive("cli"))
    try:
        told = control.get("/api/v1/experiments/by-a-form")
    finally:
        control.close()
    found: dict[str, Any] = told["experiment"]
    return found
