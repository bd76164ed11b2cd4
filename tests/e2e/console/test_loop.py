"""The whole loop by hand, on the default model: a call with a prompt, feedback, a data set of
corrections, an evaluation, a better version, its gate, approval by somebody else, the next call.
"""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import openai
import pytest
from playwright.async_api import expect

from tests.running import Instance, eventually, running

if TYPE_CHECKING:
    from playwright.async_api import Browser

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.needs("chromium", "console", "smollm2-135m"),
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.timeout(400),
]

MENU = Path(__file__).parents[2] / "fixtures" / "menu.jsonl"
"""Eighteen dishes of three invented restaurants."""
FIRST = "Say hello to {{ dish.name }}."
BETTER = "Copy this line:\n{{ dish.name }}: {{ dish.ingredients | join(', ') }}."
MODEL = "smollm2-135m"
SUITE = """
name = "menu"
dataset = "menu"

[target]
kind = "prompt"
prompt = "menu-description@production"
params = { max_tokens = 32, temperature = 0, seed = 1 }

[[scorers]]
use = "chrf"
"""


class Team:
    """What an application, its users and its engineers do, each by the way that they would take."""

    def __init__(self, instance: Instance, folder: Path) -> None:
        self.instance = instance
        self.suite = folder / "menu.toml"
        self.suite.write_text(SUITE)
        self.dishes = [json.loads(line) for line in MENU.read_text("utf-8").splitlines()]

    def described(self, dish: dict[str, Any]) -> tuple[str, str]:
        """What the application shows for a dish, and the trace of the call."""
        with openai.OpenAI(
            base_url=f"{self.instance.gateway}/v1", api_key=self.instance.key, max_retries=0
        ) as sdk:
            answer = sdk.chat.completions.with_raw_response.create(
                model="prompt:menu-description",
                messages=[],
                max_tokens=32,
                temperature=0,
                seed=1,
                extra_body={"prompt_variables": {"dish": dish}},
            )
        text = answer.parse().choices[0].message.content
        return str(text), answer.headers["x-stockpot-trace-id"]

    def corrected(self, dish: dict[str, Any], trace: str) -> None:
        """A user did not like it and says what it should have been."""
        ingredients = ", ".join(dish["ingredients"])
        told = {
            "trace_id": trace,
            "thumb": "down",
            "correction": f"{dish['name']}: {ingredients}.",
        }
        answer = httpx.post(
            f"{self.instance.console}/api/v1/feedback",
            headers={"authorization": f"Bearer {self.instance.key}"},
            json=told,
            timeout=60,
        )
        assert answer.status_code == 201, answer.text

    def evaluated(self, *more: str) -> dict[str, Any]:
        """A run of the suite; exits with 0, so where it is gated it passed."""
        told = self.instance.command("eval", "run", str(self.suite), "--json", *more)
        return dict(json.loads(told)["run"])

    def version(self, text: str, *words: str) -> None:
        more = ("--text", text, "-m", "what we learnt")
        self.instance.command("prompts", *words, "menu-description", *more)


async def test_from_a_trace_to_a_better_prompt_and_back(chromium: Browser, tmp_path: Path) -> None:
    models = Path(__file__).parents[3] / ".cache" / "home"
    with running(tmp_path / "home", models) as instance:
        team = Team(instance, tmp_path)
        base = await asyncio.to_thread(up_to_the_first_run, team)
        run, better = await asyncio.to_thread(a_better_version, team, base)
        assert better["value"] > base["value"]
        context = await chromium.new_context(base_url=instance.console)
        page = await context.new_page()
        await page.goto(await asyncio.to_thread(invited, instance))
        await page.wait_for_url("**/overview")
        await page.goto("/prompts/menu-description?prompt_part=labels")
        await page.get_by_role("button", name="Approve").click()
        await expect(page.get_by_text("production points at version 2 now")).to_be_visible()
        await page.goto(f"/evals?run={run}&base={base['run']}")
        await expect(page.get_by_role("main")).to_contain_text("chrf")
        await context.close()
        await asyncio.to_thread(live_with_the_new_version, team)
    assert await asyncio.to_thread(lambda: instance.process.poll()) is not None


def up_to_the_first_run(team: Team) -> dict[str, Any]:
    """Production with the first version, its users' corrections, and how it does on them."""
    command = team.instance.command
    team.version(FIRST, "create", "--label", "production", "--model", MODEL)
    for dish in team.dishes:
        _, trace = team.described(dish)
        team.corrected(dish, trace)
    (summed,) = json.loads(command("feedback", "summary", "--json"))
    assert (summed["key"]["prompt_name"], summed["corrections"]) == ("menu-description", 18)
    command("datasets", "create", "menu")
    command("datasets", "from-feedback", "menu", "--corrected")
    run = team.evaluated()
    rows = json.loads(command("datasets", "rows", "menu", "--json"))
    assert len(rows) == len(team.dishes)
    assert all(row["source_trace"] for row in rows)
    return dict(metric(run))


def a_better_version(team: Team, base: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """A second version that passes the gate against the first, and is proposed for production."""
    command = team.instance.command
    command("prompts", "protect", "production", "--prompt", "menu-description", "--evaluation")
    team.version(BETTER, "edit")
    proposal = ("prompts", "propose", "menu-description", "production", "2")
    before = base["run"]
    run = team.evaluated("--prompt", "menu-description@2", "--gate", "--base", before)
    command(*proposal, "--reason", "names what is in the dish")
    return run["id"], metric(run)


def live_with_the_new_version(team: Team) -> None:
    """The very next calls use it, and each trace says which version it was."""
    dish = team.dishes[0]
    said, trace = team.described(dish)
    assert dish["ingredients"][0] in said
    rows = eventually(lambda: json.loads(team.instance.command("traces", "show", trace, "--json")))
    (span,) = rows["spans"]
    assert (span["prompt_name"], span["prompt_version"]) == ("menu-description", "2")
    told = json.loads(
        team.instance.command("prompts", "metrics", "menu-description", "--days", "1", "--json")
    )
    assert {row["version"] for row in told["versions"]} >= {1, 2}


def metric(run: dict[str, Any]) -> dict[str, Any]:
    (found,) = [m for m in run["metrics"] if m["metric"] == "chrf" and not m["slice"]]
    return {**found, "run": run["id"]}


def invited(instance: Instance) -> str:
    """The sign-in link of a second editor."""
    words = ("users", "invite", "ana@example.org", "--role", "editor", "--json")
    return str(json.loads(instance.command(*words))["link"]["url"])
