"""The control plane's relational store behind one port. Knows transactions; knows no table.

    keys = await db.read(store.keys)             # fn gets a SQLAlchemy Core Connection
    await db.write(lambda c: store.add(c, key))  # one transaction, committed before it returns

SQLite runs in WAL mode with one writing connection in one thread and a few readers beside it: a
queue of one beats a fight for the lock, and only the writer checkpoints. Postgres lives in a module
of its own (`postgres`), so that its driver is loaded where its URL is given.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple, Protocol, TypeVar

import sqlalchemy as sa
from pysqlite3 import dbapi2 as sqlite
from sqlalchemy.pool import QueuePool, StaticPool

from stockpot.core.config import Settings
from stockpot.core.errors import ConfigError
from stockpot.core.instance import Instance
from stockpot.core.transactions import UnfitText, in_transaction

T = TypeVar("T")

OLDEST_SAFE_SQLITE = (3, 51, 0)
"""Before it, a reset of the write-ahead log could corrupt a database in rare races."""

_READERS = 4
_MIGRATIONS = Path(__file__).parents[1] / "migrations"


class Database(Protocol):
    """A relational store. `fn` runs in a thread, inside one transaction, and must not keep `c`."""

    url: str

    async def read(self, fn: Callable[[sa.Connection], T]) -> T:
        """Run `fn` on a consistent view; it may not write."""
        ...

    async def write(self, fn: Callable[[sa.Connection], T]) -> T:
        """Run `fn` and commit; its exception rolls everything back."""
        ...

    async def close(self) -> None: ...


class SQLiteLibrary(NamedTuple):
    """The SQLite that really runs, whatever the interpreter's own `sqlite3` is linked to."""

    version: str
    safe: bool


def sqlite_library() -> SQLiteLibrary:
    """Ask the library itself."""
    connection = sqlite.connect(":memory:")
    try:
        (version,) = connection.execute("SELECT sqlite_version()").fetchone()
    finally:
        connection.close()
    return SQLiteLibrary(version, tuple(map(int, version.split("."))) >= OLDEST_SAFE_SQLITE)


def open_database(url: str) -> Database:
    """The store that a URL names, such as `sqlite:////srv/stockpot/control.db`."""
    scheme = url.partition(":")[0]
    if scheme == "sqlite":
        return SQLiteDatabase(url)
    if scheme in ("postgresql", "postgres"):
        from stockpot.core.postgres import PostgresDatabase

        return PostgresDatabase(url)
    raise ConfigError(
        f"no store for {scheme!r} URLs",
        hint="sqlite:///path/to/control.db or postgresql://USER@HOST/DATABASE",
    )


def open_control_store(settings: Settings, instance: Instance) -> Database:
    """The control plane's own store: the database that is set, else the file of the instance."""
    return open_database(settings.database_url or f"sqlite:///{instance.control_db}")


def copy_sqlite(source: Path, target: Path) -> None:
    """A consistent copy of a SQLite file, also while somebody writes it. Raises FileNotFoundError
    where it is gone; nothing is made in its place."""
    try:
        reading = sqlite.connect(f"{source.absolute().as_uri()}?mode=rw", uri=True, timeout=30)
    except sqlite.OperationalError:
        if source.exists():
            raise
        raise FileNotFoundError(source) from None
    writing = sqlite.connect(target)
    try:
        reading.backup(writing)  # in one step: a writer beside it would start it again each time
        writing.execute("PRAGMA journal_mode = DELETE")
    finally:
        writing.close()
        reading.close()


def storable(text: str) -> str:
    """Text from outside as every store takes it: Postgres refuses NUL, both refuse halves of a
    surrogate pair."""
    return text.replace("\x00", "\ufffd").encode("utf-8", "replace").decode()


def migrate(connection: sa.Connection, revision: str = "head") -> None:
    """Bring the schema to a revision, inside the caller's transaction."""
    if revision == "head" and schema_revision(connection) == newest_revision():
        return  # the usual case, without the cost of loading Alembic
    from alembic import command
    from alembic.config import Config
    from alembic.util import CommandError

    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(_MIGRATIONS))
    config.set_main_option("path_separator", "os")
    try:
        command.upgrade(config, revision)
    except CommandError as unknown:
        raise ConfigError(
            f"the schema of this instance is not one that this stockpot knows: {unknown}",
            hint="it was written by a newer version: pip install --upgrade stockpot",
        ) from None


def newest_revision() -> str:
    """The last schema revision that this version ships; files are named `<revision>_<words>.py`."""
    return max(path.name.partition("_")[0] for path in _MIGRATIONS.glob("versions/[0-9]*_*.py"))


def schema_revision(connection: sa.Connection) -> str | None:
    """The revision that a store is at; None for an empty one."""
    if not sa.inspect(connection).has_table("alembic_version"):
        return None
    found = connection.scalar(sa.text("SELECT version_num FROM alembic_version"))
    return str(found) if found else None


class SQLiteDatabase:
    """One file in WAL mode: one writer, a few readers, each in threads of its own."""

    def __init__(self, url: str) -> None:
        library = sqlite_library()
        if not library.safe:
            wanted = ".".join(map(str, OLDEST_SAFE_SQLITE))
            raise ConfigError(
                f"SQLite {library.version} is older than {wanted} and can damage a database",
                hint="pip install --upgrade pysqlite3",
            )
        self.url = url
        self._writer = _engine(url, poolclass=StaticPool)
        self._readers = _engine(url, poolclass=QueuePool, pool_size=_READERS, max_overflow=0)
        sa.event.listen(self._writer, "connect", _prepare_writer)
        sa.event.listen(self._writer, "begin", _begin_immediate)
        sa.event.listen(self._readers, "connect", _prepare_reader)
        sa.event.listen(self._readers, "begin", _begin_deferred)
        for engine in (self._writer, self._readers):
            sa.event.listen(engine, "before_cursor_execute", _refuse_nul)
        self._write_thread = ThreadPoolExecutor(1, "control-db-write")
        self._read_threads = ThreadPoolExecutor(_READERS, "control-db-read")

    async def read(self, fn: Callable[[sa.Connection], T]) -> T:
        return await in_transaction(self._read_threads, self._readers, fn)

    async def write(self, fn: Callable[[sa.Connection], T]) -> T:
        return await in_transaction(self._write_thread, self._writer, fn)

    async def close(self) -> None:
        loop = asyncio.get_running_loop()
        for threads in (self._read_threads, self._write_thread):
            await loop.run_in_executor(None, threads.shutdown)
        self._readers.dispose()
        self._writer.dispose()


def _engine(url: str, **pool: Any) -> sa.Engine:
    # Our own BEGIN, see the listeners: the driver's implicit one is deferred, and a transaction
    # that turns from reading to writing fails where one that waits at its start does not.
    connect = {"check_same_thread": False, "isolation_level": None, "timeout": 10.0}
    return sa.create_engine(url, module=sqlite, connect_args=connect, **pool)


def _prepare_writer(connection: Any, _record: object) -> None:
    for pragma in (
        "journal_mode = WAL",
        "synchronous = FULL",  # a key that was shown once must survive a power cut
        "foreign_keys = ON",
        "wal_autocheckpoint = 1000",
    ):
        connection.execute(f"PRAGMA {pragma}")


def _prepare_reader(connection: Any, _record: object) -> None:
    connection.execute("PRAGMA query_only = ON")
    connection.execute("PRAGMA wal_autocheckpoint = 0")


def _refuse_nul(
    _c: sa.Connection, _cursor: Any, _statement: str, parameters: Any, _context: Any, many: bool
) -> None:
    """SQLite would keep what Postgres refuses: an instance that moves from one to the other must
    not meet texts that it cannot take along."""
    for row in parameters if many else (parameters,):
        for value in row.values() if isinstance(row, dict) else row:
            if isinstance(value, str) and "\0" in value:
                raise UnfitText("a text holds a NUL character")


def _begin_immediate(connection: sa.Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _begin_deferred(connection: sa.Connection) -> None:
    connection.exec_driver_sql("BEGIN")
