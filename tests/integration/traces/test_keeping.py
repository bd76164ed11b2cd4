"""Retention, erasure, repricing and saved views, asked over HTTP of a control plane whose ingest is
away: then it writes itself."""

from __future__ import annotations

import contextlib
import json
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from stockpot.app import control_app
from stockpot.core import config
from stockpot.core.client import Client, ClientError
from stockpot.core.errors import Unavailable
from stockpot.core.inprocess import InProcess
from stockpot.core.instance import Instance
from stockpot.evals.answer_file import answers_here, opened
from stockpot.evals.store import known_answers, put_answers
from stockpot.gateway import Shipment, Shipped, otlp
from stockpot.monitors.checks.models import CheckRun
from stockpot.monitors.checks.store import add_run, check_named, run_by_id, set_check
from stockpot.traces import Keeping, SpanLog, TraceFilter
from stockpot.traces.cli import traces
from tests.unit.traces.made import AT_NS, make_record, make_shipment, make_shipped
from tests.unit.traces.test_dialects import request

pytestmark = pytest.mark.integration
WINDOW = {"from_ms": AT_NS / 1e6, "to_ms": AT_NS / 1e6 + 600_000}


class Plane:
    """A control plane and what is behind it."""

    def __init__(self, home: Path) -> None:
        settings = config.load({"STOCKPOT_HOME": str(home)}).replaced(discover=False)
        instance = Instance(home)
        self.home = home
        self.app = control_app(settings, instance)
        self.client = Client(
            "http://stockpot.local", instance.derive("cli"), transport=InProcess(self.app)
        )
        self.spans: SpanLog = self.app.state.control.spans
        self.keeping: Keeping = self.app.state.control.keeping


@pytest.fixture
def plane(tmp_path: Path) -> Iterator[Plane]:
    made = Plane(tmp_path)
    made.client.post("/api/v1/projects", {"name": "menu"})
    made.spans.ingest(make_shipment(
        make_shipped(1, said=("leek soup", "yes"), user="ann"),
        make_shipped(2, said=("pea soup", "no"), user="bob", cost_nano=None, price_id="",
                     provider="openai", served_model="gpt-4o-mini"),
    ))  # fmt: skip
    yield made
    made.client.close()


def sought(plane: Plane, words: str) -> int:
    return len(plane.client.get("/api/v1/traces", q=words)["items"])


async def test_a_policy_is_set_and_carried_out(plane: Plane) -> None:
    path = "/api/v1/projects/menu/retention"
    assert plane.client.get(path) == {"span_days": None, "payload_days": None, "sampling": None}
    assert plane.client.get(f"{path}/since") == {"since_ms": 0.0}
    plane.client.put(path, {"sampling": {"rate": 0.000001, "after_s": 60}})
    assert await plane.keeping.sweep() == 0  # nobody judges what has only just come
    with pytest.raises(ClientError):
        plane.client.put(path, {"span_days": 0})
    with pytest.raises(ClientError):
        plane.client.get("/api/v1/projects/nowhere/retention")
    await answers_age_with_payloads(plane)
    ran = CliRunner().invoke(traces, ["retention", "menu", "--span-days", "9"], obj=plane.client)
    assert "9" in ran.output
    assert plane.client.get(path)["span_days"] == 9
    actions = [entry["action"] for entry in plane.client.get("/api/v1/audit")]
    assert actions.count("retention.change") == 3


async def answers_age_with_payloads(plane: Plane) -> None:
    """Answers that evaluations keep, in the store and in the file: of a project whose payloads stay
    for three days those go that are older, and no other project's."""
    db, now = plane.app.state.control.db, time.time_ns() // 1_000_000
    old, new = now - 3 * 86_400_000 - 60_000, now - 3 * 86_400_000 + 600_000
    kept = {("menu", b"o"): old, ("menu", b"n"): new, ("default", b"d"): old}
    with opened(answers_here(plane.home)) as file:
        for (project, key), at in kept.items():
            await db.write(lambda c, p=project, k=key, at=at: put_answers(c, p, {k: b"soup"}, at))
            file.keep(project, {key: b"soup"})
    with contextlib.closing(sqlite3.connect(answers_here(plane.home))) as file_itself, file_itself:
        file_itself.executemany(
            "UPDATE answers SET kept_ms = ? WHERE key = ?", [(at, k) for (_, k), at in kept.items()]
        )
    path = "/api/v1/projects/menu/retention"
    plane.client.put(path, {"payload_days": 3})
    await plane.keeping.sweep()
    in_store = await db.read(lambda c: [known_answers(c, p, [k]) for p, k in kept])
    with opened(answers_here(plane.home)) as file:
        in_file = [file.known([key]) for _, key in kept]
    assert in_store == in_file == [{}, {b"n": b"soup"}, {b"d": b"soup"}]


async def test_a_user_is_forgotten_with_their_scores(plane: Plane) -> None:
    (item,) = plane.client.get("/api/v1/traces", user="ann")["items"]
    plane.client.post("/api/v1/scores", {"scores": [
        {"project": "menu", "trace_id": item["trace_id"], "name": "thumb", "comment": "leek!"}
    ]})  # fmt: skip
    sets = "/api/v1/datasets/soups"
    plane.client.post("/api/v1/datasets", {"name": "soups"}, project="menu")
    (other,) = plane.client.get("/api/v1/traces", user="bob")["items"]
    made_from = {"trace_ids": [item["trace_id"], other["trace_id"]], "expected": "none"}
    made = plane.client.post(f"{sets}/from-traces", made_from, project="menu")
    assert made["added"] == 2
    run, queue = await evaluated(plane), annotated(plane, [item["trace_id"], other["trace_id"]])
    share = shared(plane, item["trace_id"])
    replayed(plane, item["trace_id"])
    assert "leek" in str(await quoted(plane, {"features": {}, "examples": ["leek soup"]}))
    an_erasure_is_cut_off(plane)
    ran = CliRunner().invoke(traces, ["erase", "--user", "ann", "--yes"], obj=plane.client)
    told = "1 traces, 1 spans, 4 scores, 1 rows of data sets, 1 results and 5 calls of evaluations"
    assert ran.output == f"{told} forgotten\n"
    await nothing_is_kept_elsewhere(plane, run, queue, share)
    before = plane.client.get(f"{sets}/rows", project="menu", version=1)["items"]
    assert "leek" not in str(before)
    assert "ann" not in str(before)
    assert [(row["erased"], bool(row["input"])) for row in before] == [(True, False), (False, True)]
    (left,) = plane.client.get(f"{sets}/rows", project="menu")["items"]
    assert left["source_trace"] == other["trace_id"]
    path = f"/api/v1/traces/{item['trace_id']}/rows"
    (lineage,) = plane.client.get(path, project="menu")
    assert (lineage["erased"], lineage["since"], lineage["until"]) == (True, 1, 2)
    assert (sought(plane, "leek"), sought(plane, "pea")) == (0, 3)
    scores = plane.client.get("/api/v1/scores", project="menu")["items"]
    left = {other["trace_id"], make_record(20).trace_id.hex()}
    assert {score["trace_id"] for score in scores} == left
    assert "ann" not in str(plane.client.get("/api/v1/audit")).replace("annot", "")
    assert plane.client.get("/api/v1/overview", **WINDOW)["totals"]["calls"] == 9


def an_erasure_is_cut_off(plane: Plane) -> None:
    """One that does not come to its end, as where the store goes away in the middle."""

    async def away(*_: object) -> int:
        raise Unavailable("the control plane's store refused: it restarts")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(plane.app.state.control.scores, "forget", away)
        cut = CliRunner().invoke(traces, ["erase", "--user", "ann", "--yes"], obj=plane.client)
    assert cut.exit_code != 0


async def nothing_is_kept_elsewhere(plane: Plane, run: str, queue: str, share: str) -> None:
    with pytest.raises(ClientError, match="no shared set-up"):
        plane.client.get(share)
    assert await quoted(plane) == {"features": {}}
    with opened(answers_here(plane.home)) as file:
        assert file.known([b"a", b"b"]) == {}
    kept = await plane.app.state.control.db.read(lambda c: check_named(c, "menu", "canary", "same"))
    assert kept.state == {}
    results = plane.client.get(f"/api/v1/evals/runs/{run}/rows")["items"]
    assert "leek" not in str(results)
    assert sorted(one["output"] for one in results) == ["", "pea soup!"]
    assert [one["scores"]["exact"]["value"] for one in results] == [0, 0]
    said = plane.client.get(f"{queue}/items")["items"]
    assert sorted((one["answered"][0]["comment"], *one["answered"][0]["answers"].values())
                  for one in said) == [("", "good"), ("mine", "good", "soup")]  # fmt: skip


async def evaluated(plane: Plane) -> str:
    """A run on the data set, done by its caller; both rows are answered with what they say. Its
    calls are traces of their own, and nothing of them tells whose words they have."""
    spec = {"name": "soups", "dataset": "soups", "target": {"kind": "recorded"},
            "scorers": [{"use": "exact"}]}  # fmt: skip
    new = {"spec": spec, "runner": "here"}
    run: str = plane.client.post("/api/v1/evals/runs", new, project="menu")["id"]
    rows = plane.client.get("/api/v1/datasets/soups/rows", project="menu")["items"]
    results = []
    for row in rows:
        said = f"{'leek' if 'leek' in str(row['input']) else 'pea'} soup"
        exact = {"value": 0, "reason": f"{said} is another"}
        results.append({"item": row["id"], "output": f"{said}!", "scores": {"exact": exact},
                        "trace_id": await called(plane, run, row["id"], said)})  # fmt: skip
    plane.client.post(f"/api/v1/evals/runs/{run}/rows", {"results": results})
    plane.client.post(f"/api/v1/evals/runs/{run}/finish", {})
    assert "leek" in str(plane.client.get(f"/api/v1/evals/runs/{run}/rows")["items"])
    return run


async def called(plane: Plane, run: str, item: str, said: str) -> str:
    """What a run leaves beside a result: the call, its judge's and, of all rows, embeddings; an
    answer in the file of whoever runs, and the reference of a canary on the same rows."""
    number = 10 if "leek" in said else 20
    about = {"user": "", "dataset_run": run, "dataset_item": item}
    plane.spans.ingest(make_shipment(
        make_shipped(number, said=(f"{said} again", said), **{**about, "dataset_run": ""}),
        make_shipped(number + 1, said=(f"is {said} good?", "yes"), **about),
        *([make_shipped(12, said=("leek soup, pea soup", ""), **{**about, "dataset_item": ""})]
          if number == 10 else []),
        stream=f"evals-{number}-1",
    ))  # fmt: skip
    with opened(answers_here(plane.home)) as file:
        file.keep("menu", {b"a": b"leek soup"})
    canary = {"project": "menu", "name": "same", "model": "m", "dataset": "soups@1"}
    check = plane.client.put("/api/v1/canaries", canary)
    state = {"runs": [[[{"text": "leek soup"}]]]}
    await plane.app.state.control.db.write(lambda c: set_check(c, check["id"], state=state))
    return make_record(number).trace_id.hex()


def annotated(plane: Plane, traces: list[str]) -> str:
    """A queue of traces, each answered with a label and in words."""
    rubric = [{"name": "verdict", "labels": ["good", "bad"]}, {"name": "better", "kind": "text"}]
    new = {"name": "look", "rubric": rubric, "blind": False, "source": {"trace_ids": traces}}
    made = plane.client.post("/api/v1/annotation/queues", new, project="menu")
    queue = f"/api/v1/annotation/queues/{made['id']}"
    answers = {"answers": {"verdict": "good", "better": "soup"}, "comment": "mine"}
    for one in plane.client.get(f"{queue}/items")["items"]:
        plane.client.put(f"{queue}/items/{one['id']}/answers", answers)
    return queue


def replayed(plane: Plane, trace: str) -> None:
    """The same call again, and a replay of that: neither names the user."""
    for number in (30, 31):
        tags = ("replay", f"replay-of:{trace}")
        again = make_shipped(number, said=("leek soup", "yes!"), user="", tags=tags)
        plane.spans.ingest(make_shipment(again, stream=f"replay-{number}"))
        trace = again.record.trace_id.hex()


def shared(plane: Plane, trace: str) -> str:
    """A set-up of the playground that was made from a trace."""
    state = {"columns": [{"messages": ["leek soup"], "result": {"traceId": trace}}]}
    made = plane.client.post("/api/v1/playground/shares", {"project": "menu", "state": state})
    return f"/api/v1/playground/shares/{made['id']}"


async def quoted(plane: Plane, result: dict[str, Any] | None = None) -> Any:
    """What a drift check's run says, with a result or as it was kept."""
    db = plane.app.state.control.db
    if result is not None:
        new = {"project": "menu", "name": "texts", "of": "input", "features": ["length"]}
        check = plane.client.put("/api/v1/drift", new)
        run = CheckRun(id="chr_1", check_id=check["id"], project="menu", kind="drift",
                       check="texts", state="done", cause="asked", created_ms=1,
                       result=result)  # fmt: skip
        await db.write(lambda c: add_run(c, run))
    return (await db.read(lambda c: run_by_id(c, "chr_1"))).result


async def test_history_is_priced_again(plane: Plane) -> None:
    told: dict[str, Any] = plane.client.post("/api/v1/traces/reprice", WINDOW)
    assert (told["applied"], told["spans"], told["unpriced_before"]) == (False, 1, 1)
    assert told["unpriced_after"] == 0
    assert plane.client.get("/api/v1/overview", **WINDOW)["totals"]["unpriced"] == 1
    asked = {**WINDOW, "project": "menu", "apply": True}
    done = plane.client.post("/api/v1/traces/reprice", asked)
    (noted,) = plane.client.get("/api/v1/audit", action="traces.reprice")
    assert noted["detail"]["project"] == "menu", "who governs it sees who priced it anew"
    totals = plane.client.get("/api/v1/overview", **WINDOW)["totals"]
    assert (totals["unpriced"], totals["cost_nano"]) == (0, 1_000 + done["after_nano"])
    (item,) = plane.client.get("/api/v1/traces", user="bob")["items"]
    assert item["root"]["cost_nano"] == sum(line["nano"] for line in item["root"]["bill"])
    assert plane.client.get("/api/v1/traces/verify")["problems"] == []


async def test_what_a_sender_told_of_its_cost_is_not_priced_again(plane: Plane) -> None:
    usage = {"gen_ai.operation.name": "chat", "gen_ai.provider.name": "openai",
             "gen_ai.request.model": "gpt-4o-mini", "gen_ai.usage.input_tokens": 1000,
             "gen_ai.usage.output_tokens": 10}  # fmt: skip
    at = {"startTimeUnixNano": str(AT_NS), "endTimeUnixNano": str(AT_NS)}
    body = request(
        {**at, "attributes": {**usage, "gen_ai.usage.cost": 0.5}}, {**at, "attributes": usage}
    )
    record = otlp.entry("told", "production", "key_a", "full", ("json", ""), len(body))
    plane.spans.ingest(Shipment("", 0, 0, 0, (Shipped(record, body),)))
    day = ["--from", "2026-09-01", "--to", "2026-10-01", "--project", "told"]
    ran = CliRunner().invoke(
        traces, ["reprice", *day, "--apply", "--json"], obj=plane.client, catch_exceptions=False
    )
    done = json.loads(ran.stdout)
    assert (done["spans"], done["unpriced_after"]) == (1, 0)
    assert done["after_nano"] > 0
    costs = {s.cost_nano for s in plane.spans.export(TraceFilter(project="told"))}
    assert costs == {500_000_000, done["after_nano"]}
    later = ["reprice", "--from", "2026-10-01", "--project", "told", "--json"]
    ran = CliRunner().invoke(traces, later, obj=plane.client)
    assert json.loads(ran.stdout)["spans"] == 0
    for both in (["reprice"], ["reprice", "--last", "1d", *day]):
        assert "either --last or --from" in CliRunner().invoke(traces, both).output


async def test_a_view_is_saved_shared_and_forgotten(plane: Plane) -> None:
    new = {"name": "slow", "search": {"min_duration_ms": 2000}, "default": True, "project": "menu"}
    first = plane.client.post("/api/v1/views", new)
    plane.client.post("/api/v1/views", {**new, "name": "dear", "search": {"q": "soup"}})
    for wrong in ({"name": " "}, {"name": "two\nlines"}, {"search": {"q": "soup" * 1000}}):
        with pytest.raises(ClientError, match="a view"):
            plane.client.post("/api/v1/views", {**new, **wrong})
    found = {view["name"]: view["default"] for view in plane.client.get("/api/v1/views")}
    assert found == {"dear": True, "slow": False}
    plane.client.delete(f"/api/v1/views/{first['id']}")
    assert [view["name"] for view in plane.client.get("/api/v1/views")] == ["dear"]
