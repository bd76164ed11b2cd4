"""A plan against calls that were really made, and a property of export, over real tables."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stockpot.revisions import written
from tests.integration.control.plane import running
from tests.integration.revisions.fleet import Fleet, file
from tests.running import eventually

pytestmark = pytest.mark.integration

PROJECTS = st.sampled_from(["default", "menu", "shop"])
LIMITS = st.fixed_dictionaries({}, optional={"rpm": st.integers(1, 9), "tpm": st.integers(1, 9)})
BUDGET = st.fixed_dictionaries({}, optional={"period": st.sampled_from(["day", "total"])}).flatmap(
    lambda rest: st.one_of(
        st.integers(1, 10**18).map(lambda nano: {**rest, "limit_nano": nano}),
        st.decimals("0.01", 10**6, places=2).map(lambda usd: {**rest, "usd": float(usd)}),
    )
)
PROJECT = st.fixed_dictionaries(
    {},
    optional={"owner": st.text("ab \"'#", max_size=5), "limits": LIMITS, "budget": BUDGET,
              "payloads": st.sampled_from(["none", "full"])},
)  # fmt: skip
KEY = st.fixed_dictionaries(
    {"project": PROJECTS},
    optional={
        "environment": st.sampled_from(["dev", "production"]),
        "state": st.sampled_from(["active", "disabled"]),
        "expires_ms": st.integers(0, 10**13),
        "models": st.lists(st.sampled_from(["fast", "m"]), max_size=2),
        "networks": st.lists(st.just("10.0.0.0/8"), max_size=1),
        "limits": LIMITS,
        "budget": BUDGET,
        "on_disconnect": st.sampled_from(["cancel", "drain"]),
    },
)
TARGET = st.fixed_dictionaries(
    {"provider": st.just("lab"), "model": st.sampled_from(["m", "n"])},
    optional={"weight": st.integers(1, 5), "tier": st.integers(0, 2)},
)
ALIAS = st.fixed_dictionaries(
    {"targets": st.lists(TARGET, min_size=1, max_size=3)},
    optional={"attempts": st.integers(1, 5), "timeouts": st.just({"total_s": 9.5})},
)
STATE: Any = st.fixed_dictionaries(
    {
        "providers": st.just(
            {"lab": {"vendor": "vllm", "base_url": "http://127.0.0.1:9/v1", "models": ["m"]}}
        ),
        "projects": st.fixed_dictionaries({"default": PROJECT, "menu": PROJECT, "shop": PROJECT}),
        "aliases": st.dictionaries(st.sampled_from(["fast", "team/slow", "a.b"]), ALIAS),
        "keys": st.dictionaries(st.sampled_from(["app", "my key", "x.y"]), KEY),
    }
)


async def test_applying_what_was_exported_changes_nothing() -> None:
    with tempfile.TemporaryDirectory() as home:
        async with running(Path(home)) as plane:
            admin = await plane.admin()
            for state in _examples():
                body = {"toml": written(state), "now": True}
                done = await admin.post("/api/v1/apply", json=body)
                if done.status_code == 422:
                    assert "stays in its project" in done.text
                    continue
                assert done.status_code == 200, done.text
                text = (await admin.get("/api/v1/export")).json()["toml"]
                plan = (await admin.post("/api/v1/plan", json={"toml": text, "calls": 0})).json()
                assert plan["changes"] == [], (text, plan["text"])
                back = {"toml": "[keys]\n[aliases]\n", "now": True}
                assert (await admin.post("/api/v1/apply", json=back)).status_code == 200


def _examples() -> list[dict[str, Any]]:
    """Drawn states; each is applied to one instance in turn, since opening one takes long."""
    found: list[dict[str, Any]] = []

    @settings(max_examples=25, database=None, suppress_health_check=list(HealthCheck))
    @given(STATE)
    def draw(state: dict[str, Any]) -> None:
        found.append(state)

    draw()
    return found


def test_a_plan_is_rehearsed_with_the_calls_that_were_made(fleet: Fleet) -> None:
    stub = fleet.stub
    fleet.start("stockpot.ingest", "ingest")
    fleet.start("stockpot.worker", "ship")
    fleet.apply(file(stub, "good"), now=True)
    eventually(lambda: fleet.chat(0).status_code == 200)
    for _ in range(9):
        assert fleet.chat(1).status_code in (200, 404)
    eventually(lambda: len(fleet.api.get("traces").json()["items"]) >= 10)
    toml = file(stub, "bad")
    found = fleet.api.post("plan", json={"toml": toml, "calls": 5}).json()["rehearsal"]
    assert found["calls"] == 5
    assert found["moved"] == 5
    assert [(s["route"], s["before"], s["after"]) for s in found["shifts"]] == [
        ("main", "stub/good", "stub/bad")
    ]
    assert found["unpriced"] == 5
    closed = toml.replace('secret = "env:APP_KEY"', 'secret = "env:APP_KEY"\nmodels = ["other"]')
    refused = fleet.api.post("plan", json={"toml": closed, "calls": 100}).json()
    assert refused["rehearsal"]["refused"]["model_not_allowed"] >= 9
    assert "would now be refused (model_not_allowed" in refused["text"]
    assert "it cannot know:" in refused["text"]
