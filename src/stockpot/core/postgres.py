"""The relational store on Postgres. Knows its transactions and its driver; knows no table.

Writers of all control planes stand in one line, by an advisory lock that a transaction holds to its
end: as on SQLite, a service may read, decide and write without another writer in between. Control
planes write seldom; what is frequent goes to the span log.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import sqlalchemy as sa

from stockpot.core.errors import ConfigError
from stockpot.core.transactions import in_transaction

T = TypeVar("T")

_LOCK = 0x5705_0907
_READERS, _WRITERS = 8, 2
_WAIT_MS = 10_000


class PostgresDatabase:
    """`url` is `postgresql://USER:PASSWORD@HOST:PORT/DATABASE`, with libpq's parameters."""

    def __init__(self, url: str) -> None:
        self.url = url
        try:
            import psycopg  # noqa: F401 - SQLAlchemy loads it by name
        except ImportError:
            raise ConfigError(
                "the driver of Postgres is not installed",
                hint="pip install 'stockpot[postgres]'",
            ) from None
        full = sa.make_url(url).set(drivername="postgresql+psycopg")
        self._readers = _engine(full, _READERS)
        self._writers = _engine(full, _WRITERS)
        sa.event.listen(self._readers, "begin", _begin_reading)
        sa.event.listen(self._writers, "begin", _begin_writing)
        self._read_threads = ThreadPoolExecutor(_READERS, "control-db-read")
        self._write_threads = ThreadPoolExecutor(_WRITERS, "control-db-write")

    async def read(self, fn: Callable[[sa.Connection], T]) -> T:
        return await in_transaction(self._read_threads, self._readers, fn)

    async def write(self, fn: Callable[[sa.Connection], T]) -> T:
        return await in_transaction(self._write_threads, self._writers, fn)

    async def close(self) -> None:
        loop = asyncio.get_running_loop()
        for threads in (self._read_threads, self._write_threads):
            await loop.run_in_executor(None, threads.shutdown)
        self._readers.dispose()
        self._writers.dispose()

    def __repr__(self) -> str:
        """Without the password."""
        return f"PostgresDatabase({sa.make_url(self.url).render_as_string()!r})"


def _engine(url: sa.URL, size: int) -> sa.Engine:
    connect: dict[str, Any] = {"connect_timeout": _WAIT_MS // 1000}
    return sa.create_engine(
        url, pool_size=size, max_overflow=0, pool_pre_ping=True, connect_args=connect
    )


def _begin_reading(connection: sa.Connection) -> None:
    connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")


def _begin_writing(connection: sa.Connection) -> None:
    connection.exec_driver_sql(f"SET LOCAL lock_timeout = {_WAIT_MS}")
    connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_LOCK})")
