"""Data sets over HTTP: rows from files, traces and feedback; slices, splits, checks, exports."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import httpx
import pytest

from tests.integration.control.plane import Plane
from tests.integration.scores.called import Called

pytestmark = [
    pytest.mark.integration,
    pytest.mark.parametrize("plane", ["sqlite"], indirect=True),
]
API = "/api/v1/datasets"


@pytest.fixture
def called(plane: Plane) -> Called:
    return Called(plane)


@pytest.fixture
async def admin(plane: Plane) -> httpx.AsyncClient:
    client = await plane.admin()
    assert (await client.post(API, json={"name": "menu"})).status_code == 201
    return client


async def done(client: httpx.AsyncClient, method: str, path: str, **sent: Any) -> Any:
    answer = await client.request(method, f"{API}/menu{path}", **sent)
    assert answer.is_success, answer.text
    return answer.json()


async def add(client: httpx.AsyncClient, *rows: dict[str, Any]) -> Any:
    return await done(client, "POST", "/rows", json={"rows": rows})


async def rows(client: httpx.AsyncClient, **where: Any) -> dict[str, dict[str, Any]]:
    page = await done(client, "GET", "/rows", params=where)
    return {row["id"]: row for row in page["items"]}


def row(text: str, **more: Any) -> dict[str, Any]:
    return {"input": {"question": text}, **more}


async def test_the_same_row_is_kept_once_and_schemas_are_held(admin: httpx.AsyncClient) -> None:
    one = await add(admin, row("soup?"), row("soup?"), row("soup?", expected="leek"))
    assert (one["added"], one["unchanged"]) == (2, 1)
    schema = {"type": "object", "required": ["question"]}
    await done(admin, "PATCH", "", json={"input_schema": schema})
    bad = await admin.post(f"{API}/menu/rows", json={"rows": [row("x"), {"input": {"q": 1}}]})
    assert bad.status_code == 422
    assert "row 2" in bad.json()["error"]["message"]
    strict = {"type": "object", "required": ["table"]}
    late = await admin.patch(f"{API}/menu", json={"input_schema": strict})
    assert late.status_code == 422


async def test_rows_come_out_of_feedback(admin: httpx.AsyncClient, called: Called) -> None:
    for number, (thumb, correction) in enumerate(
        [("down", "better"), ("down", None), ("up", None)]
    ):
        trace = called.call(f"answer {number}").record.trace_id.hex()
        item = {"trace_id": trace, "thumb": thumb, "correction": correction}
        assert (await admin.post("/api/v1/feedback", json=item)).is_success
    made = await done(admin, "POST", "/from-feedback", json={})
    assert made["added"] == 1
    assert [r["expected"] for r in (await rows(admin)).values()] == ["better"]
    liked = await done(admin, "POST", "/from-feedback", json={"thumb": "up", "corrected": False})
    assert liked["added"] == 1
    assert "answer 2" in [r["expected"] for r in (await rows(admin)).values()]


async def test_a_file_is_taken_whole_or_its_faulty_lines_are_told(
    admin: httpx.AsyncClient,
) -> None:
    text = 'frage,antwort,sprache\nsoup?,leek,de\n"tea,\nblack?",yes,en\nmissing\n'
    columns = {"frage": "input.question", "antwort": "expected"}
    sent = {"format": "csv", "text": text, "columns": columns}
    bad = await done(admin, "POST", "/import", json=sent)
    assert (bad["added"], bad["faults"]) == (
        None, [{"line": 5, "message": "1 cells, but the first line names 3 columns"}],
    )  # fmt: skip
    sent["text"] = text.removesuffix("missing\n")
    assert (await done(admin, "POST", "/import", json={**sent, "dry_run": True}))["added"] is None
    good = await done(admin, "POST", "/import", json=sent)
    assert good["added"]["added"] == 2
    assert good["columns"]["sprache"] == "metadata.sprache"
    kept = list((await rows(admin)).values())
    assert kept[1]["input"] == {"question": "tea,\nblack?"}
    assert [r["metadata"] for r in kept] == [{"sprache": "de"}, {"sprache": "en"}]
    lines = '{"input": {"q": 1}, "expected": {"a": 2}}\n{"q": 2}\n\n[1]\nnot json\n'
    faults = await done(admin, "POST", "/import", json={"format": "jsonl", "text": lines})
    assert [fault["line"] for fault in faults["faults"]] == [4, 5]


async def test_an_export_can_be_imported_again_with_the_same_content(
    admin: httpx.AsyncClient,
) -> None:
    made = await add(
        admin,
        row("soup?", expected={"dish": "leek"}, metadata={"tags": ["hot"]}, split="test"),
        {"input": {"messages": [{"role": "user", "content": "tea\N{HOT BEVERAGE},\n\"now\""}]}},
    )  # fmt: skip
    for kind in ("jsonl", "csv"):
        text = (await admin.get(f"{API}/menu/export", params={"format": kind})).text
        await admin.post(API, json={"name": f"copy-{kind}"})
        sent = {"format": kind, "text": text}
        answer = await admin.post(f"{API}/copy-{kind}/import", json=sent)
        assert answer.json()["faults"] == [], answer.text
        copy = answer.json()["added"]["version"]
        assert copy["content_hash"] == made["version"]["content_hash"], kind
    table = list(csv.DictReader(io.StringIO(text)))
    assert json.loads(table[0]["expected"]) == {"dish": "leek"}


async def test_slices_and_splits_part_a_version(admin: httpx.AsyncClient) -> None:
    given = [row(f"question {n}", metadata={"n": n, "table": n % 10}) for n in range(200)]
    await add(admin, *given)
    conditions = [{"field": "metadata.n", "op": "lt", "value": 30}]
    await done(admin, "PUT", "/slices/early", json={"conditions": conditions})
    early = await done(admin, "GET", "/rows", params={"slice": "early", "limit": 10})
    assert (early["total"], len(early["items"]), early["next_offset"]) == (30, 10, 10)
    shares = {"shares": {"train": 0.75, "test": 0.25}, "group_by": "metadata.table"}
    await done(admin, "POST", "/split", json=shares)
    counts = await done(admin, "GET", "/splits")
    assert set(counts) == {"train", "test"}
    tables: dict[int, set[str]] = {}
    for kept in (await rows(admin, limit=200)).values():
        tables.setdefault(kept["metadata"]["table"], set()).add(kept["split"])
    assert all(len(splits) == 1 for splits in tables.values()), "a table stays together"
    await add(admin, *(row(f"later {n}", metadata={"table": 0}) for n in range(5)))
    await done(admin, "POST", "/split", json={**shares, "only_unassigned": True})
    assert all(r["split"] for r in (await rows(admin, limit=300)).values())


async def test_near_duplicates_are_found_and_those_over_splits_are_told(
    admin: httpx.AsyncClient,
) -> None:
    text = "Please bring me the leek soup with bread and without any butter, for table number"
    await add(
        admin,
        row(f"{text} 12", id="a", split="train"),
        row(f"{text.upper()}  13", id="b", split="test"),
        row(f"{text} 14", id="c", split="train"),
        row("How late are you open on Sundays?", id="d", split="test"),
    )
    found = await done(admin, "GET", "/check")
    assert {(p["one"], p["other"]) for p in found["pairs"]} == {("a", "b"), ("a", "c"), ("b", "c")}
    assert {(p["one"], p["other"]) for p in found["contaminated"]} == {("a", "b"), ("b", "c")}
    assert "MinHash" in found["method"]
    await admin.post(API, json={"name": "exam"})
    await admin.post(f"{API}/exam/rows", json={"rows": [row(f"{text} 99", id="x")]})
    across = await done(admin, "GET", "/check", params={"against": "exam"})
    assert across["contaminated_count"] == 3


async def test_what_is_not_there_is_said_with_the_next_step(admin: httpx.AsyncClient) -> None:
    answer = await admin.get(f"{API}/menuu")
    assert answer.status_code == 404
    assert "Did you mean 'menu'" in answer.json()["error"]["message"]
    assert (await admin.get(f"{API}/menu/rows")).status_code == 404, "no version yet"
    await add(admin, row("soup?"))
    assert (await admin.get(f"{API}/menu/rows", params={"version": "7"})).status_code == 404
    assert (await admin.post(API, json={"name": "menu"})).status_code == 409
    assert (await admin.delete(f"{API}/menu")).status_code == 204
    assert (await admin.get(f"{API}/menu")).status_code == 404


async def test_a_version_knows_the_runs_that_used_it(admin: httpx.AsyncClient) -> None:
    await add(admin, row("soup?", expected="leek", metadata={"output": "leek"}))
    spec = {"name": "taste", "dataset": "menu", "target": {"kind": "recorded"},
            "scorers": [{"use": "exact"}]}  # fmt: skip
    started = await admin.post("/api/v1/evals/runs", json={"spec": spec, "runner": "here"})
    assert started.is_success, started.text
    (use,) = await done(admin, "GET", "/uses")
    assert (use["kind"], use["ref"], use["number"]) == ("run", started.json()["id"], 1)
