"""The store's port: threads, transactions, errors. Every implementation has to pass."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from stockpot.core import db as core_db
from stockpot.core.db import Database, copy_sqlite, open_database, sqlite_library
from stockpot.core.errors import ConfigError, InvalidInput, Unavailable
from tests.postgres import fresh_database

pytestmark = pytest.mark.integration


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return fresh_database() if request.param == "postgres" else f"sqlite:///{tmp_path}/t.db"


@pytest.fixture
async def db(url: str) -> AsyncIterator[Database]:
    opened = open_database(url)
    await opened.write(lambda c: c.exec_driver_sql("CREATE TABLE t (n INTEGER)") and None)
    yield opened
    await opened.close()


def insert(c: sa.Connection) -> None:
    c.exec_driver_sql("INSERT INTO t VALUES (1)")


def count(c: sa.Connection) -> int:
    return c.exec_driver_sql("SELECT count(*) FROM t").scalar() or 0


async def test_a_write_is_committed_when_it_returns(db: Database, url: str) -> None:
    await db.write(insert)
    other = open_database(url)
    assert await other.read(count) == 1
    await other.close()


async def test_an_exception_rolls_everything_back(db: Database) -> None:
    def half(c: sa.Connection) -> None:
        insert(c)
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        await db.write(half)
    assert await db.read(count) == 0


async def test_a_read_may_not_write(db: Database) -> None:
    with pytest.raises(Unavailable, match=r"readonly|read-only"):
        await db.read(insert)


@pytest.mark.parametrize("value", [2**63, -(2**80), "half a \ud800 pair", "a\0b"])
async def test_a_value_that_no_column_can_hold_is_the_senders_fault(
    db: Database, value: object
) -> None:
    put = sa.text("INSERT INTO t VALUES (:value)")
    with pytest.raises(InvalidInput, match="the store cannot hold"):
        await db.write(lambda c: c.execute(put, {"value": value}) and None)
    assert await db.read(count) == 0


async def test_a_read_sees_one_moment(db: Database) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def twice(c: sa.Connection) -> tuple[int, int]:
        first = count(c)
        begun.set()
        go_on.wait(10)
        return first, count(c)

    reading = asyncio.create_task(db.read(twice))
    await asyncio.to_thread(begun.wait, 10)
    await db.write(insert)
    go_on.set()
    assert await reading == (0, 0)


async def test_many_writers_wait_in_line_and_none_is_lost(db: Database) -> None:
    await asyncio.gather(*(db.write(insert) for _ in range(200)))
    assert await db.read(count) == 200


async def test_two_processes_worth_of_writers_wait_for_each_other(db: Database, url: str) -> None:
    other = open_database(url)
    await asyncio.gather(*(d.write(insert) for _ in range(30) for d in (db, other)))
    assert await db.read(count) == 60
    await other.close()


async def test_what_the_store_refuses_is_told_as_unavailable(db: Database) -> None:
    with pytest.raises(Unavailable, match=r"no such table|does not exist"):
        await db.write(lambda c: c.exec_driver_sql("INSERT INTO nowhere VALUES (1)") and None)
    assert await db.read(count) == 0


def test_the_sqlite_that_runs_is_safe() -> None:
    library = sqlite_library()
    assert library.safe
    assert tuple(map(int, library.version.split("."))) >= (3, 51)


def test_an_old_sqlite_is_refused_with_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(core_db, "OLDEST_SAFE_SQLITE", (99, 0, 0))
    with pytest.raises(ConfigError, match="older than 99") as told:
        open_database(f"sqlite:///{tmp_path}/t.db")
    assert "pysqlite3" in told.value.hint


async def test_a_writer_decides_on_what_no_other_writer_changes_meanwhile(
    db: Database, url: str
) -> None:
    other = open_database(url)

    def add_if_below_ten(c: sa.Connection) -> None:
        if count(c) < 10:
            insert(c)

    await asyncio.gather(*(d.write(add_if_below_ten) for _ in range(20) for d in (db, other)))
    assert await db.read(count) == 10
    await other.close()


async def test_a_store_that_is_not_there_is_unavailable_and_no_secret_is_told() -> None:
    away = open_database("postgresql://ana:hush@127.0.0.1:1/x")
    with pytest.raises(Unavailable) as told:
        await away.read(count)
    assert "hush" not in f"{told.value} {away!r}"
    await away.close()


def test_an_unknown_kind_of_store_is_refused() -> None:
    with pytest.raises(ConfigError, match="oracle"):
        open_database("oracle://x")


def test_a_copy_is_made_of_what_is_there_and_nothing_in_the_place_of_what_is_gone(
    tmp_path: Path,
) -> None:
    there, gone, copy = tmp_path / "a?b #1.db", tmp_path / "gone.db", tmp_path / "copy.db"
    made = sa.create_engine(sa.URL.create("sqlite", database=str(there)))
    with made.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE t (n INTEGER)")
        insert(connection)
    made.dispose()
    copy_sqlite(there, copy)
    copied = sa.create_engine(f"sqlite:///{copy}")
    with copied.connect() as connection:
        assert count(connection) == 1
    copied.dispose()
    with pytest.raises(FileNotFoundError):
        copy_sqlite(gone, copy)
    assert not gone.exists()
