"""A candidate on copies of calls against what served them, over HTTP and on a terminal."""

from __future__ import annotations

import json
import time
from types import SimpleNamespace
from typing import Any

import pytest
from click.testing import CliRunner

from stockpot.catalog.cli import aliases
from stockpot.core.terminal import when
from stockpot.traces.models import TraceFilter
from stockpot.traces.store.orders import Sample
from tests.integration.traces.conftest import Asked
from tests.integration.traces.shadow_contract import copied
from tests.unit.traces.made import AT_NS, make_shipment

pytestmark = pytest.mark.integration
WINDOW: dict[str, Any] = {"route": "shop", "from_ms": AT_NS / 1e6, "to_ms": AT_NS / 1e6 + 6e5}
FAILED: dict[str, Any] = {"error": "timeout", "status": 504, "finish_reason": ""}


def test_a_candidate_is_compared_pair_by_pair(asked: Asked) -> None:
    pairs = [copied(n, ("leek soup", "leek soup"), cost_nano=400) for n in range(10, 34)]
    pairs += [copied(n, ("leek", "I’m sorry, no."), finish_reason="length") for n in range(34, 40)]
    pairs += [copied(n, ("leek", ""), **FAILED) for n in range(40, 42)]
    asked.log.ingest(make_shipment(*(one for pair in pairs for one in pair), stream="host-9-1"))
    found = asked.client.get("/api/v1/traces/shadow", **WINDOW)
    assert found["candidate"] == {"provider": "lab", "model": "new", "copies": 32, "paired": 32}
    assert (found["pairs"], found["answers"]) == (32, 30)
    told = {figure["what"]: figure for figure in found["figures"]}
    assert (told["errors"]["base"], told["errors"]["candidate"]) == (0, 2 / 32)
    assert 0 < told["errors"]["low"] < 2 / 32 < told["errors"]["high"] < 0.25
    cost = told["cost"]
    assert (cost["base"], cost["candidate"], cost["n"]) == (1000, 520, 30)
    assert cost["low"] < cost["difference"] == -480 < cost["high"] < 0
    # Calls take from a millisecond to three seconds; paired, a tenth of a second shows exactly.
    for what in ("latency_p50", "latency_p95"):
        ends = [told[what][name] for name in ("low", "difference", "high")]
        assert ends == pytest.approx([100, 100, 100], abs=0.01)
    assert told["refusals"]["candidate"] == 0.2
    shares = {share["what"]: share["value"] for share in found["shares"]}
    assert shares == {"identical": 0.8, "other_finish": 0.2}
    finishes = {(one["base"], one["candidate"]): one["pairs"] for one in found["finishes"]}
    assert finishes == {("stop", "stop"): 24, ("stop", "length"): 6}
    empty = asked.client.get("/api/v1/traces/shadow", route="fast")
    assert (empty["candidate"], empty["figures"]) == (None, [])
    listed(asked)
    newest_only(asked)
    weighted(asked)


def weighted(asked: Asked) -> None:
    """After tail sampling the pairs that failed stand for themselves, the others for two each."""
    now = time.time_ns() + 10**9
    order = Sample(project="menu", before_ns=now, rate=0.5)
    assert asked.log.store.perform(order).removed > 0
    found = asked.client.get("/api/v1/traces/shadow", **WINDOW)
    left = found["pairs"] - 2
    assert 0 < left < 30
    assert found["stands_for"] == 2 + 2 * left
    told = {figure["what"]: figure for figure in found["figures"]}
    assert told["errors"]["candidate"] == pytest.approx(2 / found["stands_for"])
    assert told["errors"]["method"] == "weighted bootstrap"


def newest_only(asked: Asked) -> None:
    """Where there are more pairs than figures are made of, it is said beside them, and since when:
    the window that was asked for is then not the one that is told of."""
    where = TraceFilter(requested_model="shop")
    found = asked.log.shadow(where, WINDOW["from_ms"], WINDOW["to_ms"], most=5)
    assert found.since_ms == pytest.approx(AT_NS / 1e6 + 37_000)
    told = found.model_dump(mode="json")
    client = SimpleNamespace(get=lambda *_, **__: told)
    text = CliRunner().invoke(aliases, ["shadow", "shop"], obj=client).stdout
    assert f"the newest 5 of 32 pairs, since {when(found.since_ms)}; 3 of them with both" in text
    assert "refusals (English)" in text


def listed(asked: Asked) -> None:
    """The same pairs one by one."""
    path = "/api/v1/traces/shadow/pairs"
    newest, *_ = asked.client.get(path, **WINDOW)["items"]
    assert (newest["candidate"]["error"], newest["identical"]) == ("timeout", None)
    page = asked.client.get(path, **WINDOW, only="different", limit=5)
    rest = asked.client.get(path, **WINDOW, only="different", cursor=page["next_cursor"])
    items = page["items"] + rest["items"]
    assert (len(items), rest["next_cursor"]) == (8, None)
    last = items[-1]
    assert (last["asked"], last["base"]["answer"]) == ("question 34", "leek")
    assert (last["base"]["refused"], last["candidate"]["refused"]) == (False, True)
    assert len(asked.client.get(path, **WINDOW, only="failed")["items"]) == 2
    assert asked.http.get(f"{path}?route=shop&only=some").status_code == 422


def test_the_command_tells_the_same_and_how_to_begin(asked: Asked) -> None:
    def run(*arguments: str) -> str:
        done = CliRunner().invoke(aliases, ["shadow", *arguments], obj=asked.client)
        assert done.exit_code == 0, done.output
        return done.stdout

    far = ("--last", "9000d")
    assert "--shadow PROVIDER/MODEL=0.1" in run("nobody", *far)
    assert json.loads(run("nobody", *far, "--json"))["candidates"] == []
    after = int(WINDOW["to_ms"] - WINDOW["from_ms"]) // 1000 + 60  # the other test counts WINDOW
    pair = copied(after, ("pea soup", "split pea soup"))
    asked.log.ingest(make_shipment(*pair, stream="host-8-1"))
    text = run("shop", *far, "--pairs", "100", "--candidate", "lab/new")
    assert "split pea soup" in text
    listed = json.loads(run("shop", *far, "--pairs", "100", "--json"))["items"]
    assert pair[1].record.span_id.hex() in {item["candidate"]["span_id"] for item in listed}
