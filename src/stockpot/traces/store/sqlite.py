"""SQLite files: opening, migrating, transactions, a pool of readers. Knows no span.

The one module that names the driver: `pysqlite3` brings SQLite 3.53, which has `contentless_delete`
and not the WAL-reset bug of the library that Debian 12 links the standard module to.
"""

from __future__ import annotations

import queue
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from stockpot.core.errors import ConfigError

if TYPE_CHECKING:
    import sqlite3 as driver
else:
    from pysqlite3 import dbapi2 as driver

Connection = driver.Connection
DriverError = driver.Error
Double = driver.IntegrityError
"""A unique value was there already."""

Synchronous = Literal["NORMAL", "FULL"]
"""NORMAL: a commit survives the death of the process; FULL: it survives a power loss."""

_BUSY_S = 15.0
_CHECKPOINT_PAGES = 8000
"""32 MB of write-ahead log between checkpoints: the pages of a random index are then written back
once for many commits."""


def connect(
    path: Path, *, synchronous: Synchronous = "NORMAL", cache_mb: int = 4, page_kb: int = 4
) -> Connection:
    """Open a file in WAL mode, autocommit; creates it when missing, with pages of `page_kb`."""
    connection = driver.connect(
        path, timeout=_BUSY_S, isolation_level=None, check_same_thread=False, cached_statements=64
    )
    connection.execute(f"PRAGMA page_size = {page_kb * 1024}")
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute(f"PRAGMA synchronous = {synchronous}")
    connection.execute(f"PRAGMA cache_size = -{cache_mb * 1024}")
    connection.execute(f"PRAGMA wal_autocheckpoint = {_CHECKPOINT_PAGES}")
    connection.execute(f"PRAGMA journal_size_limit = {64 << 20}")
    connection.execute("PRAGMA temp_store = MEMORY")
    return connection


@contextmanager
def transaction(connection: Connection) -> Iterator[None]:
    """All or nothing; the write lock is taken at once."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


Migration = tuple[str, ...]
"""Statements that lead from one version of a schema to the next."""


def migrate(connection: Connection, path: Path, migrations: tuple[Migration, ...]) -> None:
    """Bring a file to the newest schema; forward only. `PRAGMA user_version` counts migrations."""
    if version(connection) == len(migrations):
        return
    with transaction(connection):
        done = version(connection)
        if done > len(migrations):
            raise ConfigError(
                f"{path} was written by a newer stockpot (schema {done}, known {len(migrations)})",
                hint="pip install --upgrade stockpot",
            )
        for statements in migrations[done:]:
            for statement in statements:
                connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {len(migrations)}")


def version(connection: Connection) -> int:
    """How many migrations a file has seen; 0 for one that was just created."""
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


class Readers:
    """Connections of one file that are lent to one thread at a time."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._idle: queue.LifoQueue[Connection] = queue.LifoQueue()
        self._closed = False

    @contextmanager
    def lend(self) -> Iterator[Connection]:
        """A connection inside one read transaction: all its queries see the same state."""
        try:
            connection = self._idle.get_nowait()
        except queue.Empty:
            connection = connect(self._path)
            connection.execute("PRAGMA query_only = 1")
        try:
            connection.execute("BEGIN")
            yield connection
        finally:
            connection.execute("ROLLBACK")
            if self._closed:
                connection.close()
            else:
                self._idle.put(connection)

    def close(self) -> None:
        self._closed = True
        while True:
            try:
                self._idle.get_nowait().close()
            except queue.Empty:
                return
