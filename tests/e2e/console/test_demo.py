"""The demo from its first screen to the end: a snippet, feedback, a cheaper model that passes, a
tenth of the traffic, a candidate that goes bad and rolls back by itself, and nothing lost.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from playwright.async_api import expect

from tests.running import BIN, Instance, eventually, running

if TYPE_CHECKING:
    from playwright.async_api import Browser, Page

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.needs("chromium", "console", "smollm2-135m"),
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.timeout(300),
]

MODELS = Path(__file__).parents[3] / ".cache" / "home"
HERE = ("--project", "menu-desk")
EXPERIMENT = ("shorter-answers", *HERE)


async def test_the_demo_goes_round_the_whole_loop(chromium: Browser, tmp_path: Path) -> None:
    with running(tmp_path / "home", MODELS, words=("--demo",)) as instance:
        trace = await asyncio.to_thread(pasted, instance)
        context = await chromium.new_context(base_url=instance.console)
        page = await context.new_page()
        await page.goto(instance.facts["sign_in_url"])
        await page.wait_for_url("**/overview")
        await looked_at(page, trace)
        candidate = await asyncio.to_thread(rightsized, instance)
        assert candidate == "recorded/chef-small"
        await watched(page, instance)
        await asyncio.to_thread(broken, instance)
        await page.reload()
        await expect(page.get_by_role("main")).to_contain_text("is worse in feedback:thumbs")
        await context.close()
        await asyncio.to_thread(killed_and_nothing_lost, instance)
        await asyncio.to_thread(gated, instance)


def pasted(instance: Instance) -> str:
    """The snippet of the first screen works as it is, and its reply tells its trace."""
    from stockpot.up.demo.seeding import Demo
    from stockpot.up.facts import Facts
    from stockpot.up.screen import asked

    told = dict(instance.facts)
    demo = Demo(**told["demo"])
    facts = Facts(
        version="", gateway_url=told["gateway_url"], console_url=told["console_url"],
        home="", logs="", pid=0, seconds=0.0, demo=demo,
    )  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-c", asked(facts, demo)], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    answer, url = done.stdout.strip().splitlines()
    assert "bolognese sauce" in answer
    return str(url)


async def looked_at(page: Page, url: str) -> None:
    """The trace opens; a thumb, a row of the data set, and one key to the playground."""
    await page.goto(url)
    pane = page.get_by_role("region", name="Feedback")
    await pane.get_by_role("button", name="Thumb down").click()
    await expect(pane.get_by_role("button", name="Thumb down")).to_have_attribute(
        "aria-pressed", "true"
    )
    await pane.get_by_role("button", name="Add to data set").click()
    await page.get_by_role("dialog").get_by_role("button", name="Add", exact=True).click()
    await expect(pane.get_by_role("link", name="menu-questions")).to_be_visible()
    await page.keyboard.press("p")
    await expect(page).to_have_url(re.compile("/playground"))


def rightsized(instance: Instance) -> str:
    """The cheapest model that still passes; the applied change gives it a tenth."""
    run = json.loads(
        instance.command(
            "rightsize", "menu-desk", "--baseline", "menu-writer",
            "--candidates", "recorded/chef-small,recorded/chef-tiny",
            "--dataset", "menu-questions@1", "--suite", "menu-facts", "--margin", "0.1", "--json",
        )
    )  # fmt: skip
    words = {c["figures"]["model"]: c["verdict"] for c in run["report"]["candidates"]}
    assert words == {"recorded/chef-small": "passes", "recorded/chef-tiny": "refused"}
    applied = json.loads(instance.command("rightsize", "apply", run["id"], "--json"))
    assert applied["share"] == 0.1
    return str(applied["candidate"])


async def watched(page: Page, instance: Instance) -> None:
    """The band of the running experiment narrows as guests come."""
    before = await asyncio.to_thread(width, instance)
    await asyncio.to_thread(instance.command, "demo", "traffic", "--calls", "400", "--seed", "1")
    after = await asyncio.to_thread(lambda: eventually(lambda: narrower(instance, before)))
    assert after < before
    await page.goto("/experiments?project=menu-desk")
    await page.get_by_role("link", name="shorter-answers").click()
    band = page.get_by_role("region", name="Difference over time")
    await expect(band).to_contain_text("narrower than at first")
    await expect(band.get_by_role("img", name="feedback:thumbs")).to_be_visible()


def narrower(instance: Instance, before: float) -> float:
    now = width(instance)
    return now if now < before * 0.8 else 0.0


def width(instance: Instance) -> float:
    """Of the interval of the difference in thumbs; without one yet it is 2."""
    told = json.loads(instance.command("experiments", "report", *EXPERIMENT, "--json"))
    (metric,) = [m for m in told["metrics"] if m["metric"]["role"] == "primary"]
    (difference,) = metric["differences"]
    low, high = difference["low"], difference["high"]
    return 2.0 if low is None or high is None else float(high - low)


def broken(instance: Instance) -> None:
    """The candidate helps nobody: the label goes back, with the figures that justified it."""
    instance.command("demo", "break")
    for _ in range(6):
        instance.command("demo", "traffic", "--calls", "150")
        if decided(instance):
            break
    figures = eventually(lambda: decided(instance))["figures"]
    (harm,) = [
        m for m in figures["metrics"]
        if (m["metric"], m["role"]) == ("feedback:thumbs", "guardrail")
    ]  # fmt: skip
    assert harm["high"] < -harm["margin"] or harm["verdict"] == "harmed"


def decided(instance: Instance) -> dict[str, Any]:
    told = json.loads(instance.command("experiments", "show", *EXPERIMENT, "--json"))
    rolled = [one for one in told["decisions"] if one["kind"] == "rolled_back"]
    return dict(rolled[0]) if rolled else {}


def killed_and_nothing_lost(instance: Instance) -> None:
    """The control plane dies in mid-traffic: every call is answered, and every record arrives."""
    guests = subprocess.Popen(
        [str(BIN / "stockpot"), "demo", "traffic", "--calls", "120", "--json"],
        env=instance.environ, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    eventually(lambda: guests.poll() is None)
    os.kill(instance.states()["control"]["pid"], signal.SIGKILL)
    out, _ = guests.communicate(timeout=120)
    sent = json.loads(out)
    assert (sent["calls"], sent["failed"]) == (120, 0)
    eventually(lambda: instance.states()["control"]["state"] == "running", 60)
    verified = json.loads(instance.command("traces", "verify", "--json"))
    assert verified["lost"] == 0


def gated(instance: Instance) -> None:
    """The gate stops the candidate and names the cases that it fails."""
    done = subprocess.run(
        [
            str(BIN / "stockpot"), "eval", "run", "menu-facts", *HERE,
            "--prompt", "menu-answer@2", "--gate",
        ],
        env=instance.environ, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert done.returncode == 1, done.stderr
    assert "r1-01-describe" in done.stdout
