"""Prices through the API and the commands, and what workers learn of them and of caches."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner

from stockpot.app import control_app
from stockpot.catalog.cli import keys, prices, projects
from stockpot.core import config
from stockpot.core.client import Client, ClientError
from stockpot.core.instance import Instance
from stockpot.gateway import CachePolicy, GatewayPart, Snapshot
from tests.integration.control.plane import Plane

pytestmark = pytest.mark.integration

STATED = {
    "provider": "openai", "model": "gpt-4o-mini", "dollars": {"input": 0.12, "output": 0.48},
    "source": "contract of 2026-11-01, page 3",
}  # fmt: skip
VENDOR = {
    "vendor": "openai", "secret": "sk-vendor", "base_url": "http://127.0.0.1:9/v1",
    "models": ["gpt-4o-mini", "brand-new"],
}  # fmt: skip


async def published(plane: Plane) -> GatewayPart:
    answer = await (await plane.worker()).get("/internal/snapshot")
    snapshot = msgspec.msgpack.decode(answer.content, type=Snapshot)
    return msgspec.msgpack.decode(snapshot.parts[0].data, type=GatewayPart)


async def test_an_own_price_takes_the_place_of_the_published_one_until_it_is_removed(
    plane: Plane,
) -> None:
    admin = await plane.admin()
    assert (await admin.put("/api/v1/providers/openai", json=VENDOR)).is_success
    asked = {"provider": "openai", "model": "gpt-4o-mini"}
    (before,) = (await admin.get("/api/v1/prices", params=asked)).json()
    assert before["present"].startswith("genai-prices-")
    assert before["rows"][0]["dollars"]["input"] == 0.15

    made = await admin.post("/api/v1/prices", json=STATED)
    assert made.status_code == 201
    (after,) = (await admin.get("/api/v1/prices", params=asked)).json()
    assert after["present"] == made.json()["id"]
    row = next(row for row in after["rows"] if row["own"])
    assert (row["dollars"], row["source"]) == (STATED["dollars"], STATED["source"])
    (target,) = [t for t in (await published(plane)).targets if t.model == "gpt-4o-mini"]
    assert (target.prices[0].input, target.prices[0].source) == (120_000, STATED["source"])

    again = await admin.post("/api/v1/prices", json={**STATED, "dollars": {"input": 1}})
    assert again.status_code == 201
    ident = again.json()["id"].removeprefix("own/")
    assert (await admin.delete(f"/api/v1/prices/{ident}")).status_code == 204
    (restored,) = (await admin.get("/api/v1/prices", params=asked)).json()
    assert restored == before


async def test_an_unknown_price_is_unknown_and_an_unknown_provider_is_refused(plane: Plane) -> None:
    admin = await plane.admin()
    await admin.put("/api/v1/providers/openai", json=VENDOR)
    asked = {"provider": "openai", "model": "brand-new"}
    (found,) = (await admin.get("/api/v1/prices", params=asked)).json()
    assert (found["present"], found["rows"], found["free"]) == (None, [], False)
    wrong = await admin.post("/api/v1/prices", json={**STATED, "provider": "opnai"})
    assert (wrong.status_code, "did you mean 'openai'" in wrong.text.lower()) == (404, True)
    assert (await admin.post("/api/v1/prices", json={**STATED, "source": ""})).status_code == 422
    assert (await admin.delete("/api/v1/prices/price_x")).status_code == 404


async def test_a_cache_policy_reaches_the_workers_and_survives_other_changes(plane: Plane) -> None:
    admin = await plane.admin()
    cache = {"ttl_s": 600, "scope": "project"}
    made = (await admin.post("/api/v1/keys", json={"name": "app", "cache": cache})).json()["record"]
    assert made["cache"]["ttl_s"] == 600
    await admin.patch(f"/api/v1/keys/{made['id']}", json={"limits": {"rpm": 5}})
    await admin.patch("/api/v1/projects/default", json={"cache": {"ttl_s": 60}})
    part = await published(plane)
    assert {k.id: k.cache for k in part.keys}[made["id"]] == CachePolicy(600, "project")
    assert [p.cache for p in part.projects] == [CachePolicy(60)]
    await admin.patch(f"/api/v1/keys/{made['id']}", json={"cache": {"ttl_s": 0}})
    assert {k.id: k.cache for k in (await published(plane)).keys}[made["id"]] == CachePolicy(0)


@pytest.fixture
def client(tmp_path: Path) -> Iterator[Client]:
    settings = config.load({"STOCKPOT_HOME": str(tmp_path), "STOCKPOT_DISCOVER": "no"})
    instance = Instance(settings.home)
    with Client.open(settings, instance, lambda: control_app(settings, instance)) as opened:
        yield opened


def run(client: Client, group: Any, *arguments: str) -> str:
    result = CliRunner().invoke(group, arguments, obj=client, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


def test_prices_are_stated_shown_and_removed_by_command(client: Client) -> None:
    client.put("/api/v1/providers/openai", VENDOR)
    source = ("--source", "contract, page 3")
    said = run(client, prices, "set", "openai/gpt-4o-mini", "--input", "0.12", *source, "--json")
    made = json.loads(said)
    assert (made["dollars"]["input"], made["own"]) == (0.12, True)
    listed = json.loads(run(client, prices, "list", "--own", "--json"))
    assert {row["source"] for row in listed} == {"contract, page 3"}
    told = run(client, prices, "show", "openai/gpt-4o-mini")
    assert "input $0.12" in told
    assert "contract, page 3" in told
    assert "input $0.12" in run(client, prices, "list")
    assert "unknown" in run(client, prices, "list")  # of the model that nobody has a price of
    run(client, prices, "remove", made["id"])
    assert "No own prices" in run(client, prices, "list", "--own")
    assert "above 272000 tokens" in run(client, prices, "show", "openai/gpt-5.4")
    with pytest.raises(ClientError, match="no own price"):
        run(client, prices, "remove", "price_gone")


def test_a_cache_is_chosen_by_command(client: Client) -> None:
    said = run(client, keys, "create", "--name", "a", "--cache", "10m", "--json")
    assert json.loads(said)["record"]["cache"]["ttl_s"] == 600
    run(client, projects, "change", "default", "--cache", "1h", "--cache-scope", "project")
    (project,) = client.get("/api/v1/projects")
    assert (project["cache"]["ttl_s"], project["cache"]["scope"]) == (3600, "project")
    off = run(client, keys, "create", "--name", "b", "--cache", "off", "--json")
    assert json.loads(off)["record"]["cache"]["ttl_s"] == 0
