"""Right-sizing from end to end: recorded models behind the real gateway, jobs, commands, savings.

The menus and the answers are our own. The same with other people's answers and verdicts is
`test_docs_qa.py`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.integration.pipelines.recorded_models import by_model, client_of, data_set, played
from tests.running import Instance, eventually, running

pytestmark = [pytest.mark.integration, pytest.mark.timeout(300)]

PRICES = {"chef-large": (10.0, 30.0), "chef-small": (0.5, 1.5), "chef-tiny": (0.1, 0.4)}
ASKED = (
    "--candidates", "chef-small,chef-tiny", "--baseline", "chef", "--margin", "0.05", "--dataset",
    "questions", "--scorer", "mentions", "--cluster", "metadata.item",
)  # fmt: skip


@pytest.fixture(scope="module")
def menu(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Instance]:
    """An instance with three recorded cooks, their prices, an alias and a data set."""
    folder = tmp_path_factory.mktemp("rightsize")
    with running(folder / "home", environ={"STOCKPOT_ENGINES": "none"}) as instance:
        prepare(instance, folder)
        yield instance


def prepare(instance: Instance, folder: Path) -> None:
    tapes = {
        name: [{**line, "latency_ms": 0, "ttft_ms": None} for line in lines_of(f"{name}.jsonl")]
        for name in PRICES
    }
    played(instance, folder, tapes, PRICES)
    data_set(instance, "menu", "questions", lines_of("questions.jsonl"))
    instance.command("aliases", "set", "chef", "--target", "recorded/chef-large")


def lines_of(name: str) -> list[dict[str, Any]]:
    text = (files("stockpot") / "up" / "demo" / name).read_text("utf-8")
    return [json.loads(line) for line in text.splitlines()]


def told(instance: Instance, *words: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(instance.command("rightsize", *words, "--json"))
    return found


def ask(instance: Instance, count: int, first: int = 0) -> list[str]:
    """Users ask the alias what is on the menu; gives who answered."""
    key = json.loads(
        instance.command("keys", "create", "--name", f"app-{first}", "--project", "menu", "--json")
    )["key"]
    rows = lines_of("questions.jsonl")
    headers = {"authorization": f"Bearer {key}"}
    answered = []
    with httpx.Client(base_url=instance.gateway, headers=headers, timeout=30) as client:
        eventually(lambda: client.get("/v1/models").is_success)
        for number in range(first, first + count):
            text = rows[number % len(rows)]["input"]["question"]
            answer = client.post(
                "/v1/chat/completions",
                json={"model": "chef", "messages": [{"role": "user", "content": text}]},
                headers={"x-stockpot-user": f"user-{number}"},
            )
            assert answer.is_success, answer.text
            answered.append(answer.json()["model"])
    return answered


def test_the_cheapest_cook_that_still_passes_gets_a_tenth_of_the_guests_and_saves_money(
    menu: Instance,
) -> None:
    stopped = told(menu, "run", "menu", *ASKED, "--budget", "0.05")
    assert stopped["state"] == "stopped"
    assert 0.04e9 < stopped["spent_nano"] <= 0.05e9
    assert stopped["report"]["recommended"] == ""
    done = told(menu, "resume", stopped["id"], "--budget", "5")
    assert (done["state"], done["rows"]) == ("done", 126)
    small, tiny = by_model(done)["chef-small"], by_model(done)["chef-tiny"]
    assert (small["verdict"], tiny["verdict"]) == ("passes", "refused")
    assert small["low"] > -0.05 > tiny["high"]
    assert (small["n"], small["clusters"]) == (126, 18)
    assert 0.9 < small["saved_share"] < 1
    assert done["report"]["recommended"] == "chef-small"
    again = told(menu, "menu", *ASKED, "--budget", "5")
    assert (again["spent_nano"], {arm["cached"] for arm in again["arms"]}) == (0, {126})
    text = menu.command("rightsize", "show", done["id"])
    assert "chef-small: passes" in text
    assert "adjusted for 2 candidates (Holm 1979)" in text

    plan = told(menu, "plan", done["id"])
    assert (plan["alias"], plan["changes"]) == ("chef", ["aliases.chef.targets"])
    ask(menu, 30)
    started = told(menu, "apply", done["id"])
    assert started["share"] == 0.1
    served = eventually(lambda: _both(menu))
    assert 0 < served.count("chef-small") < len(served) / 2
    saved = eventually(lambda: _saved(menu))
    assert saved["calls"] >= 1
    assert saved["unpriced"] == 0
    assert 0 < saved["low_nano"] <= saved["saved_nano"] <= saved["high_nano"]
    assert saved["counterfactual_nano"] > 10 * saved["actual_nano"]


_ASKED_SO_FAR = [100]


def _both(menu: Instance) -> list[str]:
    """Answers of two hundred guests, once somebody was served by the candidate."""
    _ASKED_SO_FAR[0] += 60
    served = ask(menu, 60, _ASKED_SO_FAR[0])
    return served if "chef-small" in served else []


def _saved(menu: Instance) -> dict[str, Any] | None:
    (one,) = told(menu, "savings", "menu")["saved"]
    found: dict[str, Any] = one
    return found if found["calls"] else None


def test_logged_calls_are_asked_again_and_what_evaluations_ask_is_no_traffic(
    menu: Instance,
) -> None:
    ask(menu, 25, first=1000)
    wanted = {
        "baseline": "chef-large", "candidates": ["chef-tiny"], "margin": 0.1, "traffic_hours": 1,
        "scorers": [{"use": "regex", "options": {"pattern": r"\w"}}], "alias": "chef",
    }  # fmt: skip
    started = eventually(lambda: _started(menu, wanted))
    ended = eventually(lambda: _ended(menu, started["id"]))
    assert ended["state"] == "done", ended["error"]
    assert ended["rows"] >= 25
    assert "calls of chef in 1 h of traffic" in ended["source"]
    traffic = ended["traffic"]
    assert traffic["route"] == "chef"
    assert traffic["calls"] >= 25
    (tiny,) = ended["report"]["candidates"]
    assert (tiny["difference"], tiny["figures"]["failed"]) == (0.0, 0)
    assert tiny["figures"]["cost_per_month_nano"] > 0


def _started(menu: Instance, wanted: dict[str, Any]) -> dict[str, Any] | None:
    with client_of(menu) as client:
        answer = client.post("/api/v1/rightsize/runs?project=menu", json=wanted)
    found: dict[str, Any] = answer.json()
    enough = answer.is_success and found["rows"] >= 25
    return found if enough else None


def _ended(menu: Instance, run_id: str) -> dict[str, Any] | None:
    with client_of(menu) as client:
        run: dict[str, Any] = client.get(f"/api/v1/rightsize/runs/{run_id}").json()
    return run if run["state"] not in ("queued", "running") else None
