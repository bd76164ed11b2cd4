"""A user walks from a fresh instance to production by the commands that readiness names."""

from __future__ import annotations

import asyncio
import json
import shlex
import time
from pathlib import Path
from typing import Any

import httpx
import pytest
from click.testing import CliRunner

from stockpot.cli import main
from stockpot.core.urls import console_url, gateway_url
from tests.integration.control.plane import Plane, running
from tests.integration.evals.checks import at_work, called, listening, ok
from tests.integration.evals.stand_in import StandIn
from tests.integration.evals.test_jobs_process import LAB
from tests.integration.evals.test_judges import verdict

pytestmark = pytest.mark.integration
SUITE = """
name = "menu"
dataset = "golden"
target = { kind = "recorded" }
scorers = [{ use = "regex", name = "said", options = { pattern = "." } }]
gate = { base = "none", metrics = { said = { minimum = 0.9 } } }
"""
CANARY = """
[[canary]]
name = "vendor"
model = "m"
embedding = ""
schedule.every_s = 3600
prompts = ["Name three soups.", "Is it vegan?"]
"""
POLICY = {"name": "careful", "rules": [
    {"id": "salt", "rail": "words", "settings": {"words": ["arsenic"]}, "action": "block"},
]}  # fmt: skip


class Walker:
    """Somebody at a terminal, who writes what is asked for in capitals."""

    def __init__(self, plane: Plane, url: str, admin: httpx.AsyncClient, folder: Path) -> None:
        self.plane, self.url, self.admin, self.folder = plane, url, admin, folder
        self.key = ""
        self.rows = 0
        self.done: list[str] = []

    async def types(self, command: str) -> str:
        """A command of stockpot, in a process of its own as far as it can tell."""
        words = shlex.split(command)[1:]
        environ = {"STOCKPOT_HOME": str(self.plane.instance.home)}
        told = await asyncio.to_thread(CliRunner().invoke, main, words, env=environ)
        assert told.exit_code == 0, (command, told.output, told.exception)
        return told.output

    async def report(self) -> dict[str, Any]:
        found: dict[str, Any] = await ok(self.admin, "GET", "/readiness?project=default")
        return found

    async def mends(self, need: dict[str, Any], tier: str) -> None:
        """Do what is said of a need, and see that it is met."""
        if need["need"] == "judge":
            await self.people_say()
        for command in need["mend"].splitlines():
            await self.follows(command, need["need"], tier)
        deadline = time.monotonic() + 60
        while not (found := await self.now(need["need"]))["met"]:
            assert time.monotonic() < deadline, found
            await asyncio.sleep(0.1)
        self.done.append(f"{tier} {need['need']}")

    async def now(self, name: str) -> dict[str, Any]:
        told = await self.report()
        return next(n for rung in told["rungs"] for n in rung["needs"] if n["need"] == name)

    async def follows(self, command: str, need: str, tier: str) -> None:
        if command.startswith(f"curl {console_url(self.plane.settings)}/api/v1/feedback "):
            await self.rates(command, {"low": 1, "medium": 10, "high": 20}[tier])
        elif command.startswith(f"curl {gateway_url(self.plane.settings)}/v1/chat/completions "):
            body = json.loads(shlex.split(command)[-1])
            known = await ok(self.admin, "GET", "/models")
            assert body["model"] in {model["name"] for model in known}
            self.traces = called(self.plane, [(f"dish {n}", f"soup {n}") for n in range(130)])
        else:
            told = await self.types(self.filled(command, need, tier))
            if "keys create" in command:
                self.key = next(word for word in told.split() if word.startswith("sk-sp-"))

    async def rates(self, command: str, times: int) -> None:
        """What the application does whenever a user clicks."""
        _, url, _, key, _, _, _, body = shlex.split(command)
        for _ in range(times):
            trace = self.traces.pop()
            answer = await self.admin.post(
                f"{self.url}{httpx.URL(url).path}",
                content=body.replace("TRACE", trace),
                headers={"authorization": key.partition(": ")[2].replace("KEY", self.key),
                         "content-type": "application/json"},
            )  # fmt: skip
            assert answer.is_success, answer.text

    def filled(self, command: str, need: str, tier: str) -> str:
        chosen = {
            "EMAIL": "ana@example.org", "PROMPT": "menu", "TEXT": f"'Describe it at {tier}.'",
            "SET": "golden", "JUDGE": "right", "POLICY": "careful", "CHANNEL": "ops",
            "URL": "http://127.0.0.1:9/hook", "SUITE": str(self.folder / "menu.toml"),
            "FILE": str(self.folder / {"dataset": f"{tier}.jsonl", "rails": "careful.json",
                                       "watched": "canary.toml"}.get(need, "")),
        }  # fmt: skip
        return " ".join(chosen.get(word, word) for word in command.split(" "))

    def prepare(self) -> None:
        """What only the user can write."""
        for tier, count in (("low", 24), ("medium", 60)):
            rows = [
                {"id": f"r{n}", "input": {"dish": f"{n}"},
                 "metadata": {"output": f"{'good' if n % 3 else 'bad'} {n}"}}
                for n in range(count)
            ]  # fmt: skip
            (self.folder / f"{tier}.jsonl").write_text("\n".join(map(json.dumps, rows)))
        (self.folder / "menu.toml").write_text(SUITE)
        (self.folder / "canary.toml").write_text(CANARY)
        (self.folder / "careful.json").write_text(json.dumps(POLICY))

    async def people_say(self) -> None:
        """A judge is made, and somebody says of each row what it is."""
        criteria = "'The answer says good.'"
        await self.types(f"stockpot eval judges create right --model m --criteria {criteria}")
        queue = {"name": "look", "source": {"dataset": "golden"},
                 "rubric": [{"name": "fine", "kind": "bool"}]}  # fmt: skip
        made = await ok(self.admin, "POST", "/annotation/queues", queue)
        for n in range(60):
            path = f"/annotation/queues/{made['id']}/items/r{n}/answers"
            await ok(self.admin, "PUT", path, {"answers": {"fine": bool(n % 3)}})


async def test_every_command_that_readiness_names_mends_its_need_at_every_risk(
    tmp_path: Path,
) -> None:
    home = tmp_path / "home"
    async with (
        StandIn() as gateway,
        running(home, gateway_port=gateway.port) as plane,
        listening(plane) as url,
        at_work(plane, gateway, home),
    ):
        gateway.says = lambda body: verdict(body) if "response_format" in body else "Soup."
        walker = Walker(plane, url, await plane.admin(), tmp_path)
        walker.prepare()
        await ok(walker.admin, "PUT", "/providers/lab", LAB)
        for tier in ("low", "medium", "high"):
            await walker.types(f"stockpot projects change default --risk-tier {tier}")
            while not (told := await walker.report())["ready"]:
                await walker.mends(told["blocks"][0], tier)
            said = await walker.types("stockpot readiness default --require release")
            assert f"(risk {tier}: may be released)" in said
        assert (told["current"], told["next"], told["blocks"]) == ("production", None, [])
    assert walker.done == [
        "low traffic", "low owner", "low prompt", "low budget",
        "medium dataset", "medium gate", "medium feedback", "medium rails", "medium judge",
        "high dataset", "high feedback", "high slo", "high watched", "high rollback",
    ]  # fmt: skip
