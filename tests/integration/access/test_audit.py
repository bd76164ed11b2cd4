"""The audit log tells who, what and from where, can be searched, and shows what was altered."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from pathlib import Path

import pytest
import sqlalchemy as sa

from stockpot.core.errors import StockpotError
from tests.integration.control.plane import Plane, running

pytestmark = pytest.mark.integration


async def some_changes(plane: Plane) -> str:
    """Two projects, a key in one, changed once; the key's id."""
    admin = await plane.admin()
    for name in ("menu", "till"):
        await admin.post("/api/v1/projects", json={"name": name})
    made = await admin.post("/api/v1/keys", json={"name": "app", "project": "menu"})
    ident = str(made.json()["record"]["id"])
    await admin.patch(f"/api/v1/keys/{ident}", json={"limits": {"rpm": 5}})
    return ident


async def test_an_entry_tells_who_what_and_from_where(plane: Plane) -> None:
    browser = await plane.signed_in()
    await browser.post("/api/v1/keys", json={"name": "app"})
    (entry,) = (await browser.get("/api/v1/audit", params={"limit": 1})).json()
    assert entry["actor"] == "admin@localhost (session)"
    assert entry["actor_id"].startswith("usr_")
    assert (entry["address"], entry["project"]) == ("127.0.0.1", "default")
    assert (entry["before"], len(entry["after"]), len(entry["hash"])) == ("", 64, 64)


async def test_it_is_found_by_everything_that_it_tells(plane: Plane) -> None:
    key = await some_changes(plane)
    admin = await plane.admin()

    async def found(**where: object) -> list[str]:
        answer = await admin.get("/api/v1/audit", params=where)
        assert answer.status_code == 200, answer.text
        return [entry["action"] for entry in answer.json()]

    assert await found(subject=key) == ["key.change", "key.create"]
    assert await found(action="key.change") == ["key.change"]
    assert await found(action="key.*", project="menu") == ["key.change", "key.create"]
    assert await found(project="till") == ["project.create"]
    assert await found(actor="cli", action="project.*") == ["project.create"] * 2
    assert len(await found(actor="command line")) == len(await found(actor="cli"))
    assert await found(actor="nobody") == []
    assert await found(from_ms=9e12) == []
    assert await found(to_ms=1) == []
    assert await found(action="k%") == []


async def test_an_export_is_one_line_for_each_entry_oldest_first(plane: Plane) -> None:
    await some_changes(plane)
    admin = await plane.admin()
    text = (await admin.get("/api/v1/audit/export")).text
    rows = [json.loads(line) for line in text.splitlines()]
    listed = (await admin.get("/api/v1/audit", params={"limit": 500})).json()
    assert rows == listed[::-1]
    assert [row["number"] for row in rows] == list(range(1, len(rows) + 1))


async def test_the_store_itself_refuses_to_change_or_delete_an_entry(plane: Plane) -> None:
    await some_changes(plane)
    db = plane.app.state.control.db
    for statement in ("UPDATE audit_log SET actor = 'eve'", "DELETE FROM audit_log"):
        with pytest.raises((sa.exc.DBAPIError, StockpotError), match="append-only"):
            await db.write(lambda c, sql=statement: c.exec_driver_sql(sql) and None)
    assert (await (await plane.admin()).get("/api/v1/audit/verify")).json()["intact"]


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("UPDATE audit_log SET actor = 'eve' WHERE number = 3", "entry 3"),
        ("UPDATE audit_log SET detail = '{}' WHERE action = 'key.change'", "altered"),
        ("DELETE FROM audit_log WHERE number = 2", "entry 2 is missing"),
        ("DELETE FROM audit_log WHERE number > 4", "the log ends at entry 4"),
    ],
)
async def test_whoever_goes_around_the_store_is_seen(
    tmp_path: Path, statement: str, words: str
) -> None:
    async with running(tmp_path / "home") as plane:
        await some_changes(plane)
        with sqlite3.connect(plane.instance.control_db) as raw:
            for verb in ("update", "delete"):
                raw.execute(f"DROP TRIGGER audit_log_{verb}")
            raw.execute(statement)
        raw.close()
        found = (await (await plane.admin()).get("/api/v1/audit/verify")).json()
        assert found["intact"] is False
        assert words in found["problems"][0]


async def test_a_log_that_was_rewritten_as_a_whole_does_not_lead_to_a_noted_head(
    tmp_path: Path,
) -> None:
    async with running(tmp_path / "home") as plane:
        await some_changes(plane)
        admin = await plane.admin()
        noted = (await admin.get("/api/v1/audit/verify")).json()
        head = {"number": noted["number"], "hash": noted["hash"]}
        await some_changes(plane)
        assert (await admin.get("/api/v1/audit/verify", params=head)).json()["intact"]
        wrong = {**head, "hash": "0" * 64}
        refuted = (await admin.get("/api/v1/audit/verify", params=wrong)).json()
        assert refuted["intact"] is False
        gone = {"number": 10_000, "hash": "0" * 64}
        assert not (await admin.get("/api/v1/audit/verify", params=gone)).json()["intact"]


async def test_entries_that_are_written_at_once_are_one_chain(plane: Plane) -> None:
    admin = await plane.admin()
    await asyncio.gather(*(admin.post("/api/v1/keys", json={"name": f"k{n}"}) for n in range(10)))
    found = (await admin.get("/api/v1/audit/verify")).json()
    assert found["intact"], found["problems"]
    assert found["entries"] == found["number"] >= 10


async def test_no_secret_is_in_the_log(plane: Plane) -> None:
    admin = await plane.admin()
    made = (await admin.post("/api/v1/keys", json={"name": "app"})).json()
    token = (await admin.post("/api/v1/tokens", json={"name": "t"})).json()
    lab = {"vendor": "openai-compatible", "base_url": "http://127.0.0.1:9/v1", "models": ["m"],
           "secret": "sk-very-secret-0000"}  # fmt: skip
    await admin.put("/api/v1/providers/lab", json=lab)
    log = (await admin.get("/api/v1/audit/export")).text
    for secret in (made["key"], token["secret"], lab["secret"]):
        assert str(secret) not in log
