"""Experiments in an application: placed here, from what is known, whoever is away."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

import pytest

from stockpot.sdk import Experiments, Observer
from tests.unit.sdk.conftest import Collector, until

TOLD = json.loads((Path(__file__).parents[1] / "assign" / "vectors.json").read_text("utf-8"))


class Kitchen:
    """A server that gives experiments."""

    def __init__(self, server: Collector) -> None:
        self.document: dict[str, Any] = TOLD["document"]
        self.there = True
        self.asked: list[tuple[str, str]] = []
        server.respond = self

    def __call__(self, path: str, heads: dict[str, str]) -> tuple[int, dict[str, Any] | None, str]:
        tag = f'"{self.document["version"]}"'
        self.asked.append((path, heads.get("if-none-match", "")))
        if not self.there:
            return 503, None, ""
        if heads.get("if-none-match") == tag:
            return 304, None, tag
        return 200, self.document, tag


@pytest.fixture
def kitchen(server: Collector) -> Kitchen:
    return Kitchen(server)


def test_units_are_in_the_arms_that_the_gateway_puts_them_in(
    server: Collector, kitchen: Kitchen
) -> None:
    experiments = Experiments(server.url, "sk", project="shop")
    controls = {one["name"]: one["control"] for one in TOLD["document"]["experiments"]}
    for name, unit, arm, hashed in TOLD["cases"]:
        found = experiments.assign(name, unit)
        assert (found.arm, found.unit, found.exposed) == (
            arm or controls[name], hashed, bool(hashed),
        )  # fmt: skip
    assert kitchen.asked == [("/api/v1/experiments/document?project=shop", "")]
    assert experiments.assign("tone", "anna").version in (7, 8)
    assert experiments.assign("cheap", "anna").version is None
    assert experiments.assign("unheard of", "anna", default="old").arm == "old"
    assert not experiments.assign("tone", "").exposed


def test_what_is_old_is_refreshed_beside_and_what_was_known_serves_while_the_server_is_away(
    server: Collector, kitchen: Kitchen, tmp_path: Path
) -> None:
    experiments = Experiments(server.url, "sk", folder=tmp_path, fresh_s=0.0)
    first = experiments.assign("tone", "anna")
    assert first.exposed
    until(lambda: experiments.assign("tone", "anna") == first and kitchen.asked[-1][1] == '"5"')
    kitchen.there = False
    asked = len(kitchen.asked)
    until(lambda: experiments.assign("tone", "anna") == first and len(kitchen.asked) > asked + 1)
    restarted = Experiments(server.url, "sk", folder=tmp_path, fresh_s=0.0)
    assert restarted.assign("tone", "anna") == first
    kitchen.document = {"version": 6, "experiments": []}
    kitchen.there = True
    until(lambda: not restarted.assign("tone", "anna").exposed)


def test_nothing_known_breaks_nothing_and_waits_once(tmp_path: Path) -> None:
    away = Experiments("http://127.0.0.1:9", "sk", folder=tmp_path / "none", timeout_s=0.5)
    began = time.monotonic()
    for _ in range(50):
        found = away.assign("tone", "anna", default="control")
        assert (found.arm, found.target, found.exposed) == ("control", "", False)
    assert time.monotonic() - began < 10
    assert away.assign("tone", object()).arm == ""  # type: ignore[arg-type]


def test_the_exposure_is_said_at_the_span_and_below_it_and_to_the_gateway(
    observe: Observer, server: Collector, kitchen: Kitchen
) -> None:
    experiments = Experiments(server.url, "sk", observer=observe)
    with observe("order") as order:
        with observe("before"):
            pass
        tone = experiments.assign("tone", "anna")
        experiments.assign("tone", "anna")
        with observe("cook", kind="llm"):
            cheap = next(c[1] for c in TOLD["cases"] if c[0] == "cheap" and c[3])
            other = experiments.assign("cheap", cheap)
            told = observe.headers()["x-stockpot-experiment-used"]
        assert order.exposures == (("tone", tone.arm, tone.unit),)
    assert told == (
        f"tone; arm={tone.arm}; unit={tone.unit}, cheap; arm={other.arm}; unit={other.unit}"
    )
    assert tone.headers()["x-stockpot-experiment-used"] == told.partition(", ")[0]
    alone = experiments.assign("tone", "bob")
    experiments.assign("tone", "carl", record=False)
    assert observe.flush()
    spans = server.spans(4)
    assert set(spans) == {"order", "before", "cook", "experiment tone"}
    key = "stockpot.experiment."
    assert key + "name" not in spans["before"]["attributes"]
    assert [spans["order"]["attributes"][key + n] for n in ("name", "variant", "unit")] == [
        "tone", tone.arm, tone.unit,
    ]  # fmt: skip
    assert spans["cook"]["attributes"][key + "name"] == ["tone", "cheap"]
    assert spans["cook"]["attributes"][key + "unit"] == [tone.unit, other.unit]
    assert spans["experiment tone"]["attributes"][key + "unit"] == alone.unit


async def test_an_application_of_asyncio_waits_in_a_thread(
    server: Collector, kitchen: Kitchen
) -> None:
    experiments = Experiments(server.url, "sk")
    found = await experiments.aassign("tone", "anna")
    assert found.exposed
    assert await experiments.aassign("tone", "anna") == found


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_a_fork_assigns_from_what_was_known(server: Collector, kitchen: Kitchen) -> None:
    experiments = Experiments(server.url, "sk", fresh_s=0.0)
    first = experiments.assign("tone", "anna")
    experiments._lock.acquire()  # as a thread of the parent may hold it
    child = os.fork()
    if child == 0:
        os._exit(0 if experiments.assign("tone", "anna") == first else 1)
    assert os.waitpid(child, 0)[1] == 0
    experiments._lock.release()
